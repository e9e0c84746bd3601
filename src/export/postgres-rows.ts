// Rows of a query of postgres.js: its cursor, left in good order on every way out.

import { cursor } from "./cursor.ts";
import { checkBatchRows } from "./pg-rows.ts";
import { settled } from "./settle.ts";

/** A query of postgres.js that has not been awaited, as sql`select ...`. */
export interface PostgresQuery<Row> extends PromiseLike<readonly Row[]> {
  cursor(rows: number): AsyncIterable<readonly unknown[]>;
  cancel(): unknown;
}

/** Options of {@link postgresRows}. */
export interface PostgresRowsOptions {
  /** Rows per batch. Default 1,000. */
  readonly batchRows?: number | undefined;
  /** Aborting it stops the query; whoever asks for the next batch gets its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A read that is nearly done is waited for, so that the cursor can be closed; then the query is cancelled. In milliseconds. */
const GRACE_MS = 50;

/**
 * The rows of a query of postgres.js, in batches. With `.values()` on the query they are arrays. When the reader leaves, the query is
 * cancelled on the server, also where it has not given its first row. A query runs once, so this iterates once.
 *
 * @throws TailraceError `input_invalid` for a `batchRows` that is no positive whole number
 */
export function postgresRows<Row>(
  query: PostgresQuery<Row>,
  options: PostgresRowsOptions = {},
): AsyncIterable<readonly Row[]> {
  const batchRows = checkBatchRows(options.batchRows ?? 1_000);
  return cursor(() => {
    const batches = query.cursor(batchRows)[Symbol.asyncIterator]();
    return Promise.resolve({
      async read() {
        const result = await batches.next();
        return result.done === true ? undefined : (result.value as readonly Row[]);
      },
      async close({ pending }) {
        if (pending !== undefined && (await settled(pending, GRACE_MS)).is === "late") query.cancel();
        await batches.return?.();
      },
    });
  }, options.signal);
}
