// Makes the sample database as an SQLite file, once: under another name first, so that a file of its name is always whole.

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { allRowCount, TABLES, type ColumnType, type SampleTable } from "./tables.ts";

/** Rows written between two turns of the event loop, so that a server that makes the sample still answers. */
const ROWS_PER_TURN = 1_000;

const SQLITE_TYPES: Readonly<Record<ColumnType, string>> = {
  whole: "INTEGER",
  real: "REAL",
  text: "TEXT",
  time: "TEXT",
  flag: "INTEGER",
};

/** How far the making has come, in rows of all tables. */
export type OnRows = (doneRows: number, allRows: number) => void;

/** Makes the file at `path` unless it is there. Two processes that do so at once both succeed: the rows are the same. */
export async function makeSample(path: string, onRows: OnRows = () => undefined): Promise<void> {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}.unfinished`;
  rmSync(unfinished, { force: true });
  const database = new DatabaseSync(unfinished);
  try {
    // Nothing to lose: a making that is cut off is made anew.
    database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE");
    let doneRows = 0;
    for (const table of TABLES) {
      await fill(database, table, (rows) => onRows((doneRows += rows), allRowCount));
    }
    database.close();
    renameSync(unfinished, path);
  } catch (error) {
    if (database.isOpen) database.close();
    rmSync(unfinished, { force: true });
    throw error;
  }
}

async function fill(database: DatabaseSync, table: SampleTable, onRows: (rows: number) => void): Promise<void> {
  const columns = table.columns.map(
    ({ name, type }) => `${name} ${SQLITE_TYPES[type]}${name === "id" ? " PRIMARY KEY" : ""}`,
  );
  database.exec(`CREATE TABLE ${table.name} (${columns.join(", ")}) STRICT`);
  const places = table.columns.map(() => "?").join(", ");
  const insert = database.prepare(`INSERT INTO ${table.name} VALUES (${places})`);
  database.exec("BEGIN");
  for (let first = 1; first <= table.rowCount; first += ROWS_PER_TURN) {
    const last = Math.min(table.rowCount, first + ROWS_PER_TURN - 1);
    for (let id = first; id <= last; id++) insert.run(...table.row(id));
    onRows(last - first + 1);
    await turn();
  }
  database.exec("COMMIT");
}
