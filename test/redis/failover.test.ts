// A replica that lags is made the primary: what it lacks had been acknowledged. Nobody may be given a wrong item for it.

import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisClient } from "../../src/log/redis-client.ts";
import { redisStore } from "../../src/log/redis.ts";
import type { Store } from "../../src/log/store.ts";
import { createStreams, type Streams } from "../../src/log/streams.ts";
import { startPair, type RedisPair } from "./redis-pair.ts";

const ALL = { maxItems: 100_000, maxBytes: 1e9 };

let pair: RedisPair;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  pair = await startPair();
});
afterEach(async () => {
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
    const client = createClient({
      url: `redis://127.0.0.1:${pair.network.port}`,
      socket: { reconnectStrategy: () => 20 },
    });
    client.on("error", () => {});
    await client.connect();
    closers.push(() => client.destroy());
    return client;
  },
};

/** A store as another process has it. */
async function storeOver(connect: () => Promise<RedisClient> = clients["ioredis"]!): Promise<Store> {
  const store = redisStore(await connect(), { retryForMs: 20_000 });
  closers.push(() => store.close());
  return store;
}

describe.each(Object.entries(clients))("redisStore() over %s and a replica that lagged", (_name, connect) => {
  test("gives no number a second time, and tells of the gap where acknowledged items were", async () => {
    const [writer, other] = [await storeOver(connect), await storeOver()];
    const { head } = await writer.create("s");
    const kept = await writer.append("s", ["1", "2"]);
    await pair.stopReplication();
    const lost = await writer.append("s", ["3", "4"]);
    await pair.failOver();
    expect((await other.head("s"))!.tail).toBe(kept.tail);
    await expect(other.read("s", lost.tail, ALL)).rejects.toMatchObject({ code: "gap" });
    const next = await writer.append("s", ["5"]);
    expect(next.items[0]!.offset > lost.tail).toBe(true);
    expect((await other.read("s", head.start, ALL)).items).toEqual(kept.items);
    const details = { earliest: next.before, latest: next.tail };
    for (const asked of [kept.tail, lost.items[0]!.offset, lost.tail]) {
      const gap = { code: "gap", details: { asked, ...details } };
      await expect(other.read("s", asked, ALL)).rejects.toMatchObject(gap);
    }
    expect(await other.read("s", next.before, ALL)).toMatchObject({ items: next.items, upToDate: true });
  });
  test("marks the leap of a writer that knew nothing, once one writes that knows what was lost", async () => {
    const [writer, other] = [await storeOver(connect), await storeOver()];
    const { head } = await writer.create("s");
    const kept = await writer.append("s", ["1"]);
    await pair.stopReplication();
    const lost = await writer.append("s", ["2"]);
    await pair.failOver();
    const foreign = await other.append("s", ["3"]);
    expect(foreign.items[0]!.offset > lost.tail).toBe(true);
    // Nobody who is alive has said that something is missing.
    expect((await other.read("s", head.start, ALL)).items).toEqual([...kept.items, ...foreign.items]);
    await expect(other.read("s", lost.tail, ALL)).rejects.toMatchObject({ code: "gap" });
    await writer.append("s", ["4"]);
    const gap = { code: "gap", details: { earliest: foreign.before } };
    await expect(other.read("s", kept.tail, ALL)).rejects.toMatchObject(gap);
    expect((await other.read("s", foreign.before, ALL)).items.map((item) => item.payload)).toEqual(["3", "4"]);
  });

  test("makes a stream that was lost anew behind what it was, and refuses what was of the old one", async () => {
    const writer = await storeOver(connect);
    await pair.stopReplication();
    await writer.create("s");
    const { tail } = await writer.append(
      "s",
      Array.from({ length: 50_000 }, () => "x"),
    );
    await pair.failOver();
    await expect(writer.append("s", ["y"])).rejects.toMatchObject({ code: "stream_unknown" });
    expect((await writer.create("s")).head.start > tail).toBe(true);
  });

  test("fences the owner of a claim that was lost, although both were the first", async () => {
    const [old, other] = [await storeOver(connect), await storeOver()];
    await old.create("r");
    await pair.stopReplication();
    const before = await old.claim("r", "a", 60_000);
    await pair.failOver();
    const after = await other.claim("r", "b", 60_000);
    expect([before.claimed, after.claimed]).toEqual([true, true]);
    await expect(old.append("r", ["a"], { epoch: before.epoch })).rejects.toMatchObject({ code: "fenced" });
    const { items } = await other.append("r", ["b"], { epoch: after.epoch });
    expect((await old.read("r", after.head.start, ALL)).items).toEqual(items);
  });
});

describe("createStreams() over a replica that lagged", () => {
  async function streamsOf(leaseMs = 60_000): Promise<Streams> {
    // Each under a key of its own, as in another process.
    const store = await storeOver();
    const streams = createStreams({ store: Object.assign(store, { key: crypto.randomUUID() }), leaseMs });
    closers.push(() => streams.close());
    return streams;
  }

  interface Follower {
    readonly seen: { readonly offset: string; readonly value: unknown }[];
    readonly gaps: { readonly asked: string; readonly earliest: string }[];
    readonly done: Promise<unknown>;
  }

  /** Follows as a reply does: a gap is told in band, and it goes on behind it. */
  async function follow(streams: Streams, name: string, after: string): Promise<Follower> {
    const pull = (await streams.follow(name).open({ after })).pull();
    closers.push(() => pull.close());
    const follower = { seen: [] as Follower["seen"][number][], gaps: [] as Follower["gaps"][number][] };
    const read = async (): Promise<unknown> => {
      for (;;) {
        const result = await pull.next();
        if (result.done === true) return pull.end;
        const event = result.value;
        if (event.kind === "gap") follower.gaps.push(event.gap);
        else if (event.kind === "item") {
          follower.seen.push({ offset: event.item.offset, value: JSON.parse(event.item.payload as string) });
        }
      }
    };
    return { ...follower, done: read() };
  }

  test("followers that have seen what is lost are told of a gap, and nobody misses what comes", async () => {
    const [writer, reader] = [await streamsOf(), await streamsOf()];
    await writer.append("s", [1]);
    const followers = [await follow(writer, "s", "start"), await follow(reader, "s", "start")];
    await pair.stopReplication();
    const lost = await writer.append("s", [2, 3]);
    for (const { seen } of followers) await vi.waitFor(() => expect(seen.map(({ value }) => value)).toEqual([1, 2, 3]));
    await pair.failOver();
    const next = await writer.append("s", [4]);
    expect(next.offsets[0]! > lost.tail).toBe(true);
    for (const { seen, gaps } of followers) {
      await vi.waitFor(() => expect(seen.at(-1)).toEqual({ offset: next.tail, value: 4 }));
      expect(gaps.length).toBeGreaterThan(0);
      // One number is one item, also where the reader was sent back.
      const values = new Map(seen.map(({ offset, value }) => [offset, value]));
      for (const { offset, value } of seen) expect(values.get(offset)).toBe(value);
      expect(new Set(values.values()).size).toBe(values.size);
    }
  });

  test("followers ahead of a stream in which nothing happens any more are told, too", async () => {
    const [writer, reader] = [await streamsOf(), await streamsOf()];
    await writer.append("s", [1]);
    const follower = await follow(reader, "s", "now");
    await pair.stopReplication();
    const lost = await writer.append("s", [2]);
    await vi.waitFor(() => expect(follower.seen).toHaveLength(1));
    await pair.failOver();
    await vi.waitFor(() => expect(follower.gaps).toMatchObject([{ asked: lost.tail }]));
  });

  test("a run whose end was lost ends as interrupted, though its process lives", async () => {
    const [owner, reader] = [await streamsOf(1_000), await streamsOf(1_000)];
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: forEver, resolve: finish } = Promise.withResolvers<void>();
    closers.push(finish);
    await owner.run("other", async function* () {
      yield 1;
      await forEver;
    });
    const run = await owner.run("r", async function* () {
      yield 1;
      await promise;
    });
    const follower = await follow(reader, "r", "start");
    await vi.waitFor(() => expect(follower.seen).toHaveLength(1));
    await pair.stopReplication();
    const ended = run.ended();
    resolve();
    await ended;
    expect(await follower.done).toEqual({ reason: "completed" });
    await pair.failOver();
    await vi.waitFor(async () => expect((await reader.head("r"))!.end).toEqual({ reason: "interrupted" }));
    expect((await reader.head("other"))!.end).toBeUndefined();
  });
});
