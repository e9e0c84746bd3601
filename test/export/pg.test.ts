// Cursors over a real PostgreSQL: what they give, and what they leave behind: nothing.

import { createRequire } from "node:module";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keysetRows, pgCopy, pgRows, postgresRows, type PgCursorClass } from "../../src/export-pg.ts";
import { csv } from "../../src/index.ts";
import { begin, end, MANY, noQueries, oneQuery, poolIsFree, SILENT, stage } from "./pg-stage.ts";
import type { Postgres } from "./postgres.ts";
import { leaveAfter, read, serve } from "./wire.ts";

// It has no types of its own.
const require = createRequire(import.meta.url);
const Cursor = require("pg-cursor") as PgCursorClass;

const MIB = 1_048_576;
let server: Postgres;
let admin: pg.Client;
let pool: pg.Pool;

beforeAll(async () => {
  await begin();
  ({ server, admin, pool } = stage());
});
afterAll(end);

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const rows: T[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

describe("pgRows", () => {
  test("gives every row, in batches, as objects or arrays, with values", async () => {
    const query = { text: "SELECT i, i * 2 AS twice FROM generate_series(1, $1) AS i", values: [2_500] };
    const sizes: number[] = [];
    const ids: number[] = [];
    for await (const batch of pgRows<{ i: number; twice: number }>(pool, query, { cursor: Cursor })) {
      sizes.push(batch.length);
      ids.push(...batch.map(({ i }) => i));
    }
    expect(sizes).toEqual([1_000, 1_000, 500]);
    expect(ids).toEqual(Array.from({ length: 2_500 }, (_, index) => index + 1));
    const arrays = pgRows(pool, query, { cursor: Cursor, rowMode: "array", batchRows: 2_500 });
    expect((await all(arrays)).at(-1)).toEqual([2_500, 5_000]);
    await poolIsFree();
  });

  test("asks anew each time it is iterated, and gives nothing for no rows", async () => {
    const rows = pgRows(pool, "SELECT 1 AS a WHERE false", { cursor: Cursor });
    expect(await all(rows)).toEqual([]);
    expect(await all(rows)).toEqual([]);
    await poolIsFree();
  });

  test("takes no connection before the first batch is asked for, so none for a HEAD", async () => {
    const { totalCount } = pool;
    const other = new pg.Pool({ connectionString: server.url });
    const reply = csv(new Request("http://x/", { method: "HEAD" }), pgRows(other, MANY, { cursor: Cursor }), {
      batches: true,
    });
    expect(reply.status).toBe(200);
    expect([other.totalCount, pool.totalCount]).toEqual([0, totalCount]);
    await other.end();
  });

  test.each(["SELECT nonsense", "SELECT 1 / (i - 1500) AS a FROM generate_series(1, 2000) AS i"])(
    "throws what the server says of %j, and gives the connection back",
    async (text) => {
      await expect(all(pgRows(pool, text, { cursor: Cursor }))).rejects.toThrow(/nonsense|division by zero/);
      await poolIsFree();
    },
  );

  test("refuses a batchRows of 0", () => {
    expect(() => pgRows(pool, MANY, { cursor: Cursor, batchRows: 0 })).toThrow(/batchRows/);
  });

  test("leaving a loop closes the cursor and keeps the connection", async () => {
    const { rows: before } = await pool.query("SELECT pg_backend_pid() AS pid");
    const one = new pg.Pool({ connectionString: server.url, max: 1, application_name: "export" });
    const pidOf = async (): Promise<unknown> =>
      ((await one.query("SELECT pg_backend_pid() AS pid")).rows[0] as { pid: number }).pid;
    const pid = await pidOf();
    for await (const batch of pgRows(one, MANY, { cursor: Cursor })) {
      expect(batch).toHaveLength(1_000);
      break;
    }
    await noQueries();
    expect(await pidOf()).toBe(pid);
    expect(before).toHaveLength(1);
    await one.end();
  });

  test("an aborted signal stops a query that is silent", async () => {
    const controller = new AbortController();
    const reading = all(pgRows(pool, SILENT, { cursor: Cursor, signal: controller.signal }));
    const reason = new Error("enough");
    void oneQuery().then(() => controller.abort(reason));
    await expect(reading).rejects.toBe(reason);
    await noQueries();
    await poolIsFree();
  });

  test("an abort between two batches is told by the next one", async () => {
    const controller = new AbortController();
    const rows = pgRows(pool, MANY, { cursor: Cursor, signal: controller.signal })[Symbol.asyncIterator]();
    expect((await rows.next()).done).toBe(false);
    controller.abort(new Error("enough"));
    await expect(rows.next()).rejects.toThrow("enough");
    expect((await rows.next()).done).toBe(true);
    await noQueries();
    await poolIsFree();
  });

  test("a client of the caller's own is used, and not released", async () => {
    const client = new pg.Client({ connectionString: server.url, application_name: "export" });
    await client.connect();
    const rows = pgRows(client, MANY, { cursor: Cursor })[Symbol.asyncIterator]();
    expect((await rows.next()).done).toBe(false);
    await rows.return?.();
    expect(((await client.query("SELECT 2 AS two")).rows[0] as { two: number }).two).toBe(2);
    await client.end();
  });

  test("a server that ends the connection fails the rows, and nothing else", async () => {
    await expect(
      (async () => {
        for await (const batch of pgRows(pool, MANY, { cursor: Cursor })) {
          expect(batch).toHaveLength(1_000);
          await admin.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'export' AND state <> 'idle'",
          );
        }
      })(),
    ).rejects.toThrow(/terminat/);
    await poolIsFree();
  });

  test("leaving while a connection is waited for gives it back when it comes", async () => {
    const one = new pg.Pool({ connectionString: server.url, max: 1 });
    const held = await one.connect();
    const rows = pgRows(one, MANY, { cursor: Cursor })[Symbol.asyncIterator]();
    const first = rows.next();
    await rows.return?.();
    expect((await first).done).toBe(true);
    held.release();
    await expect.poll(() => one.idleCount, { interval: 5 }).toBe(1);
    await one.end();
  });
});

describe("pgCopy", () => {
  test("gives what the server writes, with and without a header", async () => {
    const sql = "SELECT * FROM (VALUES (1, 'a,b', NULL), (2, '', 'x')) AS t (id, text, more)";
    const textOf = async (options: { header?: boolean; delimiter?: string }): Promise<string> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of pgCopy(pool, sql, options)) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    expect(await textOf({})).toBe('id,text,more\n1,"a,b",\n2,"",x\n');
    expect(await textOf({ header: false, delimiter: "'" })).toBe("1'a,b'\n2'\"\"'x\n");
    await poolIsFree();
  });

  test("throws what the server says of a query that it refuses", async () => {
    const rows = pgCopy(pool, "SELECT nonsense")[Symbol.asyncIterator]();
    await expect(rows.next()).rejects.toThrow("nonsense");
    await poolIsFree();
  });

  test("an aborted signal stops it", async () => {
    const controller = new AbortController();
    const rows = pgCopy(pool, MANY, { signal: controller.signal })[Symbol.asyncIterator]();
    expect((await rows.next()).done).toBe(false);
    controller.abort(new Error("enough"));
    await expect(rows.next()).rejects.toThrow("enough");
    await noQueries();
    await poolIsFree();
  });
});

describe("postgresRows", () => {
  test("gives every row, cancels a silent query, and leaves the connection usable", async () => {
    const sql = postgres(server.url, { max: 1, connection: { application_name: "export" }, onnotice: () => undefined });
    const rows = await all(postgresRows(sql<{ i: number }[]>`SELECT i FROM generate_series(1, 2500) AS i`));
    expect(rows.map(({ i }) => i)).toEqual(Array.from({ length: 2_500 }, (_, index) => index + 1));
    expect(await all(postgresRows(sql`SELECT 1 AS a, 2 AS b`.values()))).toEqual([[1, 2]]);

    for await (const batch of postgresRows(sql.unsafe(MANY))) {
      expect(batch).toHaveLength(1_000);
      break;
    }
    await noQueries();

    const silent = postgresRows(sql.unsafe(SILENT))[Symbol.asyncIterator]();
    const first = silent.next();
    await oneQuery();
    await silent.return?.();
    expect((await first).done).toBe(true);
    await noQueries();
    expect(await sql`SELECT 3 AS three`).toEqual([{ three: 3 }]);
    await sql.end();
  });

  test("throws what the server says", async () => {
    const sql = postgres(server.url, { max: 1 });
    await expect(all(postgresRows(sql`SELECT nonsense`))).rejects.toThrow("nonsense");
    await sql.end();
  });
});

describe("Kysely", () => {
  interface Database {
    readonly numbers: { readonly id: number; readonly text: string };
  }

  test("its stream is a source as it is, and gives its connection back when the reader leaves", async () => {
    await admin.query(
      "CREATE TABLE numbers AS SELECT i AS id, repeat('x', 90) AS text FROM generate_series(1, 50000) AS i",
    );
    const dialect = new PostgresDialect({ pool, cursor: Cursor as never });
    const database = new Kysely<Database>({ dialect });
    const query = database.selectFrom("numbers").selectAll().orderBy("id");
    await using http = await serve((request) => csv(request, query.stream(500), { columns: ["id", "text"] }));
    const { body, isCut } = await read(http.port);
    expect(isCut).toBe(false);
    expect(body.toString().split("\r\n")).toHaveLength(50_002);
    await leaveAfter(http.port, MIB);
    await noQueries();
    await poolIsFree();
  });
});

describe("keysetRows", () => {
  test("reads PostgreSQL page by page", async () => {
    const rows = keysetRows<{ id: number }, number>({
      key: "id",
      batchRows: 300,
      page: async (after = 0, limit) =>
        (
          await pool.query<{ id: number }>("SELECT i AS id FROM generate_series(1, 1000) AS i WHERE i > $1 LIMIT $2", [
            after,
            limit,
          ])
        ).rows,
    });
    const sizes: number[] = [];
    for await (const batch of rows) sizes.push(batch.length);
    expect(sizes).toEqual([300, 300, 300, 100]);
    await poolIsFree();
  });
});
