// The stores of the crash test, as a writer is told of them and as its parent opens them.

import { Redis } from "ioredis";
import { systemClock, type Clock } from "../../src/clock.ts";
import type { Store } from "../../src/log/store.ts";
import { redisStore } from "../../src/redis.ts";
import { sqliteStore } from "../../src/sqlite.ts";

/** Where a store is. */
export type StoreSpec =
  | { readonly kind: "sqlite"; readonly path: string; readonly durability: "process" | "disk" }
  | { readonly kind: "redis"; readonly port: number };

export interface OpenStore {
  readonly store: Store;
  close(): Promise<void>;
}

/** How long a call waits for a Redis that is away, in milliseconds: longer than a restart on a slow machine. */
const RETRY_MS = 60_000;

/** Opens a store whose clock is ahead by what `aheadMs` gives: so a lease runs out without a wait. */
export function openStore(spec: StoreSpec, aheadMs: () => number): OpenStore {
  const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs() };
  if (spec.kind === "sqlite") {
    const store = sqliteStore(spec.path, { durability: spec.durability, clock });
    return { store, close: () => store.close() };
  }
  const client = new Redis({
    host: "127.0.0.1",
    port: spec.port,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  client.on("error", () => {}); // it connects again by itself
  const store = redisStore(client, { prefix: "soak", retryForMs: RETRY_MS, clock });
  const close = async (): Promise<void> => {
    await store.close();
    client.disconnect();
  };
  return { store, close };
}
