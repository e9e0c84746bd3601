// The sample database as the routes read it: made on first use, opened once per process, read by pages along its key.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { dataDir } from "../environment.ts";
import { makeSample } from "./make.ts";
import type { SampleTable, Value } from "./tables.ts";

export const sampleFile: string = join(/* turbopackIgnore: true */ dataDir, "sample.db");

/** Rows read at a time: under a millisecond, so that the event loop is never held for long. */
const PAGE_ROWS = 500;

const KEY: unique symbol = Symbol.for("tailrace.demo.sample.1");

/** The sample, opened for reading. `npm start` has made it before; elsewhere the first caller waits for it to be made. */
export function openSample(): Promise<DatabaseSync> {
  const home = globalThis as { [KEY]?: Promise<DatabaseSync> | undefined };
  home[KEY] ??= makeSample(sampleFile).then(
    () => new DatabaseSync(sampleFile, { readOnly: true }),
    (error: unknown) => {
      home[KEY] = undefined; // the next caller tries again
      throw error;
    },
  );
  return home[KEY];
}

/** The first `count` rows of `table`, in the order of their keys. Nothing stays open between two pages. */
export function* sampleRows(
  database: DatabaseSync,
  table: SampleTable,
  count: number,
): Generator<Record<string, Value>, void, undefined> {
  const page = database.prepare(`SELECT * FROM ${table.name} WHERE id > ? ORDER BY id LIMIT ?`);
  let last = 0;
  for (let left = count; left > 0;) {
    const rows = page.all(last, Math.min(PAGE_ROWS, left)) as Record<string, Value>[];
    if (rows.length === 0) return;
    yield* rows;
    left -= rows.length;
    last = Number(rows.at(-1)?.["id"]);
  }
}
