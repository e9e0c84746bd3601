// `tailrace/export/pg`: rows of PostgreSQL, and of whatever reads by pages, as sources of replies.

export { pgCopy, type PgCopyOptions } from "./export/pg-copy.ts";
export { pgRows, type PgRowsOptions } from "./export/pg-rows.ts";
export type { PgClient, PgCursor, PgCursorClass, PgPool, PgPoolClient, PgQuery } from "./export/pg-types.ts";
export { postgresRows, type PostgresQuery, type PostgresRowsOptions } from "./export/postgres-rows.ts";
export { keysetRows, type KeysetOptions } from "./export/keyset-rows.ts";
