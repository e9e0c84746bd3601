// Resumable uploads in a folder. The bytes that are in an upload's file are its offset: the file only ever grows, at its end, so no crash
// can make the offset a promise that the disk does not keep.

import { constants } from "node:fs";
import { copyFile, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { isTailraceError, TailraceError } from "../errors.ts";
import { isUploadId } from "../receive/resumable/upload-id.ts";
import { isSweepable, type NewUpload, type UploadInfo, type UploadStorage } from "../receive/resumable/storage.ts";
import { lengthConflict, offsetConflict, uploadUnknown } from "../receive/resumable/upload-errors.ts";
import { FileAppender } from "./file-appender.ts";
import { bytesOf, fileBytes, namesIn, removeOld, sizeOf, syncFolder } from "./upload-files.ts";
import { readRecord, type UploadRecord, writeRecord } from "./upload-record.ts";

export interface DiskUploadsOptions {
  /**
   * Whether bytes and records are flushed to the disk before an append or a change is acknowledged, so that they survive a power cut.
   * Default false: they survive the death of the process.
   */
  readonly fsync?: boolean | undefined;
}

/** Uploads in a folder. */
export interface DiskUploads extends UploadStorage {
  /**
   * The file that holds an upload's bytes. While it is delivered (`onComplete`), the file may be renamed to where it belongs, as the last
   * step: from then on it is yours. Anything but one of our ids is refused.
   */
  pathOf(id: string): string;
}

/** What a crash may have left half made is removed when it has not been touched for this long: a day. */
const LEFTOVER_MS = 86_400_000;

/**
 * An {@link UploadStorage} in `folder`, which is made when the first upload is. Two files per upload: `ID.data` and `ID.json`. The folder is
 * for uploads alone.
 *
 * Errors of the disk come as `store_unavailable` with their cause.
 */
export function diskUploads(folder: string, options: DiskUploadsOptions = {}): DiskUploads {
  const fsync = options.fsync ?? false;
  const root = path.resolve(folder);

  function file(id: string, suffix: string): string {
    // The last gate: nothing but our own ids ever becomes a path.
    if (!isUploadId(id)) throw uploadUnknown();
    return path.join(root, `${id}${suffix}`);
  }
  const dataOf = (id: string): string => file(id, ".data");
  const recordOf = (id: string): string => file(id, ".json");
  const temporaryOf = (id: string): string => file(id, `.${crypto.randomUUID()}.tmp`);

  async function recordFor(id: string): Promise<UploadRecord> {
    const record = isUploadId(id) ? await readRecord(recordOf(id)) : undefined;
    if (record === undefined) throw uploadUnknown();
    return record;
  }

  function save(upload: NewUpload, changes: Partial<UploadRecord> = {}): Promise<void> {
    const record: UploadRecord = { version: 1, phase: "receiving", headers: {}, ...changes, upload };
    return writeRecord(recordOf(upload.id), temporaryOf(upload.id), record, fsync);
  }

  async function infoOf(record: UploadRecord): Promise<UploadInfo | undefined> {
    const { upload, phase, headers } = record;
    const size = await sizeOf(dataOf(upload.id));
    // Once its delivery has begun, the file may have been taken to where it belongs.
    const offset = size ?? (phase === "receiving" ? undefined : upload.lengthBytes);
    return offset === undefined ? undefined : { ...upload, phase, headers, offset, hasBytes: size !== undefined };
  }

  async function head(id: string): Promise<UploadInfo | undefined> {
    const record = isUploadId(id) ? await readRecord(recordOf(id)) : undefined;
    return record === undefined ? undefined : infoOf(record);
  }

  async function makeFolder(): Promise<void> {
    await mkdir(root, { recursive: true, mode: 0o700 });
  }

  async function appendTo(
    handle: FileHandle,
    position: number,
    chunks: AsyncIterable<Uint8Array>,
    onStored: (position: number) => void,
  ): Promise<number> {
    const appender = new FileAppender(handle, position, onStored);
    try {
      for await (const chunk of chunks) await appender.push(chunk);
    } finally {
      await appender.settle();
    }
    if (fsync) await handle.datasync();
    return appender.settle();
  }

  /** All or nothing: the chunks wait in a file of their own until they are checked. What is checked may then arrive in part. */
  async function appendChecked(
    handle: FileHandle,
    id: string,
    position: number,
    chunks: AsyncIterable<Uint8Array>,
    check: () => void | Promise<void>,
    onStored: (position: number) => void,
  ): Promise<number> {
    const waitingPath = temporaryOf(id);
    const waiting = await open(waitingPath, "wx+", 0o600);
    try {
      await appendTo(waiting, 0, chunks, () => undefined);
      await check();
      return await appendTo(handle, position, bytesOf(waiting, 0), onStored);
    } finally {
      await waiting.close();
      await rm(waitingPath, { force: true });
    }
  }

  const storage: DiskUploads = {
    place: `disk:${root}`,
    pathOf: dataOf,

    async create(upload) {
      await makeFolder();
      // Bytes first: a record always has its file, so that a missing one means that it was taken.
      await makeFile(dataOf(upload.id));
      await save(upload);
      if (fsync) await syncFolder(root);
    },

    head,

    async append(id, offset, chunks, { onStored = () => undefined, check } = {}) {
      const info = await head(id);
      if (info === undefined) throw uploadUnknown();
      if (info.phase !== "receiving") throw offsetConflict(offset, info.offset);
      const handle = await open(dataOf(id), "r+");
      try {
        const { size } = await handle.stat();
        if (size !== offset) throw offsetConflict(offset, size);
        const stored =
          check === undefined
            ? await appendTo(handle, offset, chunks, onStored)
            : await appendChecked(handle, id, offset, chunks, check, onStored);
        // A sweep or another process may have removed it meanwhile: then nothing is promised.
        if ((await sizeOf(recordOf(id))) === undefined) throw uploadUnknown();
        return stored;
      } finally {
        await handle.close();
      }
    },

    async setLength(id, lengthBytes) {
      const record = await recordFor(id);
      const known = record.upload.lengthBytes;
      if (known === lengthBytes) return;
      if (known !== undefined) throw lengthConflict(known, lengthBytes);
      await save({ ...record.upload, lengthBytes }, record);
    },

    async finish(id, phase, headers) {
      const record = await recordFor(id);
      const info = await infoOf(record);
      if (info === undefined) throw uploadUnknown();
      const upload = { ...record.upload, lengthBytes: info.offset };
      await save(upload, { ...record, phase, headers: headers ?? record.headers });
    },

    async concat(upload, partIds) {
      await makeFolder();
      const temporary = temporaryOf(upload.id);
      const [first, ...others] = partIds.map(dataOf);
      for (const id of partIds) await recordFor(id);
      try {
        // A file system that shares blocks copies the first part for nothing.
        if (first !== undefined) await copyFile(first, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        const target = await open(temporary, first === undefined ? "wx" : "r+", 0o600);
        try {
          let { size } = await target.stat();
          for (const other of others) size = await appendTo(target, size, fileBytes(other, 0), () => undefined);
          if (fsync) await target.datasync();
          await rename(temporary, dataOf(upload.id));
          await save({ ...upload, lengthBytes: size });
          return size;
        } finally {
          await target.close();
        }
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },

    async *read(id, offset = 0) {
      const info = await head(id);
      if (info?.hasBytes !== true) throw uploadUnknown();
      yield* fileBytes(dataOf(id), offset);
    },

    async dropBytes(id) {
      const record = await recordFor(id);
      if (record.phase !== "receiving") await rm(dataOf(id), { force: true });
    },

    async remove(id) {
      if (!isUploadId(id)) return false;
      const wasThere = (await sizeOf(recordOf(id))) !== undefined;
      await rm(recordOf(id), { force: true }); // the record first: without it the bytes are nobody's
      await rm(dataOf(id), { force: true });
      return wasThere;
    },

    async sweep(nowMs) {
      const swept: UploadInfo[] = [];
      for (const name of await namesIn(root)) {
        const id = name.slice(0, name.indexOf("."));
        if (!isUploadId(id)) continue; // not ours
        const filePath = path.join(root, name);
        const hasRecord = (await sizeOf(recordOf(id))) !== undefined;
        if (name === `${id}.json`) {
          const info = await head(id);
          if (info === undefined) await removeOld(filePath, nowMs - LEFTOVER_MS);
          else if (isSweepable(info, nowMs) && (await storage.remove(id))) swept.push(info);
          // Delivered and taken away: the answer has been kept for as long as the upload had to arrive.
          else if (isOver(info, nowMs)) await storage.remove(id);
        } else if (!hasRecord || name.endsWith(".tmp")) await removeOld(filePath, nowMs - LEFTOVER_MS);
      }
      return swept;
    },
  };
  return withNamedErrors(storage);
}

async function makeFile(filePath: string): Promise<void> {
  try {
    const handle = await open(filePath, "wx", 0o600);
    await handle.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new TailraceError("stream_exists", "An upload of that id is there already.", { cause: error });
  }
}

function isOver(upload: UploadInfo, nowMs: number): boolean {
  return upload.phase === "complete" && !upload.hasBytes && upload.expiresAtMs <= nowMs;
}

/** What the disk says (full, read-only, no permission) as an error of ours; the sender's own errors go through. */
function named(error: unknown): unknown {
  if (isTailraceError(error) || !(error instanceof Error && "syscall" in error)) return error;
  return new TailraceError("store_unavailable", "The folder of uploads cannot be read or written; see the cause.", {
    cause: error,
  });
}

function withNamedErrors(storage: DiskUploads): DiskUploads {
  const naming = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw named(error);
    }
  };
  return {
    place: storage.place,
    pathOf: (id) => storage.pathOf(id),
    create: (upload) => naming(storage.create(upload)),
    head: (id) => naming(storage.head(id)),
    append: (id, offset, chunks, options) => naming(storage.append(id, offset, chunks, options)),
    setLength: (id, lengthBytes) => naming(storage.setLength(id, lengthBytes)),
    finish: (id, phase, headers) => naming(storage.finish(id, phase, headers)),
    concat: (upload, partIds) => naming(storage.concat(upload, partIds)),
    async *read(id, offset) {
      try {
        yield* storage.read(id, offset);
      } catch (error) {
        throw named(error);
      }
    },
    dropBytes: (id) => naming(storage.dropBytes(id)),
    remove: (id) => naming(storage.remove(id)),
    sweep: (nowMs) => naming(storage.sweep(nowMs)),
  };
}
