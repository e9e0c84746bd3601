// Exports that are made apart from any request, into files that can be fetched for a day.

import { join } from "node:path";
import { createExports } from "tailrace/node";
import { dataDir } from "./environment.ts";
import { columnsOf, type ExportInput, filenameOf, objectOf, queryOf, tableOf } from "./export-input.ts";
import { jobs } from "./jobs.ts";
import { type SampleRow, sampleSource } from "./sample/source.ts";
import { mapBatches } from "./sample/map-batches.ts";

/** Finished files go after a day. */
const KEEP_MS = 86_400_000;

export const exports = createExports({
  jobs,
  folder: join(/* turbopackIgnore: true */ dataDir, "exports"),
  keepMs: KEEP_MS,
});

/** A row in an array for CSV, an object for NDJSON. */
type Row = SampleRow | Record<string, unknown>;

export const sampleExports = exports.define<ExportInput, Row, number>("sample", {
  batches: true,
  format: ({ format }) => format,
  csv: ({ table }) => ({ columns: columnsOf(tableOf(table)) as never }),
  endRecord: true,
  filename: filenameOf,
  async total(input) {
    return (await sampleSource()).count(queryOf(input));
  },
  async rows(input, { after }) {
    const source = await sampleSource();
    const query = queryOf(input);
    const done = after === undefined ? 0 : await source.count(query, after);
    const batches = source.batches({ ...query, rowCount: query.rowCount - done }, after);
    return input.format === "csv" ? batches : mapBatches(batches, (row) => objectOf(query.table, row));
  },
  key: (row) => Number(Array.isArray(row) ? row[0] : (row as Record<string, unknown>)["id"]),
});
