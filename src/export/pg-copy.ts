// A PostgreSQL query as the CSV that the server itself writes: COPY, several times as fast as rows through a driver.

import { cursor, type Reader } from "./cursor.ts";
import { CopyOut } from "./pg-copy-out.ts";
import { isQueryError, lease, type PgLease } from "./pg-lease.ts";
import type { PgPool } from "./pg-types.ts";

/** Options of {@link pgCopy}. */
export interface PgCopyOptions {
  /** Whether the first record names the columns. Default true. */
  readonly header?: boolean | undefined;
  /** One character. Default `,`. */
  readonly delimiter?: string | undefined;
  /** Aborting it stops the query; whoever asks for the next piece gets its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The result of `sql` as CSV (`COPY (...) TO STDOUT`), in UTF-8, for `csvBytes`. The server decides how values look: records end with LF, null
 * is nothing and the empty text `""`, and **formulas are not guarded**. `sql` takes no parameters, as COPY takes none: never
 * put into it what a user sent.
 *
 * When the reader leaves the query is cancelled and its connection closed, as the rest of a COPY cannot be skipped.
 */
export function pgCopy(from: PgPool, sql: string, options: PgCopyOptions = {}): AsyncIterable<Uint8Array<ArrayBuffer>> {
  const { header = true, delimiter = "," } = options;
  const format = `FORMAT csv, HEADER ${header}, DELIMITER ${literal(delimiter)}, ENCODING 'UTF8'`;
  return cursor(async () => {
    const connection = await lease(from);
    try {
      const out = new CopyOut(`COPY (${sql}) TO STDOUT (${format})`);
      connection.client.query(out as never);
      return readerOf(connection, out);
    } catch (error) {
      connection.drop();
      throw error;
    }
  }, options.signal);
}

/** A text in SQL, whatever `standard_conforming_strings` says. */
function literal(text: string): string {
  return `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

function readerOf(connection: PgLease, out: CopyOut): Reader<Uint8Array<ArrayBuffer>> {
  return {
    read: () => out.read(),
    async close({ error }) {
      if (out.isDone || isQueryError(error)) return connection.release();
      // A backend that waits for a reader notices only that its socket is closed, and one that computes only the request.
      const cancelling = connection.cancel();
      connection.drop();
      await cancelling;
    },
  };
}
