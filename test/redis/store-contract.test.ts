// The store contract over a real Redis, through both clients: each store object has a client of its own, as a process has.

import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { redisStore } from "../../src/log/redis.ts";
import { checkRule, storeContract, type StoreMaker } from "../../src/testing/store-contract.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

let server: RedisServer;
/** One node that has every slot: it refuses a script whose keys lie in two. */
let cluster: RedisServer;
const closers: (() => void)[] = [];

beforeAll(async () => {
  [server, cluster] = await Promise.all([
    startRedis(),
    startRedis(["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]),
  ]);
  const admin = new Redis({ port: cluster.port });
  await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  const isUp = async (): Promise<void> =>
    expect(String(await admin.call("CLUSTER", "INFO"))).toContain("cluster_state:ok");
  await vi.waitFor(isUp); // a node that has just begun waits two seconds before it takes writes
  admin.disconnect();
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(() => Promise.all([server.end(), cluster.end()]));

const makers: Record<string, StoreMaker> = {
  ioredis: {
    isShared: true,
    async make(clock, place) {
      const client = new Redis({ port: server.port });
      closers.push(() => client.disconnect());
      return redisStore(client, { clock, prefix: place });
    },
  },
  "node-redis": {
    isShared: true,
    async make(clock, place) {
      const client = await createClient({ url: server.url }).connect();
      closers.push(() => client.destroy());
      return redisStore(client, { clock, prefix: place });
    },
  },
  "node-redis, RESP 3, one store object": {
    isShared: false,
    async make(clock, place) {
      const client = await createClient({ url: server.url, RESP: 3 }).connect();
      closers.push(() => client.destroy());
      return redisStore(client, { clock, prefix: place });
    },
  },
  "ioredis, a cluster": {
    isShared: true,
    async make(clock, place) {
      const client = new Cluster([{ host: "127.0.0.1", port: cluster.port }]);
      closers.push(() => client.disconnect());
      return redisStore(client, { clock, prefix: place });
    },
  },
  "node-redis, a cluster": {
    isShared: true,
    async make(clock, place) {
      const client = createCluster({ rootNodes: [{ url: cluster.url }] });
      client.on("error", () => {});
      await client.connect();
      closers.push(() => client.destroy());
      return redisStore(client, { clock, prefix: place });
    },
  },
};

describe.each(Object.entries(makers))("redisStore() over %s", (_name, maker) => {
  test.each(storeContract)("$name", (rule) => checkRule(rule, maker));
});
