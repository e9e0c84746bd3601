// What a hub makes of the changes that a store tells: with items that join on to its tail nothing is read, else once for all.

import { describe, expect, test, vi } from "vitest";
import { afterTurn } from "../clock.ts";
import { openFollow, type FollowPull } from "./follow.ts";
import { Hub } from "./hub.ts";
import { memoryStore } from "./memory.ts";
import type { AppendResult, Change, Store } from "./store.ts";

interface Stage {
  readonly hub: Hub;
  /** What an answer of `read` waits for after it was made: what happens meanwhile, it does not know. */
  holdReads(until: Promise<void>): void;
  /** Appends as another process does: nobody is told until `tell`. */
  write(...payloads: string[]): Promise<AppendResult>;
  /** Tells of an append; with its items or without. */
  tell(result: AppendResult, withItems: boolean): void;
  readonly reads: string[];
}

async function setUp(): Promise<Stage> {
  const inner = memoryStore();
  const reads: string[] = [];
  let held: Promise<void> | undefined;
  let listener: (change: Change) => void = () => {};
  const store: Store = Object.assign(Object.create(inner) as Store, {
    read: async (...args: Parameters<Store["read"]>) => {
      reads.push(args[1]);
      const result = await inner.read(...args);
      await held;
      return result;
    },
    head: (name: string) => inner.head(name),
    watch: (given: (change: Change) => void) => {
      listener = given;
      return () => {};
    },
  });
  await inner.create("s");
  const hub = new Hub(store, { onStop() {}, onRelease() {}, onUse() {} });
  return {
    hub,
    holdReads(until) {
      held = until;
    },
    reads,
    write: (...payloads) => inner.append("s", payloads),
    tell(result, withItems) {
      const appended = withItems ? result : undefined;
      listener({ name: "s", tail: result.tail, ended: false, stopRequested: false, appended });
    },
  };
}

/** A follower that has caught up. */
async function live({ hub, reads }: Stage): Promise<FollowPull> {
  const pull = (await openFollow(hub, "s", { after: "now" })).pull();
  expect(await pull.next()).toMatchObject({ value: { kind: "live" } });
  reads.length = 0;
  return pull;
}

async function take(pull: FollowPull, count: number): Promise<unknown[]> {
  const given: unknown[] = [];
  while (given.length < count) {
    const { value } = await pull.next();
    if (value?.kind === "item") given.push(value.item.payload);
  }
  return given;
}

describe("Hub", () => {
  test("gives the items that a change tells to all followers, and reads nothing", async () => {
    const stage = await setUp();
    const pulls = [await live(stage), await live(stage)];
    for (const payload of ["1", "2"]) stage.tell(await stage.write(payload), true);
    for (const pull of pulls) expect(await take(pull, 2)).toEqual(["1", "2"]);
    expect(stage.reads).toEqual([]);
    for (const pull of pulls) pull.close();
  });

  test("reads once for all followers when a change was lost before, and goes on without reading", async () => {
    const stage = await setUp();
    const pulls = await Promise.all(Array.from({ length: 100 }, () => live(stage)));
    await stage.write("1");
    stage.tell(await stage.write("2"), true);
    for (const pull of pulls) expect(await take(pull, 2)).toEqual(["1", "2"]);
    expect(stage.reads).toHaveLength(1);
    stage.tell(await stage.write("3"), true);
    for (const pull of pulls) expect(await take(pull, 1)).toEqual(["3"]);
    expect(stage.reads).toHaveLength(1);
    for (const pull of pulls) pull.close();
  });

  test("reads on when it is told of more while an answer is on its way that was made before", async () => {
    const stage = await setUp();
    const pull = await live(stage);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    stage.holdReads(held);
    stage.tell(await stage.write("1"), false);
    await vi.waitFor(() => expect(stage.reads).toHaveLength(1));
    stage.tell(await stage.write("2"), true); // it joins on to what is still on its way
    await new Promise((resolve) => afterTurn(() => afterTurn(() => resolve(undefined)))); // and cannot be read meanwhile
    release();
    expect(await take(pull, 2)).toEqual(["1", "2"]);
    expect(stage.reads).toHaveLength(2);
    pull.close();
  });

  test("gives each item once when a change is told twice, late, or after a read that has found its items", async () => {
    const stage = await setUp();
    const pull = await live(stage);
    const results = [await stage.write("1"), await stage.write("2"), await stage.write("3")];
    stage.tell(results[1]!, true); // before the first: it is read
    for (const result of [...results, ...results]) stage.tell(result, true);
    expect(await take(pull, 3)).toEqual(["1", "2", "3"]);
    stage.tell(results[0]!, true);
    stage.tell(await stage.write("4"), false);
    expect(await take(pull, 1)).toEqual(["4"]);
    pull.close();
  });
});
