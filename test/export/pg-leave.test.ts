// Readers of an export that leave, stall or are cut: the query is gone and the pool is whole.

import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pgCopy, pgRows, type PgCursorClass } from "../../src/export-pg.ts";
import { csv, csvBytes } from "../../src/index.ts";
import { begin, end, MANY, noQueries, openQueries, poolIsFree, SILENT, stage } from "./pg-stage.ts";
import { ask, leaveAfter, read, serve } from "./wire.ts";

// It has no types of its own.
const Cursor = createRequire(import.meta.url)("pg-cursor") as PgCursorClass;

const TIMES = 200;
const MIB = 1_048_576;

beforeAll(begin, 30_000);
afterAll(end);

describe("readers that leave", () => {
  const sources = {
    pgRows: (request: Request) => csv(request, pgRows(stage().pool, MANY, { cursor: Cursor }), { batches: true }),
    pgCopy: (request: Request) => csvBytes(request, pgCopy(stage().pool, MANY)),
  };

  test.each(Object.entries(sources))(
    `%s: after 1 MiB, ${TIMES} times in a row, the query is gone and the pool is free`,
    async (_, handler) => {
      await using http = await serve(handler);
      for (let time = 0; time < TIMES; time++) {
        await leaveAfter(http.port, MIB);
        if (time % 20 === 0) await noQueries();
      }
      await noQueries();
      await poolIsFree();
      const { rows } = await stage().admin.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'export'",
      );
      expect((rows[0] as { n: number }).n).toBeLessThanOrEqual(4);
    },
    600_000,
  );

  test.each([
    ["pgRows", (request: Request) => csv(request, pgRows(stage().pool, SILENT, { cursor: Cursor }), { batches: true })],
    ["pgCopy", (request: Request) => csvBytes(request, pgCopy(stage().pool, SILENT))],
  ])("%s: a query that has given nothing yet is cancelled, with a full pool too", async (_, handler) => {
    await using http = await serve(handler);
    const replies = await Promise.all(Array.from({ length: 4 }, () => ask(http.port)));
    await expect.poll(openQueries, { interval: 5 }).toBe(4);
    for (const reply of replies) reply.destroy();
    await noQueries();
    await poolIsFree();
  });

  test("a reader that stalls stops the cursor", async () => {
    let batches = 0;
    const counted = async function* () {
      for await (const batch of pgRows(stage().pool, MANY, { cursor: Cursor })) {
        batches++;
        yield batch;
      }
    };
    await using http = await serve((request) => csv(request, counted, { batches: true }));
    const reply = await ask(http.port);
    reply.pause();
    let seen = -1;
    // Until the buffers between the two are full.
    await expect.poll(() => seen === (seen = batches), { interval: 100 }).toBe(true);
    expect(seen).toBeLessThan(300);
    reply.destroy();
    await noQueries();
    await poolIsFree();
  });

  test("a query that fails half-way cuts the reply", async () => {
    const text = "SELECT 1000000 / (200000 - i) AS a FROM generate_series(1, 300000) AS i";
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    await using rows = await serve((request) =>
      csv(request, pgRows(stage().pool, text, { cursor: Cursor }), { batches: true, onError }),
    );
    await using copy = await serve((request) => csvBytes(request, pgCopy(stage().pool, text), { onError }));
    for (const { port } of [rows, copy]) {
      const { body, isCut } = await read(port);
      expect(isCut).toBe(true);
      expect(body.length).toBeGreaterThan(100_000);
    }
    expect(errors.map(String)).toEqual(["error: division by zero", "error: division by zero"]);
    await poolIsFree();
  });
});
