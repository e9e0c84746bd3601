// Clients and stores for tests, closed in the order opposite to that in which they were made.

import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterEach } from "vitest";
import type { RedisClient } from "../../src/log/redis-client.ts";
import { redisStore, type RedisStoreOptions } from "../../src/log/redis.ts";
import type { Store } from "../../src/log/store.ts";

const closers: (() => unknown)[] = [];

/** Called after the test. */
export function onClose(close: () => unknown): void {
  closers.push(close);
}

/** Registers the closing for each test of the file; before what ends the servers. */
export function closeAfterEach(
  before: () => Promise<unknown> | void = () => {},
  after: () => unknown = () => {},
): void {
  afterEach(async () => {
    await before();
    for (const close of closers.splice(0).toReversed()) await close();
    await after();
  });
}

export function ioredis(port: number, options: { readonly username?: string; readonly password?: string } = {}): Redis {
  const client = new Redis(port, "127.0.0.1", { maxRetriesPerRequest: null, retryStrategy: () => 20, ...options });
  client.on("error", () => {});
  onClose(() => client.disconnect());
  return client;
}

export async function nodeRedis(port: number): Promise<RedisClient> {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: () => 20 } });
  client.on("error", () => {});
  await client.connect();
  onClose(() => client.destroy());
  return client;
}

/** A client of each package, to the server at a port. */
export const connectors: readonly (readonly [string, (port: number) => Promise<RedisClient>])[] = [
  ["ioredis", async (port) => ioredis(port)],
  ["node-redis", nodeRedis],
];

export function storeOver(client: RedisClient, options: RedisStoreOptions = {}): Store {
  const store = redisStore(client, { retryForMs: 100_000, ...options });
  onClose(() => store.close());
  return store;
}

export async function payloadsOf(store: Store, name: string): Promise<unknown[]> {
  const head = await store.head(name);
  return (await store.read(name, head!.start, { maxItems: 100_000, maxBytes: 1e9 })).items.map((item) => item.payload);
}
