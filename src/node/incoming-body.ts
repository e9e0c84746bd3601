// A request's body on node:http as a pull: no copy per chunk, and no web stream for who can do without.

import type { IncomingMessage, ServerResponse } from "node:http";
import { toReadableStream } from "../bytes/bridge.ts";
import { DONE, type Pull } from "../bytes/source.ts";
import { unref } from "../clock.ts";
import { offerPull } from "../receive/body-pull.ts";
import { ownChunk } from "../receive/own-chunks.ts";

type Chunk = Uint8Array<ArrayBuffer>;

/** What may wait to be read before the socket is paused, in bytes. */
const MAX_WAITING_BYTES = 262_144;
/** How long a sender whose body was not read to its end may go on after the answer, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * The body of `incoming`. Nothing is read before somebody asks, and never more than 256 KiB ahead.
 *
 * Who leaves it before its end does not cut the connection, so that an answer can say why; the connection is cut 2 s after the answer if
 * the sender has not come to its end by then.
 */
export function incomingBody(incoming: IncomingMessage, outgoing: ServerResponse): ReadableStream<Chunk> {
  const pull = new IncomingPull(incoming, outgoing);
  const stream = toReadableStream(pull);
  offerPull(stream, pull);
  return stream;
}

class IncomingPull implements Pull<Chunk> {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #waiting: Chunk[] = [];
  #next = 0;
  #waitingBytes = 0;
  #isStarted = false;
  #isPaused = false;
  #isEnded = false;
  #isClosed = false;
  #error: Error | undefined;
  #resolve: ((result: IteratorResult<Chunk, undefined>) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  next(): IteratorResult<Chunk, undefined> | Promise<IteratorResult<Chunk, undefined>> {
    if (this.#isClosed) return DONE;
    if (!this.#isStarted) this.#start();
    const value = this.#waiting[this.#next];
    if (value !== undefined) return { done: false, value: this.#taken(value) };
    if (this.#error !== undefined) throw this.#error;
    if (this.#isEnded) return DONE;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#settle(DONE);
    if (this.#isEnded || this.#error !== undefined) return;
    const incoming = this.#incoming;
    incoming.off("data", this.#onData);
    // Not read on: the answer may be long, and a sender that is held back costs nothing. After it, Node throws the rest away.
    incoming.pause();
    const outgoing = this.#outgoing;
    const cutLater = (): void => {
      unref(setTimeout(() => void (incoming.complete || incoming.destroy()), LINGER_MS));
      incoming.resume();
    };
    if (outgoing.writableFinished) cutLater();
    else outgoing.once("finish", cutLater);
  }

  #start(): void {
    this.#isStarted = true;
    const incoming = this.#incoming;
    incoming.on("data", this.#onData);
    incoming.once("end", this.#onEnd);
    // A sender that leaves ends the stream by an error (ECONNRESET), or by a close without an end.
    incoming.on("error", this.#onError);
    incoming.once("close", this.#onClose);
    if (incoming.errored !== null) this.#onError(incoming.errored);
    else if (incoming.readableEnded) this.#onEnd();
    else if (incoming.destroyed) this.#onClose();
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
    // HTTP/1 makes a buffer of its own for each piece of a body. Another listener may keep it.
    if (this.#incoming.httpVersionMajor === 1 && this.#incoming.listenerCount("data") === 1) ownChunk(chunk);
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
    this.#isEnded = true;
    this.#settle(DONE);
  };

  readonly #onError = (error: Error): void => {
    if (this.#isEnded) return;
    this.#error ??= error;
    const reject = this.#reject;
    this.#resolve = this.#reject = undefined;
    reject?.(this.#error);
  };

  readonly #onClose = (): void => {
    this.#onError(new Error("The connection closed before the body was whole."));
  };

  #settle(result: IteratorResult<Chunk, undefined>): void {
    const resolve = this.#resolve;
    this.#resolve = this.#reject = undefined;
    resolve?.(result);
  }
}
