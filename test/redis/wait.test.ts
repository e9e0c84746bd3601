// `waitForReplicas`: what was acknowledged is on a replica, and what is not on one was not acknowledged.

import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisClient } from "../../src/log/redis-client.ts";
import { redisStore, type RedisStoreOptions } from "../../src/log/redis.ts";
import type { Store } from "../../src/log/store.ts";
import { startPair, type RedisPair } from "./redis-pair.ts";

let pair: RedisPair;
let copy: Redis;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  pair = await startPair();
  copy = new Redis({ port: pair.replica.port });
  closers.push(() => copy.disconnect());
});
afterEach(async () => {
  pair.link.restore();
  for (const close of closers.splice(0).toReversed()) await close();
  await pair.end();
});

const clients: Record<string, () => Promise<RedisClient>> = {
  async ioredis() {
    const client = new Redis({ port: pair.network.port, maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on("error", () => {});
    closers.push(() => client.disconnect());
    return client;
  },
  async "node-redis"() {
    const url = `redis://127.0.0.1:${pair.network.port}`;
    const client = createClient({ url, socket: { reconnectStrategy: () => 20 } });
    client.on("error", () => {});
    await client.connect();
    closers.push(() => client.destroy());
    return client;
  },
};

describe.each(Object.entries(clients))("redisStore() that waits for replicas, over %s", (_name, connect) => {
  async function waiting(options: RedisStoreOptions = {}): Promise<Store> {
    const store = redisStore(await connect(), {
      waitForReplicas: 1,
      waitForReplicasMs: 100,
      retryForMs: 30_000,
      ...options,
    });
    closers.push(() => store.close());
    return store;
  }

  const copied = (): Promise<string[]> => copy.lrange("tailrace:s:{s}:i", 0, -1);

  test("acknowledges what a replica has", async () => {
    const store = await waiting();
    await store.create("s");
    for (let count = 1; count <= 50; count++) {
      await store.append("s", [String(count)]);
      expect(await copied()).toHaveLength(count);
    }
  });

  test("fails when no replica has it in time, keeps the order, and goes on when one has", async () => {
    const store = await waiting({ retryForMs: 400 });
    const { head } = await store.create("s");
    await store.append("s", ["1"]);
    await pair.stopReplication();
    const fault = { code: "store_unavailable", message: expect.stringContaining("of 1 replicas") };
    await expect(store.append("s", ["2"])).rejects.toMatchObject(fault);
    expect(await copied()).toEqual(["1"]);
    pair.link.restore();
    await vi.waitFor(() => store.append("s", ["3"]), { timeout: 20_000 });
    const items = (await store.read("s", head.start, { maxItems: 10, maxBytes: 1_000 })).items;
    expect(items.slice(0, 3).map(({ payload }) => payload)).toEqual(["1", "2", "3"]);
  });

  test("takes no answer of a connection that has not written for one of the connection that has", async () => {
    const store = await waiting();
    await store.create("s");
    await pair.stopReplication();
    let isAcknowledged = false;
    const append = store.append("s", ["1"]).then(() => (isAcknowledged = true));
    const primary = new Redis({ port: pair.primary.port });
    closers.push(() => primary.disconnect());
    const hasBeenWritten = async (): Promise<void> => expect(await primary.llen("tailrace:s:{s}:i")).toBe(1);
    const waits = async (): Promise<number> =>
      Number(/cmdstat_wait:calls=(\d+)/.exec(await primary.info("commandstats"))?.[1] ?? 0);
    await vi.waitFor(hasBeenWritten);
    for (let cut = 0; cut < 3; cut++) {
      const before = await waits();
      pair.network.cut();
      pair.network.restore();
      await vi.waitFor(async () => expect(await waits()).toBeGreaterThan(before + 1));
    }
    expect([isAcknowledged, await copied()]).toEqual([false, []]);
    pair.link.restore();
    await append;
    expect(await copied()).toEqual(["1"]);
  });

  test("waits for what a producer repeats, too", async () => {
    const [store, plain] = [await waiting({ retryForMs: 300 }), await waiting({ waitForReplicas: 0 })];
    await plain.create("s");
    await pair.stopReplication();
    const producer = { id: "p", epoch: 0, seq: 0 };
    await plain.append("s", ["1"], { producer });
    await expect(store.append("s", ["1"], { producer })).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(store.append("s", ["1"], { producer: { ...producer, seq: 2 } })).rejects.toMatchObject({
      code: "sequence_gap",
    });
    pair.link.restore();
    await vi.waitFor(async () => expect((await store.append("s", ["1"], { producer })).duplicate).toBe(true));
    expect(await copied()).toEqual(["1"]);
  });
});

test("redisStore() refuses to wait for replicas of a cluster, and numbers that are none", async () => {
  const cluster = new Cluster([{ host: "127.0.0.1", port: pair.primary.port }], { lazyConnect: true });
  closers.push(() => cluster.disconnect());
  const clusters = [cluster, createCluster({ rootNodes: [{ url: pair.primary.url }] })];
  const refused = expect.objectContaining({ code: "input_invalid" });
  for (const client of clusters) expect(() => redisStore(client, { waitForReplicas: 1 })).toThrow(refused);
  for (const waitForReplicas of [-1, 0.5, Number.NaN])
    expect(() => redisStore(copy, { waitForReplicas })).toThrow(refused);
  expect(() => redisStore(copy, { waitForReplicas: 1, waitForReplicasMs: 0 })).toThrow(refused);
});
