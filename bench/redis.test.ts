// The Redis benchmark still runs: each contestant writes and reads a few tokens, whole and in order.

import { expect, test } from "vitest";
import { run } from "./redis.ts";
import { CONTESTANTS } from "./redis/contestants.ts";

test("run() of the Redis benchmark gives figures for each contestant", async () => {
  const loads = [{ runCount: 2, perSecond: 50 }];
  const plan = { loads, latencyMs: 100, rateMs: 20, maxTokens: 200, warmUpRounds: 0, rounds: 1 };
  const { rows } = await run([], plan);
  expect(rows.map(({ row }) => row)).toEqual(Object.keys(CONTESTANTS).map((name) => `2 runs, 50/s each | ${name}`));
  for (const { row, cells } of rows) {
    for (const [name, { median }] of Object.entries(cells)) expect(median, `${row}: ${name}`).toBeGreaterThan(0);
  }
}, 120_000);
