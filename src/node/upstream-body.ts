// The body of an answer on node:http as a pull: as it came over the wire, and never more than a little ahead of who reads it.

import type { IncomingMessage } from "node:http";
import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE } from "../bytes/source.ts";
import { ownChunk, releaseChunk } from "../receive/own-chunks.ts";

type Result = IteratorResult<Chunk, undefined>;

/** What may wait to be read before the socket is paused, in bytes. */
const MAX_WAITING_BYTES = 262_144;

export class UpstreamBody implements BytePull {
  readonly #incoming: IncomingMessage;
  readonly #onEnded: () => void;
  #waiting: Chunk[] = [];
  #next = 0;
  #waitingBytes = 0;
  #isPaused = false;
  #isOver = false;
  #error: Error | undefined;
  #resolve: ((result: Result) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  /** Listens at once: an answer that breaks before anybody reads it is not lost. `onEnded` is called once, on every way out. */
  constructor(incoming: IncomingMessage, onEnded: () => void) {
    this.#incoming = incoming;
    this.#onEnded = onEnded;
    incoming.on("data", this.#onData);
    incoming.once("end", this.#onEnd);
    // A connection that breaks ends the stream by an error (ECONNRESET), or by a close without an end.
    incoming.on("error", this.#onError);
    incoming.once("close", this.#onClose);
  }

  next(): Result | Promise<Result> {
    const value = this.#waiting[this.#next];
    if (value !== undefined) return { done: false, value: this.#taken(value) };
    if (this.#error !== undefined) throw this.#error;
    if (this.#isOver) return DONE;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The bytes have left for the client: their memory is free at once, and not when the garbage collector gets to it. */
  recycle(chunk: Chunk): void {
    releaseChunk(chunk);
  }

  close(): void {
    this.#waiting = [];
    this.#next = 0;
    if (this.#isOver) return;
    this.#over();
    this.#settle(DONE);
    this.#incoming.destroy();
  }

  /** Ends the body by an error of ours, such as an abort. */
  fail(error: Error): void {
    this.#onError(error);
    this.#incoming.destroy();
  }

  #taken(value: Chunk): Chunk {
    this.#waitingBytes -= value.byteLength;
    this.#next++;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      if (this.#isPaused) {
        this.#isPaused = false;
        this.#incoming.resume();
      }
    }
    return value;
  }

  readonly #onData = (chunk: Chunk): void => {
    if (this.#isOver) return;
    ownChunk(chunk); // HTTP/1 makes a buffer of its own for each piece of a body
    if (this.#resolve !== undefined) {
      this.#settle({ done: false, value: chunk });
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes >= MAX_WAITING_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#incoming.pause();
    }
  };

  readonly #onEnd = (): void => {
    if (this.#isOver) return;
    this.#over();
    this.#settle(DONE);
  };

  readonly #onError = (error: Error): void => {
    if (this.#isOver) return;
    this.#error = error;
    this.#over();
    const reject = this.#reject;
    this.#resolve = this.#reject = undefined;
    reject?.(error);
  };

  readonly #onClose = (): void => {
    if (!this.#isOver) this.#onError(new Error("The connection closed before the body was whole."));
  };

  #over(): void {
    this.#isOver = true;
    this.#onEnded();
  }

  #settle(result: Result): void {
    const resolve = this.#resolve;
    this.#resolve = this.#reject = undefined;
    resolve?.(result);
  }
}
