// A Redis that answers and will not write: full, a replica, without replicas, unable to save. Each is said in so many words when
// the time is over, nothing is kept of what was refused, and what waits goes on, in order, when it is cured.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Redis } from "ioredis";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { closeAfterEach, connectors, ioredis, payloadsOf, storeOver } from "./redis-clients.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

let server: RedisServer;
let admin: Redis;

beforeEach(async () => {
  server = await startRedis();
  admin = ioredis(server.port);
});
closeAfterEach(undefined, () => server.end());

interface Refusal {
  readonly name: string;
  /** What the message says about the cause or the cure. */
  readonly said: string;
  readonly begin: () => Promise<unknown>;
  readonly cure: () => Promise<unknown>;
}

const refusals: readonly Refusal[] = [
  {
    name: "full",
    said: "maxmemory",
    begin: () => admin.config("SET", "maxmemory", "1mb"),
    cure: () => admin.config("SET", "maxmemory", "0"),
  },
  {
    name: "a replica",
    said: "replica",
    begin: () => admin.replicaof("127.0.0.1", "1"),
    cure: () => admin.replicaof("NO", "ONE"),
  },
  {
    name: "without the replicas that it needs",
    said: "min-replicas-to-write",
    begin: () => admin.config("SET", "min-replicas-to-write", "1"),
    cure: () => admin.config("SET", "min-replicas-to-write", "0"),
  },
];

describe.each(connectors)("redisStore() over %s and a Redis that will not write", (_name, connect) => {
  test.each(refusals)("says that it is $name, keeps nothing, and still reads", async ({ said, begin, cure }) => {
    const store = storeOver(await connect(server.port), { retryForMs: 2_000 });
    await store.create("s", { ttlMs: 60_000 });
    await store.append("s", ["1"]);
    await begin();
    const fault = { code: "store_unavailable", message: expect.stringContaining(said) };
    await expect(store.append("s", ["2"], { end: { reason: "completed" } })).rejects.toMatchObject(fault);
    await expect(store.create("t")).rejects.toMatchObject(fault);
    await expect(store.claim("r", "a", 5_000)).rejects.toMatchObject(fault);
    expect(await payloadsOf(store, "s")).toEqual(["1"]);
    expect((await store.head("s"))!.end).toBeUndefined();
    await cure();
    await store.append("s", ["3"]);
    expect(await payloadsOf(store, "s")).toEqual(["1", "3"]);
    expect((await store.claim("r", "a", 5_000)).claimed).toBe(true);
  });

  test.each(refusals)("waits while it is $name, ever less often, and keeps the order", async ({ begin, cure }) => {
    const store = storeOver(await connect(server.port), { retryForMs: 60_000 });
    await store.create("s");
    await store.append("s", ["0"]);
    await begin();
    await admin.config("RESETSTAT");
    const appends: Promise<unknown>[] = [];
    for (let count = 1; count <= 20; count++) {
      appends.push(store.append("s", [String(count)]));
      await nextTurn(); // each a call of its own, if it were not refused
    }
    const refused = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1] ?? 0);
    await vi.waitFor(async () => expect(await refused()).toBeGreaterThan(2));
    // One call at a time is tried, not twenty.
    expect(await refused()).toBeLessThan(20);
    await cure();
    await Promise.all(appends);
    expect(await payloadsOf(store, "s")).toEqual(Array.from({ length: 21 }, (_, index) => String(index)));
  });
});
