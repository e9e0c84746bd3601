// Owners: of several one takes a run over, and each way of losing one lets the next have it.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TailraceError } from "../errors.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import type { ReportedError } from "../trace.ts";
import { memoryStore } from "./memory.ts";
import { sqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";
import type { Streams } from "./streams.ts";
import { giveAndWait, Ground, LEASE_MS } from "./takeover.test-support.ts";
import type { InterruptedHandler } from "./takeover.ts";

let folder: string;
let ground: Ground;
let clock: ManualClock;
let store: Store;
let streams: Streams;
let reported: unknown[];

const note = (message: unknown): void => void reported.push((message as ReportedError).error);
const kinds = {
  memory: () => memoryStore({ name: folder, clock }),
  sqlite: () => sqliteStore(join(folder, "streams.db"), { clock }),
};

describe.each(["memory", "sqlite"] as const)("a run with carryOn over %s", (kind) => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tailrace-takeover-"));
    clock = createManualClock();
    ground = new Ground(clock, kinds[kind]);
    ({ store, streams } = ground);
    reported = [];
    subscribe("tailrace:error", note);
  });
  afterEach(async () => {
    await ground.close();
    unsubscribe("tailrace:error", note);
    await rm(folder, { recursive: true });
  });

  test("of two processes with handlers one carries the run on", async () => {
    await ground.leaveOrphan("r");
    const handler = vi.fn<InterruptedHandler>(() => [4]);
    for (const each of [streams, ground.otherProcess()]) each.onInterrupted("k", handler);
    expect(await ground.ended("r")).toBe("completed");
    clock.advance(LEASE_MS);
    await nextTurn();
    expect(handler).toHaveBeenCalledTimes(1);
    expect(await ground.valuesOf("r")).toEqual([1, 2, 3, 4]);
  });

  test("an owner that sleeps through its lease loses the run to another process, and its late items are dropped", async () => {
    const { promise: woken, resolve: wake } = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    await streams.run(
      "r",
      async function* ({ signal }) {
        signal.addEventListener("abort", () => aborted.resolve());
        yield 1;
        await woken;
        yield 2; // too late: the other process has written it
        await new Promise(() => undefined);
      },
      { carryOn: "k" },
    );
    await vi.waitFor(async () => expect(await ground.valuesOf("r")).toEqual([1]));
    clock.jump(LEASE_MS);
    const other = ground.otherProcess();
    other.onInterrupted("k", ({ signal }) => giveAndWait([2], signal));
    await vi.waitFor(async () => expect(await ground.valuesOf("r")).toEqual([1, 2]));
    wake();
    await aborted.promise;
    expect([streams.counts.runs, other.counts.runs]).toEqual([0, 1]);
    expect(await ground.valuesOf("r")).toEqual([1, 2]);
    expect(await ground.endOf("r")).toBeUndefined();
  });

  test("an owner that wakes first keeps its run, also if it has a handler itself", async () => {
    const handler = vi.fn<InterruptedHandler>(() => []);
    await streams.run("r", ({ signal }) => giveAndWait([1], signal), { carryOn: "k" });
    clock.jump(LEASE_MS * 2);
    streams.onInterrupted("k", handler);
    clock.advance(LEASE_MS / 4);
    await vi.waitFor(async () => expect(await store.orphans(["k"])).toEqual([]));
    ground.otherProcess().onInterrupted("k", handler);
    await nextTurn();
    expect(handler).not.toHaveBeenCalled();
    expect(streams.counts.runs).toBe(1);
  });

  test("drain() writes what was given, gives the run up, and another process carries it on at once", async () => {
    const other = ground.otherProcess();
    other.onInterrupted("k", () => [3]);
    const seen: number[] = [];
    const aborted = Promise.withResolvers<void>();
    await streams.run(
      "r",
      async function* ({ signal }) {
        signal.addEventListener("abort", () => aborted.resolve());
        yield* giveAndWait([1, 2], signal);
      },
      { carryOn: "k" },
    );
    await streams.run("plain", ({ signal }) => giveAndWait([1], signal));
    const reader = (async () => {
      for await (const value of other.follow<number>("r")) seen.push(value);
    })();
    await vi.waitFor(() => expect(seen).toEqual([1, 2]));
    await streams.drain();
    await aborted.promise;
    await reader; // without a tick: the other process, which follows, was told
    expect(seen).toEqual([1, 2, 3]);
    expect([await ground.endOf("r"), await ground.endOf("plain")]).toEqual(["completed", "interrupted"]);
  });

  test("drain() does not take its own runs again, and gives up one whose handler still thinks", async () => {
    await ground.leaveOrphan("r");
    const called = Promise.withResolvers<void>();
    streams.onInterrupted("k", () => {
      called.resolve();
      return new Promise(() => undefined);
    });
    await called.promise;
    await streams.drain();
    clock.advance(LEASE_MS / 4);
    await nextTurn();
    expect(await store.orphans(["k"])).toEqual(["r"]);
    expect(clock.timerCount).toBe(0);
    ground.otherProcess().onInterrupted("k", () => [4]);
    expect(await ground.ended("r")).toBe("completed");
    expect(await ground.valuesOf("r")).toEqual([1, 2, 3, 4]);
  });

  test("drain() in the middle of a look gives up what that look has just taken", async () => {
    await ground.leaveOrphan("r");
    const handler = vi.fn<InterruptedHandler>(() => []);
    const takeOver = store.takeOver.bind(store);
    const drained = Promise.withResolvers<void>();
    vi.spyOn(store, "takeOver").mockImplementation(async (...args) => {
      const claim = await takeOver(...args);
      void streams.drain().then(drained.resolve);
      return claim;
    });
    streams.onInterrupted("k", handler);
    await drained.promise;
    expect(handler).not.toHaveBeenCalled();
    expect(await store.orphans(["k"])).toEqual(["r"]);
  });

  test("a run that nobody carries on ends as interrupted after carryOnWithinMs, for whoever looks at it", async () => {
    await streams.run("r", ({ signal }) => giveAndWait([1], signal), { carryOn: "k", carryOnWithinMs: 500 });
    await streams.drain();
    const looker = ground.otherProcess();
    clock.jump(499);
    expect((await looker.head("r"))!.end).toBeUndefined();
    clock.jump(1);
    expect((await looker.head("r"))!.end).toEqual({ reason: "interrupted" });
    const bad = streams.run("s", [], { carryOn: "k", carryOnWithinMs: -1 });
    await expect(bad).rejects.toMatchObject({ code: "input_invalid" });
  });

  test("a run that its owner could not write is carried on when the store answers again", async () => {
    streams.onInterrupted("k", () => [2]);
    await streams.run("alive", ({ signal }) => giveAndWait([], signal)); // keeps the lease going
    const append = vi.spyOn(store, "append");
    append.mockRejectedValueOnce(new TailraceError("store_unavailable", "The disk is full."));
    await streams.run("r", ({ signal }) => giveAndWait([1], signal), { carryOn: "k" });
    await vi.waitFor(() => expect(streams.counts.runs).toBe(1));
    append.mockRejectedValueOnce(new TailraceError("store_unavailable", "The disk is full still."));
    clock.advance(LEASE_MS / 4);
    await vi.waitFor(() => expect(append).toHaveBeenCalledTimes(2));
    await nextTurn();
    clock.advance(LEASE_MS / 4);
    expect(await ground.ended("r")).toBe("completed");
    expect(await ground.valuesOf("r")).toEqual([2]); // 1 was never acknowledged
    expect(reported).toHaveLength(2);
  });
});
