// How much of Redis a run takes, all keys of the stream counted, and that retention gives back what it removes.

import { Redis } from "ioredis";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { redisStore } from "../../src/log/redis.ts";
import { createStreams } from "../../src/log/streams.ts";
import { startRedis } from "./redis-server.ts";

test.each([
  ["20 bytes, a token at a time", 20, 1, 1.2],
  ["20 bytes, ten tokens at a time", 20, 10, 1.2],
  ["12 bytes, ten tokens at a time", 12, 10, 1.3],
  ["5 bytes, ten tokens at a time", 5, 10, 1.7],
])(
  "redisStore() keeps a run of 500 tokens of %s in a stated multiple of their size",
  async (_how, size, atOnce, limit) => {
    const server = await startRedis();
    const client = new Redis({ port: server.port });
    const streams = createStreams({ store: redisStore(client) });
    try {
      const run = await streams.run("r", async function* () {
        for (let index = 0; index < 500; index++) {
          if (index % atOnce === 0) await nextTurn();
          yield `w${String(index % 100).padStart(size - 3, "0")}`;
        }
      });
      await run.ended();
      const stored = await client.lrange("tailrace:s:{r}:i", 0, -1);
      expect([stored.length, new Set(stored.map((item) => item.length))]).toEqual([500, new Set([size])]);
      expect((await bytesOf(client)) / (500 * size)).toBeLessThanOrEqual(limit);
    } finally {
      await streams.close();
      client.disconnect();
      await server.end();
    }
  },
);

test.each([
  ["maxItems", { maxItems: 100 }],
  ["maxBytes", { maxBytes: 2_000 }],
])("redisStore() holds no more than %s says, however much is appended", async (_name, config) => {
  const server = await startRedis();
  const client = new Redis({ port: server.port });
  const store = redisStore(client);
  try {
    await store.create("r", config);
    const payloads = Array.from({ length: 100 }, () => `"${"x".repeat(18)}"`);
    await store.append("r", payloads);
    const atFirst = await bytesOf(client);
    for (let count = 0; count < 20; count++) await store.append("r", payloads);
    expect(await client.llen("tailrace:s:{r}:i")).toBe(100);
    expect(await bytesOf(client)).toBeLessThan(atFirst + 100);
  } finally {
    await store.close();
    client.disconnect();
    await server.end();
  }
});

/** What the keys of all streams take. */
async function bytesOf(client: Redis): Promise<number> {
  const keys = await client.keys("tailrace:s:*");
  const sizes = await Promise.all(keys.map((key) => client.call("MEMORY", "USAGE", key, "SAMPLES", "0")));
  return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
}
