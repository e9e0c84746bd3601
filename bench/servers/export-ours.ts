// Exports by ourselves: `export-ours.ts arrays|objects|sqlite|copy|cursor [FILE or URL]`.

import { createRequire } from "node:module";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { pgCopy, pgRows, type PgCursorClass } from "../../src/export-pg.ts";
import { sqliteRows } from "../../src/export-sqlite.ts";
import { createListener, type Handler } from "../../src/node/listener.ts";
import { csvBytes } from "../../src/reply/csv-bytes.ts";
import { csv } from "../../src/reply/csv.ts";
import { arrays, COLUMNS, objects } from "./export-rows.ts";
import { countIn, serveExport } from "./export-stats.ts";

const [kind = "", place = ""] = process.argv.slice(2);
const require = createRequire(import.meta.url);

function handlerOf(): Handler {
  switch (kind) {
    case "arrays":
      return (request) => csv(request, arrays(countIn(request.url)), { columns: COLUMNS });
    case "objects":
      return (request) => csv(request, objects(countIn(request.url)), { columns: COLUMNS });
    case "sqlite": {
      const database = new DatabaseSync(place, { readOnly: true });
      return (request) => {
        const sql = "SELECT * FROM events WHERE id <= ?";
        const params = [countIn(request.url)];
        const rows = sqliteRows(database, sql, { key: "id", rowMode: "array", params });
        return csv(request, rows, { batches: true, columns: rows.columns });
      };
    }
    case "copy":
    case "cursor": {
      const pool = new pg.Pool({ connectionString: place });
      const cursor = require("pg-cursor") as PgCursorClass;
      const sql = (request: Request): string => `SELECT * FROM people WHERE id <= ${countIn(request.url)}`;
      if (kind === "copy") return (request) => csvBytes(request, pgCopy(pool, sql(request)));
      return (request) =>
        csv(request, pgRows(pool, sql(request), { cursor, rowMode: "array" }), { batches: true, columns: COLUMNS });
    }
    default:
      throw new Error(`There is no export called "${kind}".`);
  }
}

serveExport(createListener(handlerOf()));
