// A connection to PostgreSQL for the time of one query, and what can be done to stop that query from outside.

import { settled } from "./settle.ts";
import type { PgClient, PgPool, PgPoolClient } from "./pg-types.ts";

/** A connection that one query has to itself. */
export interface PgLease {
  readonly client: PgClient;
  /** Gives the connection back, good for the next query. */
  release(): void;
  /** Gives it back as one that nobody may use again, and closes its socket. The caller's own client is left alone. */
  drop(): void;
  /** Asks the server to stop what the connection does. Resolves when the server has done what it can; never rejects. */
  cancel(): Promise<void>;
}

/** How long the server may take to answer a request to cancel, in milliseconds. */
const CANCEL_LIMIT_MS = 5_000;

/** The parts of node-postgres that have no other name: what one connection needs to cancel another's query. */
interface Connection {
  readonly ssl: unknown;
  readonly stream: { destroy(): void };
  connect(port: number | string, host?: string): void;
  cancel(processId: number, secretKey: number): void;
  on(event: string, listener: (error?: Error) => void): unknown;
}
interface Inside {
  readonly processID?: number | null;
  readonly secretKey?: number | null;
  readonly host: string;
  readonly port: number;
  readonly connection?: Connection;
  readonly connectionParameters?: object;
}
type ClientClass = new (options: object) => Inside;

/** Waits for a connection of `from`, or takes it as it is if it is one. */
export async function lease(from: PgPool | PgClient): Promise<PgLease> {
  const isPool = !("release" in from || "processID" in from);
  const client = isPool ? await (from as PgPool).connect() : (from as PgClient);
  // A pool takes its own listener off while a connection is out: without one, a server that goes away would end the process.
  const ignore = (): void => undefined; // the query that is under way fails with it
  client.on("error", ignore);
  const inside = client as unknown as Inside;
  return {
    client,
    release() {
      client.off("error", ignore);
      if (isPool) (client as PgPoolClient).release();
    },
    drop() {
      if (!isPool) return void client.off("error", ignore);
      (client as PgPoolClient).release(true);
      inside.connection?.stream.destroy();
    },
    async cancel() {
      const { Client, options } = from as { Client?: ClientClass; options?: object };
      const Class = Client ?? (client.constructor as ClientClass);
      const config = options ?? inside.connectionParameters;
      if (config !== undefined) await settled(cancelOf(inside, new Class(config)), CANCEL_LIMIT_MS);
    },
  };
}

/**
 * Sends a CancelRequest (PostgreSQL manual, "Canceling Requests in Progress") on a connection of its own. Unlike
 * pg_cancel_backend it needs neither a free connection of the pool nor a login, works through PgBouncer, and by its secret key can never
 * meet another's query.
 */
async function cancelOf({ processID, secretKey }: Inside, messenger: Inside): Promise<void> {
  const { connection, host, port } = messenger;
  if (connection === undefined || typeof processID !== "number" || typeof secretKey !== "number") return;
  try {
    // The server closes the connection once the signal is sent.
    const ended = new Promise<void>((resolve) => {
      connection.on("end", () => resolve());
      connection.on("error", () => resolve());
    });
    connection.on(connection.ssl ? "sslconnect" : "connect", () => connection.cancel(processID, secretKey));
    if (host.startsWith("/")) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, host);
    await settled(ended, CANCEL_LIMIT_MS);
  } finally {
    connection.stream.destroy();
  }
}

/** Whether the server refused or ended the query, and the connection is as good as before. */
export function isQueryError(error: unknown): boolean {
  return typeof error === "object" && error !== null && "severity" in error && error.severity === "ERROR";
}
