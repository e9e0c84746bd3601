// Rows of a PostgreSQL query through pg-cursor: a batch at a time, one ahead, and nothing left behind.

import { TailraceError } from "../errors.ts";
import { cursor, type Reader } from "./cursor.ts";
import { isQueryError, lease, type PgLease } from "./pg-lease.ts";
import type { PgClient, PgCursor, PgCursorClass, PgPool, PgQuery } from "./pg-types.ts";
import { settled } from "./settle.ts";

/** Options of {@link pgRows}. */
export interface PgRowsOptions {
  /** The class `Cursor` of the package `pg-cursor`. */
  readonly cursor: PgCursorClass;
  /** Rows per batch. At most two batches are held: the one being written, and the next. Default 1,000. */
  readonly batchRows?: number | undefined;
  /** `array`: rows as arrays of values, which is faster; name the columns in `csv`. Default `object`. */
  readonly rowMode?: "object" | "array" | undefined;
  /** Aborting it stops the query; whoever asks for the next batch gets its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A read that is nearly done is waited for, so that the connection can be used again; then the query is cancelled. In milliseconds. */
const GRACE_MS = 50;
/** How long the server may take to end a query that was cancelled or closed, in milliseconds. Then the connection is dropped. */
const END_LIMIT_MS = 2_000;
/** SQLSTATE of a query that was cancelled. */
const QUERY_CANCELED = "57014";

/**
 * The rows of `query`, in batches, for `csv` and `ndjson` with `batches: true`, or for a loop. A pool's connection is taken when the first
 * batch is asked for, and given back on every way out. When the reader leaves, the query is cancelled on the server.
 *
 * @throws TailraceError `input_invalid` for a `batchRows` that is no positive whole number. Iterating throws what `pg` throws.
 */
export function pgRows<Row extends readonly unknown[] = readonly unknown[]>(
  from: PgPool | PgClient,
  query: PgQuery,
  options: PgRowsOptions & { readonly rowMode: "array" },
): AsyncIterable<readonly Row[]>;
export function pgRows<Row extends object = Record<string, unknown>>(
  from: PgPool | PgClient,
  query: PgQuery,
  options: PgRowsOptions,
): AsyncIterable<readonly Row[]>;
export function pgRows(
  from: PgPool | PgClient,
  query: PgQuery,
  options: PgRowsOptions,
): AsyncIterable<readonly unknown[]> {
  const batchRows = checkBatchRows(options.batchRows ?? 1_000);
  const { text, values = [] } = typeof query === "string" ? { text: query } : query;
  // The shapes of `never` keep the types of `pg` out of ours; this is what stands behind them.
  const Cursor = options.cursor as unknown as new (
    text: string,
    values: readonly unknown[],
    config: object,
  ) => PgCursor;
  return cursor(async () => {
    const connection = await lease(from);
    const config = options.rowMode === "array" ? { rowMode: "array" } : {};
    try {
      const opened = connection.client.query(new Cursor(text, values, config) as never) as PgCursor;
      return new RowReader(connection, opened, batchRows);
    } catch (error) {
      connection.drop();
      throw error;
    }
  }, options.signal);
}

/** @throws TailraceError `input_invalid` */
export function checkBatchRows(batchRows: number): number {
  if (Number.isSafeInteger(batchRows) && batchRows >= 1) return batchRows;
  throw new TailraceError("input_invalid", `batchRows must be a whole number of at least 1 row, not ${batchRows}.`);
}

class RowReader implements Reader<readonly unknown[]> {
  readonly #lease: PgLease;
  readonly #cursor: PgCursor;
  readonly #batchRows: number;
  /** The server makes the next batch while this one is written. */
  #ahead: Promise<unknown[]> | undefined;
  #isDone = false;

  constructor(connection: PgLease, opened: PgCursor, batchRows: number) {
    this.#lease = connection;
    this.#cursor = opened;
    this.#batchRows = batchRows;
  }

  async read(): Promise<readonly unknown[] | undefined> {
    if (this.#isDone) return undefined;
    const rows = await (this.#ahead ?? this.#cursor.read(this.#batchRows));
    this.#ahead = undefined;
    this.#isDone = rows.length < this.#batchRows;
    if (!this.#isDone) {
      this.#ahead = this.#cursor.read(this.#batchRows);
      this.#ahead.catch(() => undefined); // whoever reads it is told
    }
    return rows.length === 0 ? undefined : rows;
  }

  async close({ pending, error }: Parameters<Reader<unknown>["close"]>[0]): Promise<void> {
    if (error !== undefined) return isQueryError(error) ? this.#lease.release() : this.#lease.drop();
    if (this.#isDone) return this.#lease.release();
    const reading = this.#ahead ?? pending;
    let state = reading === undefined ? undefined : await settled(reading, GRACE_MS);
    if (reading !== undefined && state?.is === "late") {
      await this.#lease.cancel();
      state = await settled(reading, END_LIMIT_MS);
      // A cancellation that came too late for this query might meet the next one on the connection.
      const isCancelled = state.is === "rejected" && codeOf(state.error) === QUERY_CANCELED;
      return isCancelled ? this.#lease.release() : this.#lease.drop();
    }
    if (state?.is === "rejected") return isQueryError(state.error) ? this.#lease.release() : this.#lease.drop();
    const closing = await settled(this.#cursor.close(), END_LIMIT_MS);
    return closing.is === "resolved" ? this.#lease.release() : this.#lease.drop();
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
