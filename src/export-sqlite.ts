// `tailrace/export/sqlite`: rows of SQLite as sources of replies, through node:sqlite or better-sqlite3.

export {
  sqliteRows,
  type SqliteDatabase,
  type SqliteRows,
  type SqliteRowsOptions,
  type SqliteStatement,
} from "./export/sqlite-rows.ts";
