// Where the rows of an export come from: the SQLite sample, or PostgreSQL with the same rows. Both give arrays, in the order of the key.

import type { Source } from "tailrace";
import type { SampleTable } from "./tables.ts";

/** Which rows. */
export interface SampleQuery {
  readonly table: SampleTable;
  /** Only rows with this value in this column. Both come from a list, never from a request. */
  readonly filter: { readonly column: string; readonly value: string } | undefined;
  /** The most rows. */
  readonly rowCount: number;
}

/** A row, in the order of the table's columns. */
export type SampleRow = readonly unknown[];

export interface SampleSource {
  readonly kind: "sqlite" | "postgres";
  /** The first `rowCount` rows behind the key `after`. */
  batches(query: SampleQuery, after?: number): Source<readonly SampleRow[]>;
  /** How many rows there are up to the key `upTo`, at most `rowCount`. */
  count(query: SampleQuery, upTo?: number): Promise<number>;
}

const KEY: unique symbol = Symbol.for("tailrace.demo.sample-source.1");

/** PostgreSQL where `DATABASE_URL` names one, else the SQLite file. Filled on first use. */
export function sampleSource(): Promise<SampleSource> {
  const home = globalThis as { [KEY]?: Promise<SampleSource> | undefined };
  const url = process.env["DATABASE_URL"];
  home[KEY] ??= (url ? openPostgres(url) : openSqlite()).catch((error: unknown) => {
    home[KEY] = undefined; // the next caller tries again
    throw error;
  });
  return home[KEY];
}

async function openSqlite(): Promise<SampleSource> {
  const { sqliteSource } = await import("./sqlite-source.ts");
  return sqliteSource();
}

async function openPostgres(url: string): Promise<SampleSource> {
  const { postgresSource } = await import("./postgres-source.ts");
  return postgresSource(url);
}

/** The first `count` rows of `batches`. */
export function* takeRows<Row>(batches: Iterable<readonly Row[]>, count: number): Generator<readonly Row[], void> {
  let left = count;
  for (const batch of batches) {
    if (left <= 0) return;
    yield batch.length <= left ? batch : batch.slice(0, left);
    left -= batch.length;
  }
}
