// A pull of bytes, coded: one chunk of the source per demand, flushed, and no end where the source came to none.

import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE, isPromiseLike } from "../bytes/source.ts";
import { afterTurn } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { openReplies, type OpenReply } from "../reply/open-replies.ts";
import { report } from "../trace.ts";
import type { Coder } from "./compress-coder.ts";

type ByteResult = IteratorResult<Chunk, undefined>;

interface Waiter {
  resolve(result: ByteResult): void;
  reject(error: unknown): void;
}

/**
 * The same chunks, each coded and flushed. Counts as an open reply of its own, so that a shutdown also waits for what the
 * coder still has to say.
 */
export class CompressedPull implements BytePull, OpenReply {
  readonly #signal: AbortSignal;
  readonly #inner: BytePull;
  readonly #makeCoder: () => Coder;
  /** Made with the first byte: a reply that is never read, or silent, costs no memory outside of JavaScript. */
  #coder: Coder | undefined;
  #waiter: Waiter | undefined;
  #isOpen = false;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(signal: AbortSignal, inner: BytePull, makeCoder: () => Coder) {
    this.#signal = signal;
    this.#inner = inner;
    this.#makeCoder = makeCoder;
  }

  next(): ByteResult | Promise<ByteResult> {
    if (!this.#isOpen) this.#open();
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#isEnded) return DONE;
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#pull();
    });
  }

  close = (): void => {
    this.#end();
    this.#settle(DONE);
  };

  wind(): void {
    // The reply inside says its farewell, which passes through here like anything else.
  }

  cut(): void {
    this.#fail(new TailraceError("closed", "The server shut down before the reply had ended."));
  }

  #open(): void {
    this.#isOpen = true;
    if (this.#isEnded) return;
    // Some hosts abort the request's signal and never cancel the body; others do it the other way round.
    if (this.#signal.aborted) this.close();
    else {
      this.#signal.addEventListener("abort", this.close, { once: true });
      openReplies().add(this);
    }
  }

  #pull(): void {
    try {
      const result = this.#inner.next();
      if (isPromiseLike(result)) result.then(this.#take, this.#fail);
      else this.#take(result);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #take = (result: ByteResult): void => {
    if (this.#isEnded) return; // the reader left meanwhile
    if (result.done !== true && result.value.byteLength === 0) {
      this.#settle(result); // nothing to code; it makes the host send its headers
      return;
    }
    try {
      const coder = (this.#coder ??= this.#makeCoder());
      if (result.done === true) {
        coder.end((error, trailer) => {
          this.#coded(error, trailer);
          this.#end();
        });
      } else {
        const chunk = result.value;
        coder.write(chunk, (error, coded) => {
          if (error === undefined) this.#inner.recycle?.(chunk);
          this.#coded(error, coded);
        });
      }
    } catch (error) {
      this.#coderFailed(error);
    }
  };

  readonly #coded = (error: Error | undefined, value: Chunk): void => {
    if (this.#isEnded) return;
    if (error === undefined) this.#settle({ done: false, value });
    else this.#coderFailed(error);
  };

  #coderFailed(error: unknown): void {
    report("compress", error);
    this.#fail(error);
  }

  /** Without the trailer, and so that the host cuts the connection: the reader's decoder sees that this was not the whole. */
  readonly #fail = (error: unknown): void => {
    if (this.#isEnded) return;
    this.#end();
    this.#failure = { error };
    const waiter = this.#waiter;
    this.#waiter = undefined;
    // A turn later, as a host that destroys its socket takes along what it was given in this one.
    if (waiter !== undefined) afterTurn(() => waiter.reject(error));
  };

  #settle(result: ByteResult): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.resolve(result);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#signal.removeEventListener("abort", this.close);
    openReplies().delete(this);
    this.#coder?.destroy();
    this.#coder = undefined;
    this.#inner.close();
  }
}
