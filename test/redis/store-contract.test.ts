// The store contract over a real Redis, through both clients: each store object has a client of its own, as a process has.

import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { redisStore } from "../../src/log/redis.ts";
import { checkRule, storeContract, type StoreMaker } from "../../src/testing/store-contract.ts";
import { startCluster, type RedisCluster } from "./redis-cluster.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

let server: RedisServer;
let cluster: RedisCluster;
const closers: (() => void)[] = [];

beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startCluster(0)]);
}, 60_000);
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
      const client = new Cluster([{ host: "127.0.0.1", port: cluster.nodes[0]!.port }]);
      closers.push(() => client.disconnect());
      return redisStore(client, { clock, prefix: place });
    },
  },
  "node-redis, a cluster": {
    isShared: true,
    async make(clock, place) {
      const client = createCluster({ rootNodes: [{ url: cluster.nodes[0]!.url }] });
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
