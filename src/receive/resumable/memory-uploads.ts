// Uploads in memory: for tests and demonstrations. They end with the process.

import { TailraceError } from "../../errors.ts";
import { isSweepable, type NewUpload, type UploadInfo, type UploadPhase, type UploadStorage } from "./storage.ts";
import { lengthConflict, offsetConflict, uploadUnknown } from "./upload-errors.ts";

export interface MemoryUploadsOptions {
  /** The bytes of all uploads together. Default 67,108,864 (64 MiB). */
  readonly maxBytes?: number | undefined;
}

interface Entry {
  readonly upload: NewUpload;
  lengthBytes: number | undefined;
  phase: UploadPhase;
  headers: Readonly<Record<string, string>>;
  readonly chunks: Uint8Array<ArrayBuffer>[];
  offset: number;
  hasBytes: boolean;
}

/** An {@link UploadStorage} in this process's memory. */
export function memoryUploads(options: MemoryUploadsOptions = {}): UploadStorage {
  const maxBytes = options.maxBytes ?? 67_108_864;
  const entries = new Map<string, Entry>();
  let usedBytes = 0;

  function entryOf(id: string): Entry {
    const entry = entries.get(id);
    if (entry === undefined) throw uploadUnknown();
    return entry;
  }

  function make(upload: NewUpload): Entry {
    if (entries.has(upload.id)) throw new TailraceError("stream_exists", "An upload of that id is there already.");
    const entry: Entry = {
      upload,
      lengthBytes: upload.lengthBytes,
      phase: "receiving",
      headers: {},
      chunks: [],
      offset: 0,
      hasBytes: true,
    };
    entries.set(upload.id, entry);
    return entry;
  }

  function full(): TailraceError {
    return new TailraceError("store_unavailable", `The memory for uploads, ${maxBytes} bytes, is full; try later.`);
  }

  function take(bytes: number): void {
    if (usedBytes + bytes > maxBytes) throw full();
    usedBytes += bytes;
  }

  function drop(id: string): boolean {
    const entry = entries.get(id);
    if (entry === undefined) return false;
    if (entry.hasBytes) usedBytes -= entry.offset;
    return entries.delete(id);
  }

  function infoOf(entry: Entry): UploadInfo {
    const { upload, lengthBytes, offset, phase, headers, hasBytes } = entry;
    return { ...upload, lengthBytes, offset, phase, headers, hasBytes };
  }

  return {
    place: `memory:${crypto.randomUUID()}`,
    async create(upload) {
      make(upload);
    },
    async head(id) {
      const entry = entries.get(id);
      return entry === undefined ? undefined : infoOf(entry);
    },
    async append(id, offset, chunks, { onStored, check } = {}) {
      const entry = entryOf(id);
      if (entry.offset !== offset || entry.phase !== "receiving") throw offsetConflict(offset, entry.offset);
      const keep = (kept: readonly Uint8Array<ArrayBuffer>[]): void => {
        if (entries.get(id) !== entry) throw uploadUnknown(); // removed meanwhile
        const bytes = kept.reduce((sum, chunk) => sum + chunk.byteLength, 0);
        take(bytes);
        entry.chunks.push(...kept);
        entry.offset += bytes;
        onStored?.(entry.offset);
      };
      const pending: Uint8Array<ArrayBuffer>[] = [];
      let pendingBytes = 0;
      for await (const chunk of chunks) {
        if (chunk.byteLength === 0) continue;
        const copy = new Uint8Array(chunk); // the sender's buffer may be used again
        if (check === undefined) {
          keep([copy]);
          continue;
        }
        pendingBytes += copy.byteLength;
        if (usedBytes + pendingBytes > maxBytes) throw full();
        pending.push(copy);
      }
      if (check !== undefined) {
        await check();
        keep(pending);
      }
      return entry.offset;
    },
    async setLength(id, lengthBytes) {
      const entry = entryOf(id);
      if (entry.lengthBytes !== undefined && entry.lengthBytes !== lengthBytes) {
        throw lengthConflict(entry.lengthBytes, lengthBytes);
      }
      entry.lengthBytes = lengthBytes;
    },
    async finish(id, phase, headers) {
      const entry = entryOf(id);
      entry.phase = phase;
      entry.lengthBytes = entry.offset;
      if (headers !== undefined) entry.headers = headers;
    },
    async concat(upload, partIds) {
      const parts = partIds.map(entryOf);
      const bytes = parts.reduce((sum, part) => sum + part.offset, 0);
      take(bytes);
      const entry = make(upload);
      for (const part of parts) entry.chunks.push(...part.chunks);
      entry.offset = entry.lengthBytes = bytes;
      return bytes;
    },
    async *read(id, offset = 0) {
      const entry = entryOf(id);
      if (!entry.hasBytes) throw uploadUnknown();
      let skip = offset;
      for (const chunk of [...entry.chunks]) {
        if (skip < chunk.byteLength) yield chunk.slice(skip);
        skip = Math.max(0, skip - chunk.byteLength);
      }
    },
    async dropBytes(id) {
      const entry = entryOf(id);
      if (!entry.hasBytes || entry.phase === "receiving") return;
      usedBytes -= entry.offset;
      entry.chunks.length = 0;
      entry.hasBytes = false;
    },
    async remove(id) {
      return drop(id);
    },
    async sweep(nowMs) {
      for (const { upload, phase, hasBytes } of [...entries.values()]) {
        if (phase === "complete" && !hasBytes && upload.expiresAtMs <= nowMs) drop(upload.id);
      }
      const swept = [...entries.values()].map(infoOf).filter((upload) => isSweepable(upload, nowMs));
      for (const { id } of swept) drop(id);
      return swept;
    },
  };
}
