// The file of one export while it is made: large writes beside the encoding, its digest, and the news of what the disk has for certain.

import { createHash, type Hash } from "node:crypto";
import { open, rename, type FileHandle } from "node:fs/promises";
import { isTailraceError, TailraceError } from "../errors.ts";
import { ownChunk } from "../receive/own-chunks.ts";
import { type ExportFolder, newAttempt } from "./export-file-names.ts";
import { FileAppender } from "./file-appender.ts";
import { syncFolder } from "./upload-files.ts";

/** So many bytes are read at a time where a file is gone on with. */
const READ_BYTES = 262_144;

export interface ExportFileOptions {
  readonly folder: ExportFolder;
  readonly id: string;
  /** The permissions of the file. */
  readonly mode: number;
  readonly maxBytes: number;
}

/** The beginning of a file that has reached the disk. */
export interface KeptBytes {
  readonly bytes: number;
  /** In hexadecimal, of these bytes. */
  readonly sha256: string;
}

interface Mark extends KeptBytes {
  readonly onKept: (kept: KeptBytes) => void;
}

export class ExportFile {
  readonly attempt: string;
  readonly #options: ExportFileOptions;
  readonly #handle: FileHandle;
  readonly #appender: FileAppender;
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;
  #writtenBytes = 0;
  /** What is to be told once the disk has it. */
  #mark: Mark | undefined;
  #syncing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isOpen = true;
  #isWhole = false;

  private constructor(handle: FileHandle, attempt: string, options: ExportFileOptions) {
    this.attempt = attempt;
    this.#handle = handle;
    this.#options = options;
    this.#appender = new FileAppender(handle, 0, (position) => {
      this.#writtenBytes = position;
      this.#look();
    });
  }

  /** Makes an empty file, and the folder if need be. @throws {TailraceError} `store_unavailable`, 507 where the disk is full */
  static async make(options: ExportFileOptions): Promise<ExportFile> {
    const { folder, id, mode } = options;
    const attempt = newAttempt();
    try {
      await folder.make();
      // `wx`: the name must not exist, as a link to somewhere else neither.
      const handle = await open(folder.pathOf({ id, attempt, isWhole: false }), "wx", mode);
      return new ExportFile(handle, attempt, options);
    } catch (error) {
      throw exportDiskError(error);
    }
  }

  /** How many bytes it was given. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a mark waits for the disk. */
  get isKeeping(): boolean {
    return this.#mark !== undefined;
  }

  /**
   * Takes bytes that nobody changes any more. Resolves when more may come.
   *
   * @throws {TailraceError} `limit_exceeded`, one byte past `maxBytes` and before it is written; `store_unavailable`
   */
  async write(bytes: Uint8Array): Promise<void> {
    const { maxBytes } = this.#options;
    if (this.#bytes + bytes.byteLength > maxBytes) {
      const message = `The export has more than ${maxBytes.toLocaleString("en")} bytes, the most that it may have; ask for fewer rows.`;
      throw new TailraceError("limit_exceeded", message, { details: { maxBytes } });
    }
    this.#assertSound();
    this.#hash.update(bytes);
    this.#bytes += bytes.byteLength;
    await this.#appender.push(bytes).catch((error: unknown) => {
      throw exportDiskError(error);
    });
  }

  /** Calls `onKept` once the disk has all that was given so far. One mark at a time: see {@link isKeeping}. */
  keep(onKept: (kept: KeptBytes) => void): void {
    this.#mark = { bytes: this.#bytes, sha256: this.#digest(), onKept };
    this.#look();
  }

  /**
   * Begins with what an earlier attempt had kept, as a copy: its process may only be slow, and still be writing.
   *
   * @returns false if that file is no longer there as it was; this one is then of no use
   */
  async takeOver(attempt: string, kept: KeptBytes, signal: AbortSignal): Promise<boolean> {
    const earlier = await this.#openEarlier(attempt);
    if (earlier === undefined) return false;
    try {
      while (this.#bytes < kept.bytes) {
        signal.throwIfAborted();
        const chunk = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, kept.bytes - this.#bytes));
        const { bytesRead } = await earlier.read(chunk, 0, chunk.byteLength, this.#bytes);
        if (bytesRead === 0) return false;
        ownChunk(chunk);
        await this.write(chunk.subarray(0, bytesRead));
      }
      return this.#digest() === kept.sha256;
    } finally {
      await earlier.close();
    }
  }

  /** Gives the file its name as a whole one, once the disk has it. @throws {TailraceError} `store_unavailable` */
  async finish(): Promise<KeptBytes> {
    const { folder, id } = this.#options;
    const { attempt } = this;
    try {
      await this.#appender.settle();
      await this.#syncing;
      this.#assertSound();
      await this.#handle.sync();
      await this.#closeHandle();
      await rename(folder.pathOf({ id, attempt, isWhole: false }), folder.pathOf({ id, attempt, isWhole: true }));
      this.#isWhole = true;
      await syncFolder(folder.root);
    } catch (error) {
      throw exportDiskError(error);
    }
    return { bytes: this.#bytes, sha256: this.#hash.digest("hex") };
  }

  /** Lets go of the file, however far it is. What was given and is still on its way to the disk may be missing. */
  async close(): Promise<void> {
    this.#mark = undefined;
    await this.#appender.settle().catch(() => undefined); // whoever wrote was told
    await this.#syncing;
    await this.#closeHandle();
  }

  /** Closes and removes it. */
  async remove(): Promise<void> {
    const { folder, id } = this.#options;
    await this.close().catch(() => undefined); // the name is what must go
    await folder.remove({ id, attempt: this.attempt, isWhole: this.#isWhole });
  }

  #digest(): string {
    return this.#hash.copy().digest("hex");
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw exportDiskError(this.#failure.error);
  }

  #look(): void {
    if (this.#mark === undefined || this.#syncing !== undefined || this.#writtenBytes < this.#mark.bytes) return;
    this.#syncing = this.#sync(this.#mark).finally(() => {
      this.#syncing = undefined;
      this.#look(); // the next mark may have come meanwhile
    });
  }

  /** Beside the writes of what comes next. Never rejects: whoever writes next is told. */
  async #sync(mark: Mark): Promise<void> {
    try {
      await this.#handle.datasync();
      if (this.#mark !== mark) return;
      this.#mark = undefined;
      mark.onKept({ bytes: mark.bytes, sha256: mark.sha256 });
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  async #openEarlier(attempt: string): Promise<FileHandle | undefined> {
    const { folder, id } = this.#options;
    // Its process may have died between the file's last name and the news of it.
    for (const isWhole of [false, true]) {
      try {
        return await open(folder.pathOf({ id, attempt, isWhole }), "r");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw exportDiskError(error);
      }
    }
    return undefined;
  }

  async #closeHandle(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }
}

/** An error of the file system as one that says what to do. */
export function exportDiskError(error: unknown): TailraceError {
  if (isTailraceError(error)) return error;
  const { code = "unknown" } = error as NodeJS.ErrnoException;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const message = isFull
    ? "The disk for exports is full; free some space and export again."
    : `The export could not be written (${code}); check the folder, its permissions and the disk.`;
  return new TailraceError("store_unavailable", message, { cause: error, ...(isFull ? { status: 507 } : {}) });
}
