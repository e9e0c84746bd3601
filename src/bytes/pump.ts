// Moves items from a pull to whoever wants them, one at a time, without a promise for those that are ready.

import { isPromiseLike, type Pull } from "./source.ts";

/** What a pump fills. */
export interface Sink<T> {
  /** Whether another item may come now. */
  wants(): boolean;
  /** Takes an item, or the end. Must not throw. An answer may still come when nothing is wanted any more. */
  take(result: IteratorResult<T, undefined>): void;
  /** Takes the source's failure, which is its end. */
  fail(error: unknown): void;
  /** Called when an item that had to be waited for, and all that was ready behind it, has been taken. */
  arrived(): void;
}

/** Pulls while the sink wants more. There is never more than one `next` under way. */
export class Pump<T> {
  readonly #source: Pull<T>;
  readonly #sink: Sink<T>;
  #isPulling = false;

  constructor(source: Pull<T>, sink: Sink<T>) {
    this.#source = source;
    this.#sink = sink;
  }

  /** Takes items until the sink is content, the source has nothing ready, or it has ended. */
  run(): void {
    while (!this.#isPulling && this.#sink.wants()) {
      let result: IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>>;
      try {
        result = this.#source.next();
      } catch (error) {
        this.#sink.fail(error);
        return;
      }
      if (isPromiseLike(result)) {
        this.#isPulling = true;
        result.then(this.#arrive, this.#reject);
        return;
      }
      this.#sink.take(result);
    }
  }

  // Bound once: one closure per pump instead of two per item.
  readonly #arrive = (result: IteratorResult<T, undefined>): void => {
    this.#isPulling = false;
    this.#sink.take(result);
    this.run();
    this.#sink.arrived();
  };

  readonly #reject = (error: unknown): void => {
    this.#isPulling = false;
    this.#sink.fail(error);
    this.#sink.arrived();
  };
}
