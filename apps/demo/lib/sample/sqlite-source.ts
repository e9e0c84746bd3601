// The sample in SQLite as a source of exports.

import { sqliteRows } from "tailrace/export/sqlite";
import { openSample } from "./database.ts";
import { type SampleQuery, type SampleSource, takeRows } from "./source.ts";

export async function sqliteSource(): Promise<SampleSource> {
  const database = await openSample();
  return {
    kind: "sqlite",
    batches(query, after) {
      const { table, filter, rowCount } = query;
      const rows = sqliteRows(database, `SELECT * FROM ${table.name} ${whereOf(filter)}`, {
        key: "id",
        rowMode: "array",
        ...(after === undefined ? {} : { after }),
        params: filter === undefined ? [] : [filter.value],
      });
      return takeRows(rows, rowCount);
    },
    // Asked of the database in one go: the largest table takes some 50 ms.
    async count({ table, filter, rowCount }, upTo = Number.MAX_SAFE_INTEGER) {
      const where = `${whereOf(filter) || "WHERE true"} AND id <= ?`;
      const values = filter === undefined ? [upTo] : [filter.value, upTo];
      const row = database.prepare(`SELECT count(*) AS rows FROM ${table.name} ${where}`).get(...values);
      return Math.min(rowCount, Number(row?.["rows"]));
    },
  };
}

function whereOf(filter: SampleQuery["filter"]): string {
  return filter === undefined ? "" : `WHERE ${filter.column} = ?`;
}
