// A Redis that crashes, forgets scripts or loses an answer; and connections that break.

import type { Redis } from "ioredis";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisArgument, RedisClient } from "../../src/log/redis-client.ts";
import type { Change } from "../../src/log/store.ts";
import { closeAfterEach, connectors, ioredis, onClose, payloadsOf, storeOver } from "./redis-clients.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

let server: RedisServer;
let admin: Redis;

beforeEach(async () => {
  server = await startRedis(["--appendfsync", "always"]);
  admin = ioredis(server.port);
});
closeAfterEach(undefined, () => server.end());

describe.each(connectors)("redisStore() over %s", (_name, connect) => {
  test("keeps every append once and in order over a crash of Redis", async () => {
    const store = storeOver(await connect(server.port));
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
    const store = storeOver(await connect(server.port), { retryForMs: 2_000 });
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
    const store = storeOver(await connect(server.port));
    const other = storeOver(ioredis(server.port));
    const { head } = await store.create("s");
    const changes: Change[] = [];
    onClose(store.watch((change) => changes.push(change)));
    await store.read("s", head.start, { maxItems: 1, maxBytes: 1 });
    await vi.waitFor(async () => expect(await admin.client("LIST", "TYPE", "PUBSUB")).toContain("id="));
    // In one step, so that the message cannot come through.
    const [, appended] = await Promise.all([admin.client("KILL", "TYPE", "PUBSUB"), other.append("s", ["1"])]);
    await vi.waitFor(() => expect(changes.map(({ tail }) => tail)).toContain(appended.tail));
  });

  test("uses two connections, and none but the echo's commands while a thousand streams are idle", async () => {
    const client = await connect(server.port);
    const store = storeOver(client);
    const ids = (list: unknown): number => String(list).trim().split("\n").length;
    const others = ids(await admin.client("LIST"));
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => store.create(`s${index}`)));
    for (let index = 0; index < 5; index++) onClose(store.watch(() => undefined));
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
    const client = ioredis(server.port);
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
    expect(await store.claim("r", "a", 5_000)).toMatchObject({ claimed: true });
    expect((await store.claim("r", "a", 5_000)).claimed).toBe(false);
  });

  test("does not carry out a call that comes after a later one", async () => {
    const client = ioredis(server.port);
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
    const store = storeOver(slow, { retryForMs: 100 });
    await store.create("s");
    isHolding = true;
    await expect(store.append("s", ["late"])).rejects.toMatchObject({ code: "store_unavailable" });
    await store.append("s", ["next"]);
    expect(String(await held[0]!())).toBe("s");
    expect(await payloadsOf(store, "s")).toEqual(["next"]);
  });

  test("goes on when Redis has forgotten its scripts", async () => {
    const store = storeOver(ioredis(server.port));
    await store.create("s");
    await admin.script("FLUSH");
    await Promise.all(["1", "2", "3"].map((payload) => store.append("s", [payload])));
    expect(await payloadsOf(store, "s")).toEqual(["1", "2", "3"]);
  });
});
