import { csv, ndjson } from "tailrace";
import { columnsOf, filenameOf, objectOf, queryOf, readExportInput } from "../../../lib/export-input.ts";
import { route } from "../../../lib/route.ts";
import { mapBatches } from "../../../lib/sample/map-batches.ts";
import { sampleSource } from "../../../lib/sample/source.ts";

/** Rows straight from the cursor, as a file to save. */
export const GET = route(async (request) => {
  const input = readExportInput(Object.fromEntries(new URL(request.url).searchParams));
  const query = queryOf(input);
  const { table } = query;
  const batches = (await sampleSource()).batches(query);
  const filename = filenameOf(input);
  if (input.format === "csv") return csv(request, batches, { batches: true, columns: columnsOf(table), filename });
  const rows = mapBatches(batches, (row) => objectOf(table, row));
  return ndjson(request, rows, { batches: true, filename, endRecord: true });
});
