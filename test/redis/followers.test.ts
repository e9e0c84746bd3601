// Ten thousand followers of a thousand streams in one process: what they cost the Redis, which is the streams and not the followers.

import { Redis } from "ioredis";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { FollowPull } from "../../src/log/follow.ts";
import { MAX_TOLD_BYTES } from "../../src/log/redis-append-script.ts";
import { redisStore } from "../../src/log/redis.ts";
import { Streams } from "../../src/log/streams.ts";
import type { Store } from "../../src/log/store.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

const STREAM_COUNT = 1_000;
const FOLLOWERS_PER_STREAM = 10;
const CHANNEL = "tailrace:changes";
const LIMIT_MS = 240_000;

let server: RedisServer;
let admin: Redis;
let client: Redis;
/** The process that follows. */
let streams: Streams;
let writerClient: Redis;
/** The process that writes. */
let writer: Store;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.end());
beforeEach(async () => {
  admin = new Redis(server.url);
  await admin.flushall();
  client = new Redis(server.url, { connectionName: "followers" });
  writerClient = new Redis(server.url);
  streams = new Streams({ store: redisStore(client) }, () => {});
  writer = redisStore(writerClient);
});
afterEach(async () => {
  await streams.close();
  await writer.close();
  for (const each of [admin, client, writerClient]) each.disconnect();
});

/** The connections of the process that follows. */
async function connectionCount(): Promise<number> {
  const list = String(await admin.call("CLIENT", "LIST"));
  return list.split("\n").filter((line) => line.includes(" name=followers ")).length;
}

/** How often each command was carried out since the last `CONFIG RESETSTAT`, by scripts or without. */
async function callCounts(): Promise<(command: string) => number> {
  const info = await admin.info("commandstats");
  return (command) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

async function caughtUp(name: string): Promise<FollowPull> {
  const pull = (await streams.follow(name).open({ after: "now" })).pull();
  const { value } = await pull.next();
  if (value?.kind !== "live") throw new Error(`${name}: the follower has not caught up.`);
  return pull;
}

/** The items up to the end of the stream, or the first `count`. */
async function items(pull: FollowPull, count = Number.POSITIVE_INFINITY): Promise<unknown[]> {
  const given: unknown[] = [];
  while (given.length < count) {
    const { done, value } = await pull.next();
    if (done === true) break;
    if (value.kind === "gap") throw new Error("There is a gap.");
    if (value.kind === "item") given.push(value.item.payload);
  }
  return given;
}

/** Resolves with how often `command` was carried out while three echoes of the process came. */
async function whileIdle(commands: readonly string[]): Promise<number> {
  const listener = new Redis(server.url);
  try {
    await listener.subscribe(CHANNEL);
    const echoes = Promise.withResolvers<void>();
    let count = 0;
    listener.on("message", () => {
      if (++count === 3) echoes.resolve();
    });
    await admin.call("CONFIG", "RESETSTAT");
    await echoes.promise;
    const calls = await callCounts();
    return commands.reduce((sum, command) => sum + calls(command), 0);
  } finally {
    listener.disconnect();
  }
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

test(
  "10,000 followers of 1,000 streams have two connections, each gets each item once and in order, and nothing is read for a follower",
  async () => {
    const names = Array.from({ length: STREAM_COUNT }, (_, index) => `s${index}`);
    await Promise.all(names.map((name) => writer.create(name)));
    await streams.open();
    expect(await connectionCount()).toBe(1);

    const heapBefore = heapUsed();
    const pulls: FollowPull[] = [];
    for (const name of names) {
      pulls.push(...(await Promise.all(Array.from({ length: FOLLOWERS_PER_STREAM }, () => caughtUp(name)))));
    }
    expect(pulls).toHaveLength(10_000);
    const given = pulls.map((pull) => items(pull)); // all of them wait from here on
    const bytesPerFollower = (heapUsed() - heapBefore) / pulls.length;
    expect(streams.counts.channels).toBe(STREAM_COUNT);
    expect(await connectionCount()).toBe(2);
    expect(bytesPerFollower).toBeLessThan(8_192);

    // A machine that stands still for a second makes an echo late, and then the streams are looked at: not always.
    const polls = ["evalsha", "eval", "hmget", "lrange", "publish"];
    let idleCalls = Number.POSITIVE_INFINITY;
    await vi.waitFor(
      async () => {
        idleCalls = await whileIdle(polls);
        expect(idleCalls).toBeLessThan(100);
      },
      { timeout: 60_000, interval: 1 },
    );

    await admin.call("CONFIG", "RESETSTAT");
    const appendCount = 5;
    await Promise.all(
      names.map(async (name, index) => {
        for (let count = 1; count <= appendCount; count++) {
          const isLast = count === appendCount;
          const payloads = [`"${index}: ${count} a"`, `"${index}: ${count} b"`];
          await writer.append(name, payloads, isLast ? { end: { reason: "completed" } } : {});
        }
      }),
    );
    for (const [index, got] of (await Promise.all(given)).entries()) {
      const stream = Math.floor(index / FOLLOWERS_PER_STREAM);
      const counts = Array.from({ length: appendCount }, (_, at) => at + 1);
      expect(got).toEqual(counts.flatMap((count) => [`"${stream}: ${count} a"`, `"${stream}: ${count} b"`]));
    }
    const calls = await callCounts();
    // One read per append at most, where each follower on its own would make ten; mostly there is none.
    expect(calls("lrange")).toBeLessThanOrEqual(STREAM_COUNT * appendCount);
    expect(streams.counts.channels).toBe(0);
    await vi.waitFor(async () => expect(await connectionCount()).toBe(1));
    expect(await admin.call("PUBSUB", "NUMSUB", CHANNEL)).toEqual([CHANNEL, 0]);
    console.info(
      `${Math.round(bytesPerFollower)} bytes per follower; ${idleCalls} commands in three idle seconds; ` +
        `${calls("lrange")} reads for ${STREAM_COUNT * appendCount} appends`,
    );
  },
  LIMIT_MS,
);

test.each([
  ["an item of MAX_TOLD_BYTES comes with its message and is not read", MAX_TOLD_BYTES, 0],
  ["an item of one byte more is read, once for all followers", MAX_TOLD_BYTES + 1, 1],
])(
  "%s",
  async (_name, bytes, reads) => {
    await writer.create("s");
    const pulls = await Promise.all(Array.from({ length: 100 }, () => caughtUp("s")));
    const payload = `"${"x".repeat(bytes - 2)}"`;
    // Where the process stood still for a second, the stream is looked at besides: not always.
    await vi.waitFor(
      async () => {
        await admin.call("CONFIG", "RESETSTAT");
        await writer.append("s", [payload]);
        for (const pull of pulls) expect(await items(pull, 1)).toEqual([payload]);
        expect((await callCounts())("lrange")).toBe(reads);
      },
      { timeout: 60_000, interval: 1 },
    );
    for (const pull of pulls) pull.close();
  },
  LIMIT_MS,
);
