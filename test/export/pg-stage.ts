// What the tests of PostgreSQL share: a server, a pool of four connections, and what can be seen of both from outside.

import pg from "pg";
import { expect } from "vitest";
import { type Postgres, startPostgres } from "./postgres.ts";

export interface Stage {
  readonly server: Postgres;
  /** A connection of its own, to look from. */
  readonly admin: pg.Client;
  readonly pool: pg.Pool;
}

/** Rows of some 100 bytes, as many as anybody asks for. In the list of a SELECT the series is made while it is read. */
export const MANY = "SELECT i AS id, repeat('x', 90) AS text FROM (SELECT generate_series(1, 100000000) AS i) AS n";
export const SILENT = "SELECT pg_sleep(600), 1 AS id";

let present: Stage | undefined;

/** What {@link begin} has started. */
export function stage(): Stage {
  if (present === undefined) throw new Error("There is no PostgreSQL yet.");
  return present;
}

export async function begin(): Promise<void> {
  const server = await startPostgres();
  const admin = new pg.Client({ connectionString: server.url, application_name: "admin" });
  await admin.connect();
  const pool = new pg.Pool({ connectionString: server.url, max: 4, application_name: "export" });
  pool.on("error", () => undefined);
  present = { server, admin, pool };
}

export async function end(): Promise<void> {
  await present?.pool.end();
  await present?.admin.end();
  await present?.server.end();
  present = undefined;
}

/** The exports' queries that the server is working on, or keeps open. */
export async function openQueries(): Promise<number> {
  const text = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'export' AND state <> 'idle'";
  return ((await stage().admin.query(text)).rows[0] as { n: number }).n;
}

/** Resolves when no query is open any more. None of the tests' queries would end by itself in that time. */
export async function noQueries(): Promise<void> {
  await expect.poll(openQueries, { interval: 5 }).toBe(0);
}

/** Resolves when the server has begun a query. */
export async function oneQuery(): Promise<void> {
  while ((await openQueries()) === 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

export async function poolIsFree(): Promise<void> {
  await expect.poll(() => stage().pool.totalCount - stage().pool.idleCount, { interval: 5 }).toBe(0);
  expect(stage().pool.waitingCount).toBe(0);
  // Each connection serves another query.
  const four = await Promise.all(Array.from({ length: 4 }, () => stage().pool.query("SELECT 1 AS one")));
  expect(four.map(({ rows }) => (rows[0] as { one: number }).one)).toEqual([1, 1, 1, 1]);
}
