// A network between the process and Redis that is cut, stalled, deaf or slow: nothing twice, nothing missing, and no
// append that says it was made when it was not. What the client is made with is what anybody would write.

import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisClient } from "../../src/log/redis-client.ts";
import { redisStore } from "../../src/log/redis.ts";
import type { AppendResult, Store } from "../../src/log/store.ts";
import { createStreams, type Streams } from "../../src/log/streams.ts";
import { badNetwork, type BadNetwork } from "./bad-network.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

let server: RedisServer;
let network: BadNetwork;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  server = await startRedis();
  network = await badNetwork(server.port);
});
afterEach(async () => {
  network.restore();
  for (const close of closers.splice(0).toReversed()) await close();
  await network.end();
  await server.end();
});

const clients: Record<string, (port: number) => Promise<RedisClient>> = {
  async ioredis(port) {
    const client = new Redis({ port, maxRetriesPerRequest: null });
    client.on("error", () => {});
    closers.push(() => client.disconnect());
    return client;
  },
  async "node-redis"(port) {
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on("error", () => {});
    await client.connect();
    closers.push(() => client.destroy());
    return client;
  },
};

/** What has been appended and how it went. */
interface Writer {
  readonly results: Promise<AppendResult>[];
  readonly stop: () => void;
}

/** Appends 0, 1, 2 ... as fast as a run does. */
function write(store: Store, name: string): Writer {
  const results: Promise<AppendResult>[] = [];
  const timer = setInterval(() => {
    const result = store.append(name, [String(results.length)]);
    result.catch(() => {});
    results.push(result);
  }, 5);
  const stop = (): void => clearInterval(timer);
  closers.push(stop);
  return { results, stop };
}

function streamsOver(store: Store): Streams {
  const streams = createStreams({ store: Object.assign(store, { key: crypto.randomUUID() }), leaseMs: 60_000 });
  closers.push(() => streams.close());
  return streams;
}

function follow(streams: Streams, name: string): number[] {
  const seen: number[] = [];
  const gone = new AbortController();
  closers.push(() => gone.abort());
  const read = async (): Promise<void> => {
    for await (const { value } of streams.follow<number>(name).entries({ signal: gone.signal })) seen.push(value);
  };
  read().catch((error: unknown) => seen.push(Number.NaN, error as number));
  return seen;
}

const faults: Record<string, () => void> = {
  "was cut": () => network.cut(),
  "was stalled": () => network.stall(),
  "swallowed both ways": () => network.swallow("both"),
  "swallowed what is sent": () => network.swallow("up"),
  "swallowed what is answered": () => network.swallow("down"),
};

describe.each(Object.entries(clients))("redisStore() over %s", (_name, connect) => {
  test.each(Object.entries(faults))(
    "goes on after a network that %s, each item once and in order",
    async (_how, harm) => {
      const store = redisStore(await connect(network.port), { retryForMs: 60_000 });
      const near = redisStore(await connect(server.port));
      closers.push(() => near.close());
      const streams = streamsOver(store);
      await store.create("s");
      const seen = follow(streams, "s");
      const { results, stop } = write(store, "s");
      await vi.waitFor(() => expect(seen.length).toBeGreaterThan(20));
      harm();
      // Long enough for the other side to be missed, and shorter than a call is tried for.
      const before = results.length;
      await vi.waitFor(() => expect(results.length).toBeGreaterThan(before + 400));
      const away = seen.length;
      const tail = (await near.head("s"))!.tail;
      network.restore();
      const start = performance.now();
      await vi.waitFor(() => expect(seen.length).toBeGreaterThan(away), { interval: 5 });
      await vi.waitFor(async () => expect((await near.head("s"))!.tail > tail).toBe(true), {
        interval: 5,
      });
      if (process.env["TAILRACE_MEASURE"] !== undefined)
        console.log(`${_name}, ${_how}: ${Math.round(performance.now() - start)} ms`);
      stop();
      await Promise.all(results);
      const all = Array.from(results, (_, index) => index);
      await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(all.length));
      expect(seen).toEqual(all);
    },
    60_000,
  );

  test("an append that cannot be acknowledged fails in its time, and is there once or not at all", async () => {
    const store = redisStore(await connect(network.port), { retryForMs: 300 });
    const near = redisStore(await connect(server.port));
    closers.push(
      () => store.close(),
      () => near.close(),
    );
    const { head } = await store.create("s");
    network.swallow("down"); // Redis gets it, and cannot say so
    await expect(store.append("s", ["1"])).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(store.head("s")).rejects.toMatchObject({ code: "store_unavailable" });
    network.restore();
    await vi.waitFor(async () => expect((await store.append("s", ["2"])).duplicate).toBe(false));
    const items = (await near.read("s", head.start, { maxItems: 10, maxBytes: 1_000 })).items.map(
      ({ payload }) => payload,
    );
    expect(items.filter((payload) => payload === "1").length).toBeLessThanOrEqual(1);
    expect(items.at(-1)).toBe("2");
  });

  test("reads and writes over a slow network, and replaces no connection that is only slow", async () => {
    const store = redisStore(await connect(network.port), { retryForMs: 60_000 });
    const streams = streamsOver(store);
    await store.create("s");
    const seen = follow(streams, "s");
    await streams.append("s", [0]);
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    network.slow(100, 100_000);
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.append("s", [String(index + 1)])));
    await store.append("s", [JSON.stringify("x".repeat(50_000))]);
    await vi.waitFor(() => expect(seen).toHaveLength(22));
    expect(seen.slice(0, 21)).toEqual(Array.from({ length: 21 }, (_, index) => index));
  });
});
