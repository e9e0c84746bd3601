// `tailrace/sqlite`: streams in an SQLite file, through the built-in node:sqlite.

export { sqliteStore, type SqliteStoreOptions } from "./log/sqlite.ts";
export type { Durability } from "./log/sqlite-schema.ts";
