// Where a download's bytes go: a Blob, the reader's loop, or a WritableStream. Each takes a chunk at once and says when it
// wants the next.

import { isTailraceError, TailraceError } from "../errors.ts";
import { ItemQueue } from "./item-queue.ts";
import type { DownloadOptions } from "./download-types.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/** A place for bytes. */
export interface DownloadSink {
  /** Called before the first chunk of each attempt. */
  open(): Promise<void>;
  /** Takes a chunk, in order. */
  write(chunk: Chunk): void;
  /** Resolves once another chunk is wanted; rejects when there is no place for it. */
  ready(): Promise<void> | undefined;
  /** Forgets what was written. Rejects where that cannot be. */
  restart(): Promise<void>;
  /** All was written: gives the Blob, where there is one. */
  close(type: string): Promise<Blob | null>;
  abort(error: TailraceError): void;
}

/** So much is gathered before it becomes a Blob, which browsers may keep on disk: 8 MiB. */
const FOLD_BYTES = 8 * 1024 * 1024;

class BlobSink implements DownloadSink {
  #folded: Blob[] = [];
  #chunks: Chunk[] = [];
  #bytes = 0;

  async open(): Promise<void> {}

  write(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes >= FOLD_BYTES) this.#fold();
  }

  ready(): undefined {
    return undefined;
  }

  async restart(): Promise<void> {
    this.#folded = [];
    this.#chunks = [];
    this.#bytes = 0;
  }

  async close(type: string): Promise<Blob> {
    this.#fold();
    const blob = new Blob(this.#folded, { type });
    this.#folded = [];
    return blob;
  }

  abort(): void {
    void this.restart();
  }

  #fold(): void {
    this.#folded.push(new Blob(this.#chunks));
    this.#chunks = [];
    this.#bytes = 0;
  }
}

/** What is handed out cannot be taken back. */
function notAgain(): TailraceError {
  const message =
    "The file changed while it was downloaded, and the bytes before were handed out already. Download it again; a " +
    "function as `to` that opens a new stream lets the download begin anew by itself.";
  return new TailraceError("conflict", message, { details: {} });
}

/** The reader's loop as a sink: one chunk waits at most. */
export class ChunkSink implements DownloadSink {
  readonly #queue = new ItemQueue<Chunk>(1);
  #room: Promise<void> | undefined;
  #isUsed = false;

  async open(): Promise<void> {}

  write(chunk: Chunk): void {
    this.#isUsed = true;
    this.#room = this.#queue.push(chunk);
  }

  ready(): Promise<void> | undefined {
    return this.#room;
  }

  async restart(): Promise<void> {
    if (this.#isUsed) throw notAgain();
  }

  async close(): Promise<null> {
    this.#queue.finish(false);
    return null;
  }

  abort(error: TailraceError): void {
    this.#queue.finish(true, { error });
  }

  async *chunks(): AsyncGenerator<Chunk, void, undefined> {
    for (let taken = await this.#queue.take(); taken !== undefined; taken = await this.#queue.take()) {
      yield taken[0] as Chunk;
    }
  }
}

type OpenStream = () => WritableStream<Uint8Array> | Promise<WritableStream<Uint8Array>>;

function sinkError(cause: unknown): TailraceError {
  if (isTailraceError(cause)) return cause;
  const message = "What was downloaded could not be written; see the cause. Is there room, and still permission?";
  return new TailraceError("store_unavailable", message, { cause });
}

class StreamSink implements DownloadSink {
  readonly #to: WritableStream<Uint8Array> | OpenStream;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #isUsed = false;

  constructor(to: WritableStream<Uint8Array> | OpenStream) {
    this.#to = to;
  }

  async open(): Promise<void> {
    if (this.#writer !== undefined) return;
    try {
      const stream = typeof this.#to === "function" ? await this.#to() : this.#to;
      this.#writer = stream.getWriter();
    } catch (cause) {
      throw sinkError(cause);
    }
    // Its failures are met at `ready` and `close`.
    this.#writer.closed.catch(() => undefined);
  }

  write(chunk: Chunk): void {
    this.#isUsed = true;
    this.#writer?.write(chunk).catch(() => undefined);
  }

  ready(): Promise<void> | undefined {
    return this.#writer?.ready.catch((cause: unknown) => {
      throw sinkError(cause);
    });
  }

  async restart(): Promise<void> {
    if (!this.#isUsed) return;
    if (typeof this.#to !== "function") throw notAgain();
    await this.#writer?.abort().catch(() => undefined);
    this.#writer = undefined;
    this.#isUsed = false;
    await this.open();
  }

  async close(): Promise<null> {
    try {
      await this.open();
      await this.#writer?.close();
    } catch (cause) {
      throw sinkError(cause);
    }
    return null;
  }

  abort(reason: TailraceError): void {
    if (this.#writer !== undefined) this.#writer.abort(reason).catch(() => undefined);
    // Never written to, and the caller's all the same.
    else if (typeof this.#to !== "function") this.#to.abort(reason).catch(() => undefined);
  }
}

/** The sink that the options ask for. */
export function createSink(to: DownloadOptions["to"]): DownloadSink {
  if (to === undefined || to === "blob") return new BlobSink();
  if (to === "chunks") return new ChunkSink();
  return new StreamSink(to);
}
