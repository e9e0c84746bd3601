import { describe, expect, test } from "vitest";
import { ItemQueue } from "./item-queue.ts";

describe("ItemQueue", () => {
  test("push() asks the producer to wait at maxItems, and lets it go once there is room", async () => {
    const queue = new ItemQueue<number>(3);
    expect([queue.push(1), queue.push(2)]).toEqual([undefined, undefined]);
    const wait = queue.push(3);
    expect(wait).toBeInstanceOf(Promise);
    await queue.take();
    await wait;
    expect(queue.size).toBe(2);
  });

  test("take() gives the items in order, also past its own compaction", async () => {
    const queue = new ItemQueue<number>(5000);
    const expected = Array.from({ length: 3000 }, (_, index) => index);
    for (const item of expected) void queue.push(item);
    queue.finish(false);
    const seen: number[] = [];
    for (let taken = await queue.take(); taken !== undefined; taken = await queue.take()) seen.push(...taken);
    expect(seen).toEqual(expected);
  });

  test("takeAll() waits out a hold, up to a full queue", async () => {
    const queue = new ItemQueue<number>(3);
    queue.hold(true);
    void queue.push(1);
    let got: readonly number[] | undefined;
    const first = queue.takeAll().then((items) => (got = items));
    await Promise.resolve();
    await Promise.resolve();
    expect(got).toBeUndefined();
    queue.hold(false);
    expect(await first).toEqual([1]);
    queue.hold(true);
    const second = queue.takeAll();
    for (const item of [2, 3, 4]) void queue.push(item);
    expect(await second).toEqual([2, 3, 4]);
  });

  test("finish() hands out what is queued, then the failure", async () => {
    const queue = new ItemQueue<number>(3);
    void queue.push(1);
    queue.finish(false, { error: new Error("gone") });
    expect(await queue.take()).toEqual([1]);
    await expect(queue.take()).rejects.toThrow("gone");
  });

  test("finish() with discard drops what is queued and frees both sides", async () => {
    const queue = new ItemQueue<number>(1);
    const wait = queue.push(1);
    queue.finish(true);
    await wait;
    expect(await queue.takeAll()).toBeUndefined();
    expect(queue.push(2)).toBeUndefined();
    expect(queue.size).toBe(0);
  });
});
