// A Redis that crashes, is full, is a replica, forgets scripts or loses an answer; and connections that break.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisArgument, RedisClient } from "../../src/log/redis-client.ts";
import { redisStore } from "../../src/log/redis.ts";
import type { Change, Store } from "../../src/log/store.ts";
import { createStreams } from "../../src/log/streams.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

let server: RedisServer;
let admin: Redis;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  server = await startRedis(["--appendfsync", "always"]);
  admin = ioredis();
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await server.end();
});

function ioredis(): Redis {
  const client = new Redis({
    host: "127.0.0.1",
    port: server.port,
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
  });
  client.on("error", () => {});
  closers.push(() => client.disconnect());
  return client;
}

async function nodeRedis(): Promise<ReturnType<typeof createClient>> {
  const client = createClient({ url: server.url, socket: { reconnectStrategy: () => 20 } });
  client.on("error", () => {});
  await client.connect();
  closers.push(() => client.destroy());
  return client as ReturnType<typeof createClient>;
}

function storeOver(client: RedisClient, retryForMs = 100_000): Store {
  const store = redisStore(client, { retryForMs });
  closers.push(() => store.close());
  return store;
}

async function payloadsOf(store: Store, name: string): Promise<unknown[]> {
  const head = await store.head(name);
  return (await store.read(name, head!.start, { maxItems: 100_000, maxBytes: 1e9 })).items.map((item) => item.payload);
}

const clients: Record<string, () => Promise<RedisClient>> = {
  ioredis: async () => ioredis(),
  "node-redis": nodeRedis,
};

describe.each(Object.entries(clients))("redisStore() over %s", (_name, connect) => {
  test("keeps every append once and in order over a crash of Redis", async () => {
    const store = storeOver(await connect());
    await store.create("s");
    const appends: Promise<unknown>[] = [];
    let count = 0;
    const writing = setInterval(() => {
      for (let index = 0; index < 5; index++) appends.push(store.append("s", [String(count++)]));
    }, 1);
    for (let crash = 0; crash < 3; crash++) {
      const before = count;
      await vi.waitFor(() => expect(count).toBeGreaterThan(before + 50));
      await server.kill();
      await server.start();
    }
    clearInterval(writing);
    await Promise.all(appends);
    expect(await payloadsOf(store, "s")).toEqual(Array.from({ length: count }, (_, index) => String(index)));
  });

  test("fails with store_unavailable while Redis is away, within its time, and works again afterwards", async () => {
    const store = storeOver(await connect(), 2_000);
    await store.create("s");
    await server.kill();
    const fault = { code: "store_unavailable", message: expect.stringContaining("Redis at 127.0.0.1") };
    await expect(store.append("s", ["1"])).rejects.toMatchObject(fault);
    await expect(store.head("s")).rejects.toMatchObject(fault);
    await server.start();
    await vi.waitFor(async () => expect((await store.append("s", ["2"])).duplicate).toBe(false));
    expect((await payloadsOf(store, "s")).at(-1)).toBe("2");
  });

  test("tells what was missed while the subscriber's connection was away", async () => {
    const store = storeOver(await connect());
    const other = storeOver(ioredis());
    const { head } = await store.create("s");
    const changes: Change[] = [];
    closers.push(store.watch((change) => changes.push(change)));
    await store.read("s", head.start, { maxItems: 1, maxBytes: 1 });
    await vi.waitFor(async () => expect(await admin.client("LIST", "TYPE", "PUBSUB")).toContain("id="));
    // In one step, so that the message cannot come through.
    const [, appended] = await Promise.all([admin.client("KILL", "TYPE", "PUBSUB"), other.append("s", ["1"])]);
    await vi.waitFor(() => expect(changes.map(({ tail }) => tail)).toContain(appended.tail));
  });

  test("uses two connections, and none but the echo's commands while a thousand streams are idle", async () => {
    const client = await connect();
    const store = storeOver(client);
    const ids = (list: unknown): number => String(list).trim().split("\n").length;
    const others = ids(await admin.client("LIST"));
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => store.create(`s${index}`)));
    for (let index = 0; index < 5; index++) closers.push(store.watch(() => undefined));
    for (let index = 0; index < 1_000; index++)
      await store.read(`s${index}`, (await store.head(`s${index}`))!.start, { maxItems: 1, maxBytes: 1 });
    await vi.waitFor(async () => expect(await admin.client("LIST", "TYPE", "PUBSUB")).toContain("id="));
    expect(ids(await admin.client("LIST"))).toBe(others + 1);
    // Two echoes: what was in doubt at the start has been looked at, and from then on nothing is.
    const echoes = async (): Promise<number> =>
      Number(/cmdstat_publish:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1] ?? 0);
    const start = await echoes();
    await vi.waitFor(async () => expect(await echoes()).toBeGreaterThan(start + 1));
    // An echo that a busy machine holds up is a doubt too, so it may be a later pair of them.
    await vi.waitFor(async () => {
      await admin.config("RESETSTAT");
      await vi.waitFor(async () => expect(await echoes()).toBeGreaterThan(1));
      expect(await admin.info("commandstats")).not.toContain("evalsha");
    });
  });
});

describe("redisStore()", () => {
  /** A client that loses the answers to the commands that `isLost` chooses, after Redis has carried them out. */
  function losing(isLost: (args: readonly RedisArgument[]) => boolean): RedisClient {
    const client = ioredis();
    return {
      async callBuffer(...args: [string, ...string[]]): Promise<unknown> {
        const reply = await client.callBuffer(...args);
        if (isLost(args)) throw new Error("Connection is closed.");
        return reply;
      },
      duplicate: () => client.duplicate(),
    };
  }

  test("makes an append once whose answer was lost, and answers it as the first time", async () => {
    let lost = 0;
    const store = storeOver(losing((args) => args.includes("s") && lost++ % 2 === 1));
    await store.create("s");
    const results = await Promise.all(["1", "2", "3"].map((payload) => store.append("s", [payload])));
    const later = await store.append("s", ["4"], { end: { reason: "completed" } });
    expect(lost).toBeGreaterThan(3);
    expect(await payloadsOf(store, "s")).toEqual(["1", "2", "3", "4"]);
    expect([...results, later].map((result) => result.duplicate)).toEqual([false, false, false, false]);
    expect(later).toMatchObject({ before: results[2]!.tail, end: { reason: "completed" } });
  });

  test("gives a run to the claim whose answer was lost", async () => {
    let lost = 0;
    const store = storeOver(losing((args) => args.includes("r") && lost++ % 2 === 0));
    expect(await store.claim("r", "a", 5_000)).toMatchObject({ claimed: true, epoch: 1 });
    expect((await store.claim("r", "a", 5_000)).claimed).toBe(false);
  });

  test("does not carry out a call that comes after a later one", async () => {
    const client = ioredis();
    const held: (() => Promise<unknown>)[] = [];
    let isHolding = false;
    const slow = {
      callBuffer: (...args: [string, ...string[]]): Promise<unknown> => {
        if (!isHolding || !args.includes("late")) return client.callBuffer(...args);
        held.push(() => client.callBuffer(...args));
        return new Promise(() => {});
      },
      duplicate: () => client.duplicate(),
    };
    const store = storeOver(slow, 100);
    await store.create("s");
    isHolding = true;
    await expect(store.append("s", ["late"])).rejects.toMatchObject({ code: "store_unavailable" });
    await store.append("s", ["next"]);
    expect(String(await held[0]!())).toBe("s");
    expect(await payloadsOf(store, "s")).toEqual(["next"]);
  });

  test("says that Redis is full, keeps nothing of what it refused, and still reads", async () => {
    const store = storeOver(ioredis(), 2_000);
    await store.create("s", { ttlMs: 60_000 });
    await store.append("s", ["1"]);
    await admin.config("SET", "maxmemory", "1mb");
    const fault = { code: "store_unavailable", message: expect.stringContaining("maxmemory") };
    await expect(store.append("s", ["2"], { end: { reason: "completed" } })).rejects.toMatchObject(fault);
    expect(await payloadsOf(store, "s")).toEqual(["1"]);
    expect((await store.head("s"))!.end).toBeUndefined();
    await admin.config("SET", "maxmemory", "0");
    await store.append("s", ["3"]);
    expect(await payloadsOf(store, "s")).toEqual(["1", "3"]);
  });

  test("waits for a replica to become the primary, and keeps the order", async () => {
    const store = storeOver(ioredis());
    await store.create("s");
    await store.append("s", ["0"]);
    await admin.replicaof("127.0.0.1", "1");
    const appends = ["1", "2", "3"].map((payload) => store.append("s", [payload]));
    await admin.replicaof("NO", "ONE");
    await Promise.all(appends);
    expect(await payloadsOf(store, "s")).toEqual(["0", "1", "2", "3"]);
    await admin.replicaof("127.0.0.1", "1");
    const fault = { code: "store_unavailable", message: expect.stringContaining("replica") };
    await expect(storeOver(ioredis(), 100).append("s", ["4"])).rejects.toMatchObject(fault);
  });

  test("says that too few replicas are there", async () => {
    const store = storeOver(ioredis(), 100);
    await admin.config("SET", "min-replicas-to-write", "1");
    const fault = { code: "store_unavailable", message: expect.stringContaining("min-replicas-to-write") };
    await expect(store.create("s")).rejects.toMatchObject(fault);
  });

  test("goes on when Redis has forgotten its scripts", async () => {
    const store = storeOver(ioredis());
    await store.create("s");
    await admin.script("FLUSH");
    await Promise.all(["1", "2", "3"].map((payload) => store.append("s", [payload])));
    expect(await payloadsOf(store, "s")).toEqual(["1", "2", "3"]);
  });

  test("refuses keys of another program, other clients, and prefixes that would break the slots", async () => {
    await admin.set("tailrace:s:{s}:m", "mine");
    await expect(storeOver(ioredis()).head("s")).rejects.toMatchObject({ code: "store_damaged" });
    expect(() => redisStore({} as RedisClient)).toThrow(expect.objectContaining({ code: "input_invalid" }));
    for (const prefix of ["", "a{b", "a b"]) {
      expect(() => redisStore(admin, { prefix })).toThrow(expect.objectContaining({ code: "input_invalid" }));
    }
  });

  test("works for a user that may no more than docs/redis.md says", async () => {
    const page = await readFile(new URL("../../docs/redis.md", import.meta.url), "utf8");
    const rules = /`ACL SETUSER (app [^`]+)`/.exec(page)![1]!.split(" ");
    await admin.call("ACL", "SETUSER", ...rules);
    const client = new Redis({ host: "127.0.0.1", port: server.port, username: "app", password: "secret" });
    closers.push(() => client.disconnect());
    const store = storeOver(client, 500);
    const other = storeOver(await nodeRedis());
    const changes: Change[] = [];
    closers.push(store.watch((change) => changes.push(change)));
    await store.claim("r", "a", 5_000);
    await vi.waitFor(async () => expect(await admin.client("LIST", "TYPE", "PUBSUB")).toContain("user=app"));
    const { tail } = await other.append("r", ["1"], { epoch: 1 });
    await vi.waitFor(() => expect(changes.map((change) => change.tail)).toContain(tail));
    expect(await store.reap()).toEqual([]);
    await expect(client.get("other")).rejects.toThrow("NOPERM");
  });

  test("says that a client of node-redis is not connected", async () => {
    const store = redisStore(createClient({ url: server.url }));
    const fault = { code: "store_unavailable", message: expect.stringContaining("connect()") };
    await expect(store.open()).rejects.toMatchObject(fault);
  });

  test("gives key the place without a password, and one key to two clients of one place", async () => {
    const one = redisStore(ioredis());
    const other = redisStore(createClient({ url: `redis://user:secret@127.0.0.1:${server.port}/0` }));
    expect(other.key).toBe(one.key);
    expect(redisStore(ioredis(), { prefix: "p" }).key).not.toBe(one.key);
  });

  test("refuses calls after close(), and leaves the client open", async () => {
    const client = ioredis();
    const store = redisStore(client);
    await store.create("s");
    const append = store.append("s", ["1"]);
    await store.close();
    expect((await append).items).toHaveLength(1);
    await expect(store.head("s")).rejects.toMatchObject({ code: "closed" });
    await expect(store.append("s", ["2"])).rejects.toMatchObject({ code: "closed" });
    expect(await client.ping()).toBe("PONG");
  });

  test("expires a stream by the server's time and leaves no key of it behind for ever", async () => {
    const store = storeOver(ioredis());
    await store.create("s", { ttlMs: 3_000, maxAgeMs: 6_000 });
    await store.append("s", ["1"], { producer: { id: "p", epoch: 0, seq: 0 } });
    const keys = await admin.keys("*");
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) expect(await admin.pttl(key), key).toBeGreaterThan(0);
    await vi.waitFor(async () => expect(await store.head("s")).toBeUndefined());
    expect((await store.create("s")).created).toBe(true);
  });
});

describe("createStreams() over redisStore()", () => {
  test("one process runs, another follows and stops", async () => {
    const [owner, reader] = [ioredis(), await nodeRedis()].map((client) => {
      const streams = createStreams({ store: redisStore(client, { prefix: "p" }) });
      closers.push(() => streams.close());
      return streams;
    });
    const asked = new AbortController();
    await owner!.run("r", async function* ({ signal }) {
      yield 1;
      yield 2;
      signal.addEventListener("abort", () => asked.abort());
      await once(asked.signal, "abort");
    });
    const seen: unknown[] = [];
    for await (const value of reader!.follow("r")) {
      seen.push(value);
      if (seen.length === 2) await reader!.stop("r");
    }
    expect(seen).toEqual([1, 2]);
    expect(await owner!.run("r", () => []).then((run) => run.ended())).toEqual({ reason: "stopped" });
  });
});
