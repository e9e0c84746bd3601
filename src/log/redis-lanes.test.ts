// What goes together in one call, and what waits.

import { describe, expect, test, vi } from "vitest";
import type { RedisArgument } from "./redis-client.ts";
import { AppendLanes, MAX_APPENDS_PER_CALL, MAX_CALL_BYTES, MAX_WAITING_APPENDS } from "./redis-lanes.ts";
import type { AppendOptions } from "./store.ts";

/** Stands for Redis: takes every append, and counts how many items each call has, and in how many groups they come. */
function setUp(): { lanes: AppendLanes; calls: number[]; groups: number[]; numbers: string[] } {
  const calls: number[] = [];
  const groups: number[] = [];
  const numbers: string[] = [];
  let tail = 0;
  const lanes = new AppendLanes(
    async (_name, args: readonly RedisArgument[]) => {
      numbers.push(String(args[0]));
      let items = 0;
      let count = 0;
      for (let position = 1; position < args.length; count++) {
        const own = Number(args[position + 2]);
        items += own;
        position += (args[position + 3] === "" ? 4 : 11) + own;
      }
      calls.push(items);
      groups.push(count);
      tail += items;
      return [String(tail - items), ...Array.from({ length: count }, () => "w")].join("\n");
    },
    () => undefined,
  );
  return { lanes, calls, groups, numbers };
}

describe("AppendLanes", () => {
  test("makes one call of what is appended in one turn, up to MAX_APPENDS_PER_CALL", async () => {
    const { lanes, calls } = setUp();
    const append = (count: number): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, () => lanes.append("s", ["1"], {})));
    await append(MAX_APPENDS_PER_CALL);
    expect(calls.splice(0)).toEqual([MAX_APPENDS_PER_CALL]);
    await append(MAX_APPENDS_PER_CALL + 1);
    expect(calls).toEqual([MAX_APPENDS_PER_CALL, 1]);
  });

  test("adds no append to a call that would have more than MAX_CALL_BYTES, and lets a single one be larger", async () => {
    const { lanes, calls } = setUp();
    const append = (...sizes: number[]): Promise<unknown> =>
      Promise.all(sizes.map((size) => lanes.append("s", ["x".repeat(size)], {})));
    await append(MAX_CALL_BYTES - 1, 1);
    expect(calls.splice(0)).toEqual([2]);
    await append(MAX_CALL_BYTES - 1, 2);
    expect(calls.splice(0)).toEqual([1, 1]);
    await append(MAX_CALL_BYTES + 1, 1);
    expect(calls).toEqual([1, 1]);
  });

  test("gives each append its own place, and each call a greater number", async () => {
    const { lanes, numbers } = setUp();
    const results = await Promise.all(["1", "2", "3"].map((payload) => lanes.append("s", [payload], {})));
    await lanes.append("t", ["4"], {});
    await lanes.idle();
    expect(results.slice(1).map((result) => result.before)).toEqual(results.slice(0, -1).map((result) => result.tail));
    expect(numbers).toEqual(["1", "2"]);
  });

  test("sends appends that differ in nothing but their items as one, and others each by itself", async () => {
    const { lanes, calls, groups } = setUp();
    const append = async (...optionsOf: AppendOptions[]): Promise<number> => {
      const results = await Promise.all(optionsOf.map((options) => lanes.append("s", ["1", "2"], options)));
      expect(results.map((result) => result.items.length)).toEqual(optionsOf.map(() => 2));
      expect(results.slice(1).map(({ before }) => before)).toEqual(results.slice(0, -1).map(({ tail }) => tail));
      return groups.pop()!;
    };
    expect(await append({}, {}, {})).toBe(1);
    expect(await append({ epoch: 1 }, { epoch: 1 })).toBe(1);
    expect(await append({ epoch: 1 }, { epoch: 2 })).toBe(2);
    expect(await append({ epoch: 1 }, {})).toBe(2);
    expect(await append({}, { end: { reason: "completed" } })).toBe(2);
    expect(await append({ expect: "now" }, { expect: "now" })).toBe(2);
    expect(await append({ producer: { id: "p", epoch: 0, seq: 0 } })).toBe(1);
    expect(await append({ epoch: 1, release: true }, { epoch: 1, release: true })).toBe(2);
    await Promise.all([lanes.append("s", ["1"], {}), lanes.append("s", [new Uint8Array(1)], {})]);
    expect(groups.pop()).toBe(2);
    await Promise.all([lanes.append("s", ["1"], {}), lanes.append("s", [], {})]);
    expect(groups.pop()).toBe(2);
    expect(calls.slice(0, 2)).toEqual([6, 4]);
  });

  test("refuses one append more than MAX_WAITING_APPENDS", async () => {
    const send = vi.fn(async () => "u");
    const lanes = new AppendLanes(send, () => undefined);
    const appends = Array.from({ length: MAX_WAITING_APPENDS }, () => lanes.append("s", [], {}).catch(() => "unknown"));
    await expect(lanes.append("s", [], {})).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await appends.at(-1)).toBe("unknown");
    await expect(lanes.append("s", [], {})).rejects.toMatchObject({ code: "stream_unknown" });
  });

  test("goes on with the next call after one that failed", async () => {
    const send = vi.fn(async () => "0\nw").mockRejectedValueOnce(new Error("away"));
    const lanes = new AppendLanes(send, () => undefined);
    const first = lanes.append("s", ["1"], {});
    await expect(first).rejects.toThrow("away");
    expect((await lanes.append("s", ["2"], {})).items).toHaveLength(1);
  });
});
