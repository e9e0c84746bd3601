// Puts the sample into PostgreSQL, once, by COPY: all of it in one transaction, so that it is whole or not there.

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { createCsvEncoder } from "tailrace/wire";
import type { OnRows } from "./make.ts";
import { allRowCount, TABLES, type ColumnType, type SampleTable } from "./tables.ts";

/** Rows per piece that is sent. */
const PIECE_ROWS = 1_000;
/** Of the advisory lock: two instances that start at once fill one after the other. */
const LOCK = 7_461_696;

const POSTGRES_TYPES: Readonly<Record<ColumnType, string>> = {
  whole: "integer",
  real: "double precision",
  text: "text",
  time: "timestamptz",
  flag: "boolean",
};

/** Makes and fills the tables unless they are there. */
export async function fillPostgres(pool: pg.Pool, onRows: OnRows = () => undefined): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    const last = TABLES.at(-1)!;
    const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [last.name]);
    if (rows[0]?.there !== true) {
      let doneRows = 0;
      for (const table of TABLES) await fill(client, table, (count) => onRows((doneRows += count), allRowCount));
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function fill(client: pg.PoolClient, table: SampleTable, onRows: (count: number) => void): Promise<void> {
  const columns = table.columns.map(({ name, type }) => `${name} ${POSTGRES_TYPES[type]}`);
  await client.query(`CREATE TABLE ${table.name} (${columns.join(", ")})`);
  const target = client.query(copyFrom(`COPY ${table.name} FROM STDIN (FORMAT csv)`));
  await pipeline(Readable.from(piecesOf(table, onRows)), target);
  await client.query(`ALTER TABLE ${table.name} ADD PRIMARY KEY (id)`);
  await client.query(`ANALYZE ${table.name}`);
}

function* piecesOf(table: SampleTable, onRows: (count: number) => void): Generator<string, void> {
  const encoder = createCsvEncoder({ header: false, lineEnd: "\n" });
  for (let first = 1; first <= table.rowCount; first += PIECE_ROWS) {
    const last = Math.min(table.rowCount, first + PIECE_ROWS - 1);
    let text = "";
    for (let id = first; id <= last; id++) text += encoder.encode(table.row(id));
    onRows(last - first + 1);
    yield text;
  }
}
