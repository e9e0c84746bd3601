// One upload as a file: large writes that run beside the receiving, and one step that gives the whole file its name.

import { writev } from "node:fs";
import { link, open, rename, rm, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { isTailraceError, TailraceError } from "../errors.ts";
import { releaseChunk } from "../receive/own-chunks.ts";
import { numberedName } from "../receive/safe-name.ts";
import type { SinkFile, Stored } from "../receive/sink.ts";

/** Chunks are gathered up to this before they are written, while the ones before them are being written. */
const WRITE_BYTES = 524_288;
/** No more chunks than this in one write, so that tiny ones are bounded too. */
const WRITE_CHUNKS = 1_000;
/** How many numbers are tried where a name is taken. */
const MAX_NUMBER = 1_000;

export interface SinkFileOptions {
  readonly root: string;
  readonly temporaryPath: string;
  readonly finalName: string;
  readonly fsync: boolean;
  /** Called once the temporary name is gone. */
  readonly onGone: () => void;
}

export class SinkFileOnDisk implements SinkFile {
  readonly #handle: FileHandle;
  readonly #options: SinkFileOptions;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** The write, end or commit under way. Never rejects: what failed is in {@link #error}. */
  #underWay: Promise<void> | undefined;
  #error: unknown;
  #isOpen = true;
  #finalPath: string | undefined;

  constructor(handle: FileHandle, options: SinkFileOptions) {
    this.#handle = handle;
    this.#options = options;
  }

  write(chunk: Uint8Array): Promise<void> | void {
    if (this.#error !== undefined) throw diskError(this.#error);
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.byteLength;
    if (this.#pendingBytes < WRITE_BYTES && this.#pending.length < WRITE_CHUNKS) return undefined;
    if (this.#underWay === undefined) return this.#flush();
    return this.#underWay.then(() => this.#flush());
  }

  async end(): Promise<void> {
    await this.#run(async () => {
      await this.#writeAll();
      if (this.#options.fsync) await this.#handle.sync();
      await this.#close();
    });
  }

  async commit(): Promise<Stored> {
    if (this.#isOpen) await this.end();
    const { root, temporaryPath, fsync, onGone } = this.#options;
    await this.#run(async () => {
      this.#finalPath = await this.#name();
      await rm(temporaryPath, { force: true });
      if (fsync) await syncFolder(root);
      onGone();
    });
    const finalPath = this.#finalPath as string;
    return { key: path.basename(finalPath), path: finalPath };
  }

  async abort(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#error ??= new TailraceError("closed", "The upload was aborted.");
    await this.#underWay;
    await this.#close().catch(() => undefined); // the name is what must go
    await rm(this.#options.temporaryPath, { force: true });
    if (this.#finalPath !== undefined) await rm(this.#finalPath, { force: true });
    this.#options.onGone();
  }

  /** Starts to write what was gathered. The sender is only held back when the next portion is full before this is done. */
  #flush(): void {
    if (this.#error !== undefined) throw diskError(this.#error);
    const task = this.#writePending().catch((error: unknown) => {
      this.#error ??= error;
    });
    this.#underWay = task.then(() => {
      this.#underWay = undefined;
    });
  }

  /** Does `work` once what is under way is done, as the next thing under way. */
  async #run(work: () => Promise<void>): Promise<void> {
    await this.#underWay;
    if (this.#error !== undefined) throw diskError(this.#error);
    const task = work().catch((error: unknown) => {
      this.#error ??= error;
    });
    this.#underWay = task.then(() => {
      this.#underWay = undefined;
    });
    await this.#underWay;
    if (this.#error !== undefined) throw diskError(this.#error);
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) await this.#writePending();
  }

  async #writePending(): Promise<void> {
    const stored = this.#pending;
    let chunks = stored;
    let left = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    while (left > 0) {
      const written = await writeOnce(this.#handle.fd, chunks);
      left -= written;
      if (left > 0) chunks = behind(chunks, written);
    }
    for (const chunk of stored) releaseChunk(chunk);
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }

  /** Gives the file a name that nobody has. A link fails where the name is taken; a rename would replace. */
  async #name(): Promise<string> {
    const { root, temporaryPath, finalName } = this.#options;
    for (let number = 1; number <= MAX_NUMBER; number++) {
      const candidate = path.join(root, number === 1 ? finalName : numberedName(finalName, number));
      try {
        await linkOrMove(temporaryPath, candidate);
        return candidate;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
    const message = `There are ${MAX_NUMBER.toLocaleString("en")} files named ${JSON.stringify(finalName)}; choose another name.`;
    throw new TailraceError("conflict", message);
  }
}

async function linkOrMove(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"].includes(code)) throw error;
    // A file system without hard links: the name is taken first, by a file that must not exist, and then filled in one step.
    const reserved = await open(to, "wx");
    await reserved.close();
    try {
      await rename(from, to);
    } catch (cause) {
      await rm(to, { force: true });
      throw cause;
    }
  }
}

function writeOnce(fd: number, chunks: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, chunks, (error, written) => {
      if (error === null) resolve(written);
      else reject(error);
    });
  });
}

/** What is left of `chunks` behind their first `bytes` bytes. */
function behind(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  let index = 0;
  for (; index < chunks.length; index++) {
    const { byteLength } = chunks[index] as Uint8Array;
    if (byteLength > skip) break;
    skip -= byteLength;
  }
  const [first, ...rest] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(skip), ...rest];
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and needs no flush of it.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** An error of the file system as one that may reach a client. */
export function diskError(error: unknown): TailraceError {
  if (isTailraceError(error)) return error;
  const { code = "unknown" } = error as NodeJS.ErrnoException;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const message = isFull
    ? "The disk for uploads is full; free some space."
    : `The upload could not be stored (${code}); check the folder, its permissions and the disk.`;
  return new TailraceError("store_unavailable", message, { cause: error, ...(isFull ? { status: 507 } : {}) });
}
