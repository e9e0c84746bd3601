// Rows by pages along a key: for databases and query builders without a cursor, such as Prisma and Drizzle.

import { TailraceError } from "../errors.ts";
import { cursor } from "./cursor.ts";
import { checkBatchRows } from "./pg-rows.ts";

/** Options of {@link keysetRows}. */
export interface KeysetOptions<Row, Key> {
  /**
   * Reads the next `limit` rows behind the key `after` (from the start where it is undefined), in the order of the key. Hand `signal` on where
   * the driver takes one: it aborts when the reader leaves.
   */
  readonly page: (
    after: Key | undefined,
    limit: number,
    signal: AbortSignal,
  ) => PromiseLike<readonly Row[]> | readonly Row[];
  /** The key of a row: unique, never null, and what the pages are ordered by. The name of a property, or a function. */
  readonly key: keyof Row | ((row: Row) => Key);
  /** Begins behind this key. Default: from the start. */
  readonly after?: Key | undefined;
  /** Rows per page. Default 1,000. */
  readonly batchRows?: number | undefined;
  /** Aborting it ends the reading; whoever asks for the next batch gets its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Rows in batches, one page after the other; nothing is held between two pages, neither a connection nor a transaction. A page that is
 * not full is the last.
 *
 * @throws TailraceError `input_invalid` for a `batchRows` that is no positive whole number. Iterating throws `source_failed` if a key does
 * not move on or is null, or a page is larger than was asked for.
 */
export function keysetRows<Row, Key = unknown>(options: KeysetOptions<Row, Key>): AsyncIterable<readonly Row[]> {
  const { page, key, batchRows = 1_000 } = options;
  checkBatchRows(batchRows);
  const keyOf = typeof key === "function" ? key : (row: Row): Key => row[key] as Key;
  return cursor(() => {
    const controller = new AbortController();
    let after = options.after;
    let isDone = false;
    return Promise.resolve({
      async read() {
        if (isDone) return undefined;
        const rows = await page(after, batchRows, controller.signal);
        isDone = rows.length < batchRows;
        const last = rows.at(-1);
        if (last === undefined) return undefined;
        const next = keyOf(last);
        if (!isDone) checkPage(rows.length, batchRows, next, after);
        after = next;
        return rows;
      },
      close() {
        controller.abort(new DOMException("The reader has left or the rows have ended.", "AbortError"));
        return Promise.resolve();
      },
    });
  }, options.signal);
}

function checkPage(rowCount: number, batchRows: number, next: unknown, after: unknown): void {
  if (rowCount > batchRows) {
    throw new TailraceError(
      "source_failed",
      `A page has ${rowCount} rows, but ${batchRows} were asked for: use the limit.`,
    );
  }
  if (next === undefined || next === null) {
    throw new TailraceError("source_failed", "The last row of a page has no key: a key may never be null.");
  }
  if (same(next, after)) {
    throw new TailraceError(
      "source_failed",
      "A page ends with the key of the one before: read only rows behind `after`.",
    );
  }
}

/** Dates are compared by what they say. */
function same(one: unknown, other: unknown): boolean {
  return one === other || (one instanceof Date && other instanceof Date && one.getTime() === other.getTime());
}
