// The SQLite file: opened, checked and brought to the current schema; every fault becomes one clear error.

import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TailraceError } from "../errors.ts";
import { makeFolder } from "./sqlite-folder.ts";

/** "tail" in ASCII: marks the file as ours (PRAGMA application_id). */
const APPLICATION_ID = 0x7461696c;

/** Raised with every change of the tables; each step below brings a file from the version before. */
export const SCHEMA_VERSION = 2;

const STEPS: readonly string[] = [
  `CREATE TABLE streams (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     config TEXT NOT NULL,
     content_type TEXT NOT NULL,
     start INTEGER NOT NULL,
     tail INTEGER NOT NULL,
     bytes INTEGER NOT NULL DEFAULT 0,
     expires_at INTEGER,
     end_reason TEXT,
     end_message TEXT,
     owner TEXT,
     epoch INTEGER NOT NULL DEFAULT 0,
     stop_requested INTEGER NOT NULL DEFAULT 0,
     version INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX streams_by_version ON streams (version);
   CREATE INDEX streams_by_expiry ON streams (expires_at) WHERE expires_at IS NOT NULL;
   CREATE INDEX streams_by_owner ON streams (owner) WHERE owner IS NOT NULL AND end_reason IS NULL;
   CREATE TABLE items (
     stream INTEGER NOT NULL,
     sequence INTEGER NOT NULL,
     at INTEGER NOT NULL,
     size INTEGER NOT NULL,
     payload ANY NOT NULL,
     PRIMARY KEY (stream, sequence)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE producers (
     stream INTEGER NOT NULL,
     producer TEXT NOT NULL,
     epoch INTEGER NOT NULL,
     seq INTEGER NOT NULL,
     PRIMARY KEY (stream, producer)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE leases (
     owner TEXT PRIMARY KEY,
     until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE counters (
     name TEXT PRIMARY KEY,
     value INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   INSERT INTO counters VALUES ('version', 0), ('floor', 0);`,
  // Runs that can be carried on. Columns of `streams` only: a process of the version before that has the file open while it is
  // brought up to date names those it writes, and goes on.
  `ALTER TABLE streams ADD COLUMN carry_on TEXT;
   ALTER TABLE streams ADD COLUMN carry_within INTEGER;
   ALTER TABLE streams ADD COLUMN released_at INTEGER;
   ALTER TABLE streams ADD COLUMN tries INTEGER;
   ALTER TABLE streams ADD COLUMN tries_tail INTEGER;`,
];

/** What an acknowledged append has survived: the death of the process (`process`), or of the machine too (`disk`). */
export type Durability = "process" | "disk";

/** Milliseconds that a statement may wait for another process before the commit is tried again later. */
const BUSY_WAIT_MS = 20;

/**
 * Opens the file at `path`, making it and its folder if need be.
 *
 * @throws {TailraceError} `store_unavailable` if it cannot be opened or written, `store_newer` if a newer version of
 *   Tailrace wrote it, `store_damaged` if it is no database or another program's. Nothing is overwritten then.
 */
export function openDatabase(path: string, durability: Durability): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    makeFolder(dirname(resolve(path)), durability === "disk");
    database = new DatabaseSync(path, { timeout: 5_000 });
    prepareFile(database, path);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(`PRAGMA synchronous = ${durability === "disk" ? "FULL" : "NORMAL"}`);
    database.exec(`PRAGMA busy_timeout = ${BUSY_WAIT_MS}`);
    return database;
  } catch (error) {
    database?.close();
    throw openError(error, path);
  }
}

function prepareFile(database: DatabaseSync, path: string): void {
  // IMMEDIATE also proves that the file can be written, and lets only one of several starting processes make the tables.
  database.exec("BEGIN IMMEDIATE");
  const version = pragma(database, "user_version");
  const application = pragma(database, "application_id");
  const tables = Number(database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.["tables"]);
  if (application !== APPLICATION_ID && (tables > 0 || version > 0)) {
    const message = `${path} is another program's SQLite database; name another file or move this one away.`;
    throw new TailraceError("store_damaged", message);
  }
  if (version > SCHEMA_VERSION) {
    const message = `${path} was written by a newer version of Tailrace (schema ${version}, this one knows ${SCHEMA_VERSION}); update Tailrace or name another file.`;
    throw new TailraceError("store_newer", message);
  }
  for (const step of STEPS.slice(version)) database.exec(step);
  if (version < SCHEMA_VERSION) {
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
  }
  database.exec("COMMIT");
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function openError(error: unknown, path: string): TailraceError {
  if (error instanceof TailraceError) return error;
  if (isSqliteError(error, SQLITE_NOTADB, SQLITE_CORRUPT)) return damaged(path, error);
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${path} cannot be opened for writing (${reason}); check the folder and its permissions.`;
  return new TailraceError("store_unavailable", message, { cause: error });
}

/** What a fault in the middle of work becomes. */
export function workError(error: unknown, path: string): TailraceError {
  if (error instanceof TailraceError) return error;
  if (isSqliteError(error, SQLITE_NOTADB, SQLITE_CORRUPT)) return damaged(path, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new TailraceError("store_unavailable", `${path} could not be read or written (${reason}); try again.`, {
    cause: error,
  });
}

function damaged(path: string, cause: unknown): TailraceError {
  const message = `${path} is damaged or is no SQLite database; restore it from a copy, or move it away to begin anew.`;
  return new TailraceError("store_damaged", message, { cause });
}

export const SQLITE_BUSY = 5;
export const SQLITE_CORRUPT = 11;
export const SQLITE_NOTADB = 26;

/** Whether `error` is SQLite's, with one of these primary result codes. */
export function isSqliteError(error: unknown, ...codes: readonly number[]): boolean {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return false;
  return codes.includes(error.errcode & 0xff);
}
