// What of node-postgres is used, by its shape: the user brings the driver, and this package depends on none.

/** `pg.Pool`. */
export interface PgPool {
  connect(): Promise<PgPoolClient>;
}

/** `pg.Client`, connected. */
export interface PgClient {
  query(query: never): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
}

/** What `pg.Pool.connect` gives. */
export interface PgPoolClient extends PgClient {
  release(destroy?: boolean): void;
}

/** A query: its text, or its text and the values of `$1`, `$2` and so on. */
export type PgQuery = string | { readonly text: string; readonly values?: readonly unknown[] | undefined };

/** The class that the package `pg-cursor` exports. */
export type PgCursorClass = new (text: string, values?: never, config?: never) => PgCursor;

/** A cursor of `pg-cursor`. */
export interface PgCursor {
  read(maxRows: number): Promise<unknown[]>;
  close(): Promise<void>;
}
