// Writes chunks to a file in order: while one write is under way the next batch gathers, up to a limit.

import type { FileHandle } from "node:fs/promises";
import { releaseChunk } from "../receive/own-chunks.ts";

/** A batch takes no more once it holds this much: 1 MiB, or 512 chunks. */
export const BATCH_BYTES = 1_048_576;
const BATCH_COUNT = 512;

/** Appends to `handle` from a position. After any failure nothing more is written. */
export class FileAppender {
  readonly #handle: FileHandle;
  readonly #onStored: (position: number) => void;
  #position: number;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(handle: FileHandle, position: number, onStored: (position: number) => void) {
    this.#handle = handle;
    this.#position = position;
    this.#onStored = onStored;
  }

  /** Takes a chunk, which must not be touched afterwards: its memory may be given back once it is written. Resolves when more may come. @throws what a write failed with */
  async push(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength === 0) return;
    this.#batch.push(chunk);
    this.#batchBytes += chunk.byteLength;
    this.#writing ??= this.#run();
    while (this.#isFull() && this.#failure === undefined) await this.#writing;
    this.#assertSound();
  }

  /** Resolves with the position once everything is written. @throws what a write failed with */
  async settle(): Promise<number> {
    while (this.#writing !== undefined) await this.#writing;
    this.#assertSound();
    return this.#position;
  }

  #isFull(): boolean {
    return this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_COUNT;
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Writes batch after batch until nothing waits. Never rejects: the failure is thrown at whoever comes next. */
  async #run(): Promise<void> {
    try {
      while (this.#batch.length > 0) {
        const batch = this.#batch;
        this.#batch = [];
        this.#batchBytes = 0;
        await this.#write(batch);
        for (const chunk of batch) releaseChunk(chunk);
        this.#onStored(this.#position);
      }
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#writing = undefined;
    }
  }

  async #write(batch: readonly Uint8Array[]): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) return this.#writeRest(only);
    const bytes = batch.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const { bytesWritten } = await this.#handle.writev(batch, this.#position);
    this.#position += bytesWritten;
    // A disk that fills up, or a signal, cuts a write short.
    if (bytesWritten < bytes) await this.#writeRest(Buffer.concat(batch).subarray(bytesWritten));
  }

  async #writeRest(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.byteLength > 0) {
      const { bytesWritten } = await this.#handle.write(rest, 0, rest.byteLength, this.#position);
      this.#position += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  }
}
