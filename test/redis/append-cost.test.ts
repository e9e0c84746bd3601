// What an append costs Redis, in commands; and that what was left out of it, asking for the primary, is made good.

import { Redis } from "ioredis";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { closeAfterEach, connectors, ioredis, onClose, storeOver } from "./redis-clients.ts";
import { startPair, type RedisPair } from "./redis-pair.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

describe("append()", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedis();
  });
  closeAfterEach(undefined, () => server.end());

  test.each(connectors)(
    "of one item takes five commands over %s, and asks for the primary once a second",
    async (_name, connect) => {
      const admin = ioredis(server.port);
      const store = storeOver(await connect(server.port));
      const { epoch, head } = await store.claim("r", "a", 60_000);
      const append = (text: string): Promise<unknown> => store.append("r", [text], { epoch });
      for (let count = 0; count < 3; count++) await append("0");
      const secondOf = async (): Promise<number> => Number((await admin.time())[0]);
      const count = 200;
      const from = await secondOf();
      await admin.call("CONFIG", "RESETSTAT");
      for (let number = 0; number < count; number++) await append("1");
      const seconds = (await secondOf()) - from + 1;
      const info = await admin.info("commandstats");
      const calls = (command: string): number =>
        Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
      expect(["evalsha", "hmget", "rpush", "hset", "publish"].map(calls)).toEqual(Array(5).fill(count));
      expect(["hget", "hgetall", "eval", "pexpire", "lrange"].map(calls)).toEqual(Array(5).fill(0));
      expect(calls("time")).toBe(count + 1); // and `secondOf`
      expect(calls("info")).toBeLessThanOrEqual(seconds);
      expect((await store.read("r", head.start, { maxItems: 1_000, maxBytes: 1e6 })).items).toHaveLength(count + 3);
    },
  );

  test("tells the outcome again of a call whose record is too long for the stream's own hash", async () => {
    const client = ioredis(server.port);
    let repeats = 0;
    // Each append goes out twice, as after a broken connection, and the second answer is the one that counts.
    const twice = {
      callBuffer: async (...args: [string, ...string[]]) => {
        const first = await client.callBuffer(...args);
        const text = String(Array.isArray(first) ? first[0] : first);
        if (!/^\d+\n[wd]/.test(text)) return first;
        repeats++;
        return client.callBuffer(...args);
      },
      duplicate: () => client,
    };
    const store = storeOver(twice);
    const { head } = await store.create("s");
    const producer = (seq: number) => ({ producer: { id: "p", epoch: 0, seq } });
    const many = Array.from({ length: 50 }, (_, seq) => store.append("s", [String(seq)], producer(seq)));
    const results = await Promise.all(many);
    await store.append("s", ["last"]);
    expect(repeats).toBe(2);
    const { items } = await store.read("s", head.start, { maxItems: 100, maxBytes: 1e6 });
    expect(items.map((item) => item.payload)).toEqual([...Array.from({ length: 50 }, (_, seq) => String(seq)), "last"]);
    expect(results.map(({ tail }) => tail)).toEqual(items.slice(0, 50).map(({ offset }) => offset));
  });
});

describe("append() with a proof", () => {
  let pair: RedisPair;
  beforeEach(async () => {
    pair = await startPair();
  });
  closeAfterEach(undefined, () => pair.end());

  test.each(connectors)(
    "that waits for an answer when the primary dies does not take it along to the next, over %s",
    async (_name, connect) => {
      const [writer, other] = [storeOver(await connect(pair.network.port)), storeOver(ioredis(pair.network.port))];
      await writer.create("s");
      await writer.append("s", ["1"]);
      await writer.append("s", ["2"]);
      await pair.stopReplication();
      const lost = await other.append("s", ["3"]); // the writer does not know of it
      pair.network.stall();
      const next = writer.append("s", ["4"]);
      await pair.failOver();
      pair.network.restore();
      expect((await next).items[0]!.offset > lost.tail).toBe(true);
    },
  );

  test("leaps after its server was demoted and promoted again, though the connection has stayed", async () => {
    const admin = new Redis({ port: pair.primary.port });
    onClose(() => admin.disconnect());
    const store = storeOver(ioredis(pair.primary.port));
    await store.create("s");
    await store.append("s", ["1"]);
    const before = await store.append("s", ["2"]);
    const [second] = await admin.time();
    await admin.call("REPLICAOF", "127.0.0.1", String(pair.replica.port));
    await admin.call("REPLICAOF", "NO", "ONE");
    await vi.waitFor(async () => expect((await admin.time())[0]).not.toBe(second), { timeout: 10_000 });
    const after = await store.append("s", ["3"]);
    expect(after.before > before.tail).toBe(true);
  });
});
