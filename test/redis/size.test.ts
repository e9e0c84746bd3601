// How much of Redis a run takes: at most 1.3 bytes for each byte of its items, all keys of the stream counted.

import { Redis } from "ioredis";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { redisStore } from "../../src/log/redis.ts";
import { createStreams } from "../../src/log/streams.ts";
import { startRedis } from "./redis-server.ts";

test.each([
  ["a token at a time", 1],
  ["ten tokens at a time", 10],
])("redisStore() keeps a run of 500 tokens of 20 bytes, written %s, in 1.3 times their size", async (_how, atOnce) => {
  const server = await startRedis();
  const client = new Redis({ port: server.port });
  const streams = createStreams({ store: redisStore(client) });
  try {
    const run = await streams.run("r", async function* () {
      for (let index = 0; index < 500; index++) {
        if (index % atOnce === 0) await nextTurn();
        yield { text: `hello w${String(index % 100).padStart(2, "0")}` };
      }
    });
    await run.ended();
    const keys = await client.keys("tailrace:s:*");
    const sizes = await Promise.all(keys.map((key) => client.call("MEMORY", "USAGE", key, "SAMPLES", "0")));
    const bytes = sizes.reduce<number>((sum, size) => sum + Number(size), 0);
    const stored = await client.lrange("tailrace:s:{r}:i", 0, -1);
    expect([stored.length, new Set(stored.map((item) => item.length))]).toEqual([500, new Set([20])]);
    expect(bytes / (500 * 20)).toBeLessThanOrEqual(1.3);
  } finally {
    await streams.close();
    client.disconnect();
    await server.end();
  }
});
