// Handlers: what they are given, and what becomes of what they give.

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
import { MAX_ORPHANS, type Store } from "./store.ts";
import type { Streams } from "./streams.ts";
import { Ground, LEASE_MS, WITHIN_MS } from "./takeover.test-support.ts";
import type { InterruptedHandler, InterruptedRun } from "./takeover.ts";

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

describe.each(["memory", "sqlite"] as const)("Streams.onInterrupted() over %s", (kind) => {
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

  test("carries on a run that waits already: the handler learns what was written, and writes behind it", async () => {
    await ground.leaveOrphan("r");
    let given: InterruptedRun | undefined;
    const { tail } = (await store.head("r"))!;
    streams.onInterrupted("k", async (run) => {
      given = run;
      const { entries } = await run.read<number>({ after: (await run.read({ maxItems: 2 })).entries.at(-1)!.offset });
      return [entries[0]!.value + 1, 5];
    });
    expect(await ground.ended("r")).toBe("completed");
    expect(await ground.valuesOf("r")).toEqual([1, 2, 3, 4, 5]);
    expect(given).toMatchObject({ name: "r", from: tail });
    expect(streams.counts).toEqual({ runs: 0, channels: 0 });
    expect(reported).toEqual([]);
  });

  test("finds with a beat what becomes an orphan later, and a follower elsewhere sees no seam", async () => {
    const handler = vi.fn<InterruptedHandler>(() => [4, 5]);
    streams.onInterrupted("k", handler);
    await store.claim("r", "nobody", LEASE_MS, {}, { kind: "k", withinMs: WITHIN_MS });
    await store.append("r", ["1", "2", "3"], { epoch: 1 });
    const seen: number[] = [];
    const reader = (async () => {
      for await (const value of ground.otherProcess().follow<number>("r")) seen.push(value);
    })();
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 3]));
    clock.advance(LEASE_MS / 4);
    await nextTurn();
    expect(handler).not.toHaveBeenCalled();
    clock.jump(LEASE_MS);
    clock.advance(LEASE_MS / 4);
    await reader; // rejects unless the stream ends as completed or stopped
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(await ground.endOf("r")).toBe("completed");
  });

  test("takes runs of its kinds only; a second handler replaces the first; what was unregistered takes nothing", async () => {
    const handlers = { old: vi.fn(() => []), now: vi.fn(() => [4]), gone: vi.fn(() => []) };
    const forgetOld = streams.onInterrupted("k", handlers.old);
    streams.onInterrupted("k", handlers.now);
    forgetOld(); // the newer one stays
    streams.onInterrupted("gone", handlers.gone)();
    await ground.leaveOrphan("r");
    await ground.leaveOrphan("s", "gone");
    await ground.leaveOrphan("t", "never known");
    clock.advance(LEASE_MS / 4);
    expect(await ground.ended("r")).toBe("completed");
    expect(handlers.old).not.toHaveBeenCalled();
    expect(handlers.gone).not.toHaveBeenCalled();
    expect(await store.orphans(["gone", "never known"])).toHaveLength(2);
  });

  test("carries on more runs than one answer of the store names, without waiting for a beat", async () => {
    const names = Array.from({ length: MAX_ORPHANS + 1 }, (_, index) => `r${index}`);
    await Promise.all(
      names.map((name) => store.claim(name, "nobody", LEASE_MS, {}, { kind: "k", withinMs: WITHIN_MS })),
    );
    clock.jump(LEASE_MS);
    streams.onInterrupted("k", () => [1]);
    for (const name of names) expect(await ground.ended(name)).toBe("completed");
  });

  test("ticks while a handler is registered, and not before or after; refuses a kind that is none", () => {
    expect(clock.timerCount).toBe(0);
    const forget = [streams.onInterrupted("k", () => undefined), streams.onInterrupted("l", () => undefined)];
    expect(clock.timerCount).toBe(1);
    forget[0]!();
    expect(clock.timerCount).toBe(1);
    forget[1]!();
    expect(clock.timerCount).toBe(0);
    expect(() => streams.onInterrupted("", () => undefined)).toThrow(TailraceError);
  });

  const fault = new Error("secret");
  const refusals: Record<string, [handler: () => unknown, reported: unknown[]]> = {
    "gives undefined": [() => undefined, []],
    "gives a promise of undefined": [async () => undefined, []],
    throws: [
      () => {
        throw fault;
      },
      [fault],
    ],
    rejects: [() => Promise.reject(fault), [fault]],
    "gives what is no source": [() => 42, [expect.objectContaining({ code: "source_invalid" })]],
  };
  test.each(Object.keys(refusals))("ends the run as interrupted if the handler %s", async (what) => {
    const [handler, errors] = refusals[what]!;
    await ground.leaveOrphan("r");
    streams.onInterrupted("k", handler as InterruptedHandler);
    expect(await ground.ended("r")).toBe("interrupted");
    expect(await ground.valuesOf("r")).toEqual([1, 2, 3]);
    expect(reported).toEqual(errors);
  });

  test("ends the run as failed if the handler's source throws", async () => {
    await ground.leaveOrphan("r");
    streams.onInterrupted(
      "k",
      () =>
        async function* () {
          yield 4;
          throw fault;
        },
    );
    expect(await ground.ended("r")).toBe("failed");
    expect(await ground.valuesOf("r")).toEqual([1, 2, 3, 4]);
    expect(reported).toEqual([fault]);
  });

  test("a stop while the handler thinks aborts its signal and ends the run as stopped", async () => {
    await ground.leaveOrphan("r");
    const called = Promise.withResolvers<AbortSignal>();
    streams.onInterrupted("k", ({ signal }) => {
      called.resolve(signal);
      return new Promise(() => undefined);
    });
    const signal = await called.promise;
    expect(await ground.otherProcess().stop("r")).toEqual({ state: "stopping" });
    expect(await ground.ended("r")).toBe("stopped");
    expect(signal.aborted).toBe(true);
  });

  test("a stop of a run that nobody owns ends it as stopped and calls no handler", async () => {
    await ground.leaveOrphan("r");
    expect(await streams.stop("r")).toEqual({ state: "stopping" });
    expect(await ground.endOf("r")).toBe("stopped");
    await store.claim("later", "nobody else", LEASE_MS, {}, { kind: "k", withinMs: WITHIN_MS });
    await streams.stop("later"); // its owner is dead, but the lease lasts
    expect(await ground.endOf("later")).toBeUndefined();
    const handler = vi.fn<InterruptedHandler>(() => []);
    streams.onInterrupted("k", handler);
    clock.jump(LEASE_MS);
    clock.advance(LEASE_MS / 4);
    expect(await ground.ended("later")).toBe("stopped");
    expect(handler).not.toHaveBeenCalled();
  });
});
