// Rows that come in batches, given out one at a time: a database answers a thousand at once, and a chunk has its own measure.

import { DONE, isPromiseLike, openSource, type Pull, type Source } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";

/** How a source of rows is read. */
export interface RowSourceOptions {
  /** Whether each item of the source is an array of rows, as the cursors of databases give them. Default false: each item is a row. */
  readonly batches?: boolean | undefined;
}

/** Opens `source` for its rows. @throws TailraceError from `next`: `source_invalid` for a batch that is no array */
export function openRows<T>(source: Source<unknown>, isBatched: boolean): Pull<T> {
  return isBatched ? new RowPull<T>(openSource(source as Source<readonly T[]>)) : (openSource(source) as Pull<T>);
}

class RowPull<T> implements Pull<T> {
  readonly #batches: Pull<readonly T[]>;
  #batch: readonly T[] = [];
  #at = 0;
  #closed = false;

  constructor(batches: Pull<readonly T[]>) {
    this.#batches = batches;
  }

  next(): IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>> {
    while (this.#at >= this.#batch.length) {
      if (this.#closed) return DONE;
      const result = this.#batches.next();
      if (isPromiseLike(result)) return result.then(this.#arrive);
      if (!this.#take(result)) return DONE;
    }
    return { done: false, value: this.#batch[this.#at++] as T };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#batch = [];
    this.#batches.close();
  }

  readonly #arrive = (
    result: IteratorResult<readonly T[], undefined>,
  ): IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>> => (this.#take(result) ? this.next() : DONE);

  /** Whether there is a batch, which may be empty. */
  #take(result: IteratorResult<readonly T[], undefined>): boolean {
    if (result.done === true || this.#closed) return false;
    if (!Array.isArray(result.value)) {
      const message = `With batches: true each item is an array of rows, but one is of type ${typeof result.value}.`;
      throw new TailraceError("source_invalid", message);
    }
    this.#batch = result.value;
    this.#at = 0;
    return true;
  }
}
