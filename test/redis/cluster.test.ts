// A cluster of three primaries with replicas, while a slot moves and while a node dies, under writing.

import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isTailraceError } from "../../src/errors.ts";
import type { RedisClient } from "../../src/log/redis-client.ts";
import { redisStore } from "../../src/log/redis.ts";
import type { AppendResult, Store } from "../../src/log/store.ts";
import { startCluster, type RedisCluster } from "./redis-cluster.ts";

let cluster: RedisCluster;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  cluster = await startCluster(1);
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});
afterAll(() => cluster.end());

const clients: Record<string, () => Promise<RedisClient>> = {
  async ioredis() {
    const places = cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
    const client = new Cluster(places, { slotsRefreshTimeout: 5_000, clusterRetryStrategy: () => 50 });
    client.on("error", () => {});
    closers.push(() => client.disconnect());
    return client;
  },
  async "node-redis"() {
    const client = createCluster({ rootNodes: cluster.nodes.map(({ url }) => ({ url })) });
    client.on("error", () => {});
    await client.connect();
    closers.push(() => client.destroy());
    return client;
  },
};

interface Writer {
  readonly acknowledged: number[];
  readonly stop: () => Promise<unknown>;
}

function write(store: Store, name: string): Writer {
  const acknowledged: number[] = [];
  const all: Promise<void>[] = [];
  const timer = setInterval(() => {
    const value = all.length;
    const kept = (_result: AppendResult): void => void acknowledged.push(value);
    all.push(store.append(name, [String(value)]).then(kept));
  }, 5);
  const stop = (): Promise<unknown> => {
    clearInterval(timer);
    return Promise.all(all);
  };
  closers.push(() => clearInterval(timer));
  return { acknowledged, stop };
}

/** All that is kept, as a reader gets it who goes on behind each gap. */
async function readAll(store: Store, name: string): Promise<{ values: number[]; gapCount: number }> {
  const values: number[] = [];
  let gapCount = 0;
  let after = (await store.head(name))!.start;
  for (;;) {
    try {
      const { items, upToDate } = await store.read(name, after, { maxItems: 1_000, maxBytes: 1e9 });
      for (const { payload } of items) values.push(Number(payload));
      if (upToDate) return { values, gapCount };
      after = items.at(-1)?.offset ?? after;
    } catch (error) {
      if (!isTailraceError(error, "gap")) throw error;
      gapCount++;
      after = String(error.details?.["earliest"]);
    }
  }
}

async function storeOver(connect: () => Promise<RedisClient>): Promise<Store> {
  const store = redisStore(await connect(), { retryForMs: 60_000, prefix: crypto.randomUUID() });
  closers.push(() => store.close());
  return store;
}

const keyOf = (store: Store, name: string): string => `${store.key.split(":").at(-1)}:s:{${name}}:m`;

/** Moves a slot as `redis-cli --cluster reshard` does. */
async function move(slot: number, from: number, to: number): Promise<void> {
  const [source, target] = [cluster.admin(from), cluster.admin(to)];
  const [sourceId, targetId] = (await Promise.all([source, target].map((node) => node.call("CLUSTER", "MYID")))).map(
    String,
  );
  await target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceId!);
  await source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", targetId!);
  for (;;) {
    const [key] = (await source.call("CLUSTER", "GETKEYSINSLOT", slot, "1")) as string[];
    if (key === undefined) break;
    await source.call("MIGRATE", "127.0.0.1", cluster.nodes[to]!.port, key, "0", "5000");
  }
  await target.call("CLUSTER", "SETSLOT", slot, "NODE", targetId!);
  await source.call("CLUSTER", "SETSLOT", slot, "NODE", targetId!);
}

describe.each(Object.entries(clients))("redisStore() over a cluster of %s", (_name, connect) => {
  test("keeps every append once and in order while its slot moves to another node", async () => {
    const [store, reader] = [await storeOver(connect), await storeOver(connect)];
    await store.create("s");
    const { acknowledged, stop } = write(store, "s");
    const unwatch = reader.watch(() => undefined);
    closers.push(unwatch);
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(50));
    const { index, slot } = await cluster.primaryOf(keyOf(store, "s"));
    const others = await Promise.all(["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => cluster.primaryOf(name)));
    const other = others.find((place) => place.index !== index)!.index;
    await move(slot, index, other);
    const before = acknowledged.length;
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 50));
    await stop();
    expect(await readAll(store, "s")).toEqual({ values: acknowledged, gapCount: 0 });
    await move(slot, other, index);
    expect((await readAll(store, "s")).values).toEqual(acknowledged);
  });

  test("goes on when the node of a stream dies, and tells of a gap if its replica lacked something", async () => {
    const store = await storeOver(connect);
    await store.create("s");
    const { acknowledged, stop } = write(store, "s");
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(50));
    const { index } = await cluster.primaryOf(keyOf(store, "s"));
    await cluster.nodes[index]!.kill();
    const before = acknowledged.length;
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 50));
    await stop();
    const { values, gapCount } = await readAll(store, "s");
    expect(values).toEqual([...new Set(values)].toSorted((one, other) => one - other));
    const missing = acknowledged.filter((value) => !values.includes(value));
    expect(gapCount).toBe(missing.length > 0 ? 1 : 0);
    await cluster.nodes[index]!.start();
    const isBack = async (): Promise<void> => {
      expect(await cluster.admin(index).info("replication")).toMatch(/role:slave[^]*master_link_status:up/);
      for (let node = 0; node < cluster.nodes.length; node++)
        expect(String(await cluster.admin(node).call("CLUSTER", "INFO"))).toContain("cluster_state:ok");
    };
    await vi.waitFor(isBack);
  });
});
