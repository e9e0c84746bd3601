// How the Redis store is set up, what it needs, and what it leaves behind.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Redis } from "ioredis";
import { createClient } from "redis";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { RedisClient } from "../../src/log/redis-client.ts";
import { redisStore } from "../../src/log/redis.ts";
import type { Change } from "../../src/log/store.ts";
import { createStreams } from "../../src/log/streams.ts";
import { closeAfterEach, ioredis, nodeRedis, onClose, storeOver } from "./redis-clients.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

let server: RedisServer;
let admin: Redis;

beforeEach(async () => {
  server = await startRedis(["--appendfsync", "always"]);
  admin = ioredis(server.port);
});
closeAfterEach(undefined, () => server.end());

describe("redisStore()", () => {
  test("refuses keys of another program, other clients, and prefixes that would break the slots", async () => {
    await admin.set("tailrace:s:{s}:m", "mine");
    await expect(storeOver(ioredis(server.port)).head("s")).rejects.toMatchObject({ code: "store_damaged" });
    expect(() => redisStore({} as RedisClient)).toThrow(expect.objectContaining({ code: "input_invalid" }));
    for (const prefix of ["", "a{b", "a b"]) {
      expect(() => redisStore(admin, { prefix })).toThrow(expect.objectContaining({ code: "input_invalid" }));
    }
  });

  test("works for a user that may no more than docs/redis.md says", async () => {
    const page = await readFile(new URL("../../docs/redis.md", import.meta.url), "utf8");
    const rules = /`ACL SETUSER (app [^`]+)`/.exec(page)![1]!.split(" ");
    await admin.call("ACL", "SETUSER", ...rules);
    const client = ioredis(server.port, { username: "app", password: "secret" });
    const store = storeOver(client, { retryForMs: 500 });
    const other = storeOver(await nodeRedis(server.port));
    const changes: Change[] = [];
    onClose(store.watch((change) => changes.push(change)));
    const { epoch } = await store.claim("r", "a", 5_000);
    await vi.waitFor(async () => expect(await admin.client("LIST", "TYPE", "PUBSUB")).toContain("user=app"));
    const { tail } = await other.append("r", ["1"], { epoch });
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
    const one = redisStore(ioredis(server.port));
    const other = redisStore(createClient({ url: `redis://user:secret@127.0.0.1:${server.port}/0` }));
    expect(other.key).toBe(one.key);
    expect(redisStore(ioredis(server.port), { prefix: "p" }).key).not.toBe(one.key);
  });

  test("refuses calls after close(), and leaves the client open", async () => {
    const client = ioredis(server.port);
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
    const store = storeOver(ioredis(server.port));
    await store.create("s", { ttlMs: 3_000, maxAgeMs: 6_000 });
    await store.append("s", ["1"], { producer: { id: "p", epoch: 0, seq: 0 } });
    const keys = await admin.keys("*");
    expect(keys.length).toBeGreaterThanOrEqual(4);
    for (const key of keys) expect(await admin.pttl(key), key).toBeGreaterThan(0);
    await vi.waitFor(async () => expect(await store.head("s")).toBeUndefined());
    expect((await store.create("s")).created).toBe(true);
  });
});

describe("createStreams() over redisStore()", () => {
  test("one process runs, another follows and stops", async () => {
    const [owner, reader] = [ioredis(server.port), await nodeRedis(server.port)].map((client) => {
      const streams = createStreams({ store: redisStore(client, { prefix: "p" }) });
      onClose(() => streams.close());
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
