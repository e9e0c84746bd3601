import { ndjson } from "tailrace";
import { asChoice, asCount } from "../../../lib/input.ts";
import { route } from "../../../lib/route.ts";
import { openSample, sampleRows } from "../../../lib/sample/database.ts";
import { TABLES } from "../../../lib/sample/tables.ts";

const MAX_ROWS = 1_000_000;
const NAMES = TABLES.map((table) => table.name);

/** Rows of the sample database: `count` of `table`. With `end=1` a last record says that they are all there. */
export const GET = route(async (request) => {
  const query = new URL(request.url).searchParams;
  const count = asCount(query.get("count"), "count", 0, MAX_ROWS) ?? 100;
  const name = asChoice(query.get("table") ?? "events", "table", NAMES);
  const table = TABLES.find((each) => each.name === name)!;
  const database = await openSample();
  return ndjson(request, sampleRows(database, table, count), { endRecord: query.get("end") === "1" });
});
