// The sample in PostgreSQL as a source of exports: read through a cursor, which ends when the reader leaves.

import pg from "pg";
import Cursor from "pg-cursor";
import { pgRows } from "tailrace/export/pg";
import { fillPostgres } from "./fill-postgres.ts";
import type { SampleQuery, SampleSource } from "./source.ts";
import type { Column } from "./tables.ts";

const MAX_CONNECTION_COUNT = 8;
/** An export that has waited so long for a connection fails: all of them are taken by readers that are slow. */
const CONNECTION_LIMIT_MS = 10_000;
/** The largest `integer` of PostgreSQL. */
const MAX_KEY = 2_147_483_647;

/** A time in the words of PostgreSQL's to_char. */
const ISO_8601 = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';

export async function postgresSource(url: string): Promise<SampleSource> {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTION_COUNT,
    connectionTimeoutMillis: CONNECTION_LIMIT_MS,
  });
  pool.on("error", console.error); // a connection that waits in the pool was lost: the next query opens another
  await fillPostgres(pool);
  return {
    kind: "postgres",
    batches: (query, after) => {
      const values = query.filter === undefined ? [after ?? 0] : [after ?? 0, query.filter.value];
      const columns = query.table.columns.map(columnOf).join(", ");
      const text = `SELECT ${columns} FROM ${query.table.name} ${whereOf(query)} ORDER BY id LIMIT ${query.rowCount}`;
      return ({ signal }) => pgRows(pool, { text, values }, { cursor: Cursor, rowMode: "array", signal });
    },
    async count(query, upTo = MAX_KEY) {
      const values = query.filter === undefined ? [0, upTo] : [0, query.filter.value, upTo];
      const text = `SELECT count(*) AS rows FROM ${query.table.name} ${whereOf(query)} AND id <= $${values.length}`;
      const { rows } = await pool.query<{ rows: string }>(text, values);
      return Math.min(query.rowCount, Number(rows[0]?.rows));
    },
  };
}

/** Times as the texts that SQLite has: of dates pg would make objects, which takes a third of the time of an export. */
function columnOf({ name, type }: Column): string {
  return type === "time" ? `to_char(${name} AT TIME ZONE 'UTC', '${ISO_8601}') AS ${name}` : name;
}

function whereOf({ filter }: SampleQuery): string {
  return filter === undefined ? "WHERE id > $1" : `WHERE id > $1 AND ${filter.column} = $2`;
}
