// Rows of an SQLite query, in batches short enough that the event loop is never held for long.

import { TailraceError } from "../errors.ts";

/** `DatabaseSync` of node:sqlite or `Database` of better-sqlite3. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
}

/** A prepared statement of either. */
export interface SqliteStatement {
  all(...values: never[]): unknown[];
  iterate(...values: never[]): Iterable<unknown>;
  columns(): readonly { readonly name: string }[];
  /** node:sqlite. */
  setReturnArrays?(isOn: boolean): void;
  /** better-sqlite3. */
  raw?(isOn: boolean): unknown;
}

/** Options of {@link sqliteRows}. */
export interface SqliteRowsOptions {
  /**
   * The column of the result that pages are read along: unique, never null, and best with an index. Nothing stays open between two pages, so
   * that the database can be written meanwhile; rows that change while they are exported come as they are when their page is read.
   * Default: none; the query then runs as one, and stays open to its end.
   */
  readonly key?: string | undefined;
  /** With `key`: begins behind this key. Default: from the start. */
  readonly after?: string | number | bigint | undefined;
  /** Rows per batch, and between two turns of the event loop at most. Default 500, some 0.3 ms. */
  readonly batchRows?: number | undefined;
  /** The values of the `?` in the query. */
  readonly params?: readonly unknown[] | undefined;
  /** `array`: rows as arrays of values, which is faster; hand `columns` on to `csv`. Default `object`. */
  readonly rowMode?: "object" | "array" | undefined;
}

/** What {@link sqliteRows} gives. */
export interface SqliteRows<Row> extends Iterable<readonly Row[]> {
  /** The names of the columns, for `csv` and rows that are arrays. */
  readonly columns: readonly string[];
}

/**
 * The rows of `sql`, in batches, for `csv` and `ndjson` with `batches: true`, which let others have the event loop between two chunks. With
 * `key` the query is read by pages: it must neither limit nor order itself, as each page asks it for the rows behind a key.
 *
 * @throws TailraceError `input_invalid` for a `batchRows` that is no positive whole number, a `key` that is no column of the result, or
 * arrays from a database that has none; what the driver throws for SQL that it does not take.
 */
export function sqliteRows<Row extends readonly unknown[] = readonly unknown[]>(
  database: SqliteDatabase,
  sql: string,
  options: SqliteRowsOptions & { readonly rowMode: "array" },
): SqliteRows<Row>;
export function sqliteRows<Row extends object = Record<string, unknown>>(
  database: SqliteDatabase,
  sql: string,
  options?: SqliteRowsOptions,
): SqliteRows<Row>;
export function sqliteRows(
  database: SqliteDatabase,
  sql: string,
  options: SqliteRowsOptions = {},
): SqliteRows<unknown> {
  const { key, batchRows = 500 } = options;
  if (!Number.isSafeInteger(batchRows) || batchRows < 1) {
    throw invalid(`batchRows must be a whole number of at least 1 row, not ${batchRows}.`);
  }
  const columns = database
    .prepare(sql)
    .columns()
    .map(({ name }) => name);
  if (key !== undefined && !columns.includes(key)) {
    throw invalid(`The key ${JSON.stringify(key)} is no column of the query, which has ${columns.join(", ")}.`);
  }
  const query: Query = { database, sql, batchRows, params: options.params ?? [], isArray: options.rowMode === "array" };
  return {
    columns,
    [Symbol.iterator]: () =>
      key === undefined
        ? slices(query)
        : pages(query, { name: key, place: columns.indexOf(key), after: options.after }),
  };
}

interface Query {
  readonly database: SqliteDatabase;
  readonly sql: string;
  readonly batchRows: number;
  readonly params: readonly unknown[];
  readonly isArray: boolean;
}

interface Key {
  readonly name: string;
  readonly place: number;
  readonly after: unknown;
}

/** Each page is a query of its own, run to its end before it is given: leaving needs no clean-up. */
function* pages(query: Query, { name, place, after }: Key): Generator<readonly unknown[], void, undefined> {
  const { batchRows, params, isArray } = query;
  const column = `"${name.replaceAll('"', '""')}"`;
  const order = `ORDER BY ${column} LIMIT ?`;
  const prepare = (where: string): SqliteStatement => prepared(query, `SELECT * FROM (${query.sql}) ${where} ${order}`);
  let next: SqliteStatement | undefined;
  for (let last = after; ;) {
    const rows =
      last === undefined
        ? all(prepare(""), [...params, batchRows])
        : all((next ??= prepare(`WHERE ${column} > ?`)), [...params, last, batchRows]);
    if (rows.length > 0) yield rows;
    if (rows.length < batchRows) return;
    const row = rows.at(-1);
    last = isArray ? (row as readonly unknown[])[place] : (row as Readonly<Record<string, unknown>>)[name];
    if (last === null || last === undefined) {
      throw new TailraceError(
        "source_failed",
        `The key ${JSON.stringify(name)} is null in a row: a key may never be null.`,
      );
    }
  }
}

/** One query, step by step. The loop gives the statement back on every way out. */
function* slices(query: Query): Generator<readonly unknown[], void, undefined> {
  const { batchRows, params } = query;
  let rows: unknown[] = [];
  for (const row of prepared(query, query.sql).iterate(...(params as never[]))) {
    rows.push(row);
    if (rows.length < batchRows) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

function prepared({ database, isArray }: Query, sql: string): SqliteStatement {
  const statement = database.prepare(sql);
  if (!isArray) return statement;
  if (statement.setReturnArrays !== undefined) statement.setReturnArrays(true);
  else if (statement.raw !== undefined) statement.raw(true);
  else throw invalid('This database has no rows that are arrays: leave rowMode: "array" out.');
  return statement;
}

function all(statement: SqliteStatement, values: readonly unknown[]): readonly unknown[] {
  return statement.all(...(values as never[]));
}

function invalid(message: string): TailraceError {
  return new TailraceError("input_invalid", message);
}
