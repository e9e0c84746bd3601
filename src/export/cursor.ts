// A query as an iterable whose `return` acts at once: an async generator would queue it behind a read that may take hours.

import { report } from "../trace.ts";

/** A query that has been opened. */
export interface Reader<T> {
  /** What comes next; undefined at the end. Never called again before it has answered. */
  read(): Promise<T | undefined>;
  /**
   * Gives back everything that is held. Called once, on every way out. `pending` is the read that is still under way because the reader
   * has left, and `error` what a read threw.
   */
  close(way: { readonly pending?: Promise<unknown> | undefined; readonly error?: unknown }): Promise<void>;
}

/** Opens the query. Called at the first demand. */
export type OpenReader<T> = () => Promise<Reader<T>>;

/** An iterable that asks the database anew each time it is iterated. */
export function cursor<T>(open: OpenReader<T>, signal?: AbortSignal): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new Cursor(open, signal) };
}

type Result<T> = IteratorResult<T, undefined>;

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

class Cursor<T> implements AsyncIterator<T, undefined> {
  readonly #open: OpenReader<T>;
  readonly #signal: AbortSignal | undefined;
  #reader: Reader<T> | undefined;
  #pending: Promise<unknown> | undefined;
  /** Ends the `next` that is being waited for. */
  #settle: ((end: { readonly error: unknown } | undefined) => void) | undefined;
  #closing: Promise<void> | undefined;
  #isEnded = false;
  /** An abort between two batches: whoever asks for the next is told, as an end would pass for the whole. */
  #failure: { readonly error: unknown } | undefined;

  constructor(open: OpenReader<T>, signal: AbortSignal | undefined) {
    this.#open = open;
    this.#signal = signal;
  }

  next(): Promise<Result<T>> {
    if (this.#settle !== undefined)
      return Promise.reject(new TypeError("Wait for one batch before asking for the next."));
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure.error);
    if (this.#isEnded) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#settle = (end) => {
        this.#settle = undefined;
        if (end === undefined) resolve(DONE);
        else reject(end.error);
      };
      void this.#step().then(
        (value) => {
          if (this.#settle === undefined) return; // the reader has left meanwhile
          if (value === undefined) return this.#settle(undefined);
          this.#settle = undefined;
          resolve({ done: false, value });
        },
        (error: unknown) => this.#settle?.({ error }),
      );
    });
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#end();
    await this.#closing;
    return DONE;
  }

  async #step(): Promise<T | undefined> {
    try {
      if (this.#reader === undefined) {
        this.#signal?.throwIfAborted();
        this.#signal?.addEventListener("abort", this.#abort, { once: true });
        const reader = await this.#open();
        this.#reader = reader;
        if (this.#isEnded) {
          // It left while a connection was being waited for.
          await this.#close({});
          return undefined;
        }
      }
      const reading = this.#reader.read();
      this.#pending = reading;
      const value = await reading;
      this.#pending = undefined;
      if (value === undefined && !this.#isEnded) await this.#finish({});
      return value;
    } catch (error) {
      this.#pending = undefined;
      if (!this.#isEnded) await this.#finish({ error });
      throw error;
    }
  }

  readonly #abort = (): void => {
    const failure = { error: this.#signal?.reason as unknown };
    if (this.#settle === undefined) this.#failure = failure;
    else this.#settle(failure);
    this.#end();
  };

  /** The reader leaves. */
  #end(): void {
    if (this.#isEnded) return;
    const pending = this.#pending;
    pending?.catch(() => undefined); // nobody waits for it any more
    void this.#finish({ pending });
    this.#settle?.(undefined);
  }

  #finish(way: Parameters<Reader<T>["close"]>[0]): Promise<void> {
    this.#isEnded = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    return this.#close(way);
  }

  /** What goes wrong here is not the reader's concern, who has what it asked for, or has left. */
  #close(way: Parameters<Reader<T>["close"]>[0]): Promise<void> {
    const reader = this.#reader;
    if (reader === undefined) return Promise.resolve();
    this.#closing ??= reader.close(way).catch((error: unknown) => report("export", error));
    return this.#closing;
  }
}
