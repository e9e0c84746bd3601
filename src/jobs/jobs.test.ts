import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { sqliteStore } from "../log/sqlite.ts";
import { Streams } from "../log/streams.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import type { StandardSchema } from "../wire/standard-schema.ts";
import { codeOf, endOf, gate, untilState } from "./jobs.test-support.ts";
import { Jobs, type JobsOptions } from "./jobs.ts";

const world = {} as { clock: ManualClock; streams: Streams; folder: string; told: unknown[] };

function make(options: Omit<Partial<JobsOptions>, "streams"> = {}): Jobs {
  return new Jobs({
    streams: world.streams,
    clock: world.clock,
    onError: (error) => world.told.push(error),
    ...options,
  });
}

beforeEach(async () => {
  world.folder = await mkdtemp(join(tmpdir(), "tailrace-jobs-"));
  world.clock = createManualClock();
  world.told = [];
});
afterEach(async () => {
  await world.streams.close();
  await rm(world.folder, { recursive: true });
});

const stores = {
  memory: () => memoryStore({ name: world.folder, clock: world.clock }),
  sqlite: () => sqliteStore(join(world.folder, "streams.db"), { clock: world.clock }),
};

describe.each(["memory", "sqlite"] as const)("Jobs over %s", (kind) => {
  beforeEach(() => {
    world.streams = new Streams({ store: stores[kind](), clock: world.clock, leaseMs: 4_000 }, () => undefined);
  });

  test("1,000 jobs run 4 at a time, in the order of their starts", async () => {
    const jobs = make();
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const count = jobs.define<number, number>("count", async ({ input }) => {
      order.push(input);
      most = Math.max(most, ++running);
      await nextTurn();
      if (input % 3 === 0) await nextTurn();
      running--;
      return input * 2;
    });
    const started = await Promise.all(Array.from({ length: 1_000 }, (_, index) => count.start(index)));
    const ends = await Promise.all(started.map(({ id }) => endOf(jobs, id)));
    expect(ends.every((end) => end === "completed")).toBe(true);
    expect(order).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(most).toBe(4);
    await vi.waitFor(() => expect(jobs.counts).toEqual({ running: 0, queued: 0 }));
    expect((await jobs.get(started[500]!.id))?.result).toBe(1_000);
    expect(world.streams.counts).toEqual({ runs: 0, channels: 0 });
    expect(world.clock.timerCount).toBe(0);
  });

  test("get() tells all there is to know of a job, while it runs and when it has ended", async () => {
    const jobs = make();
    const { task, open } = gate();
    const hash = jobs.define<{ path: string }, string>("hash", async (context) => {
      context.progress(1, 4, "a.txt");
      context.log("begun");
      await task(context);
      context.progress(4);
      context.log("careful", "warn");
      return "abc";
    });
    const { id, started } = await hash.start({ path: "docs" });
    expect(started).toBe(true);
    await untilState(jobs, id, "running");
    await vi.waitFor(async () => expect((await jobs.get(id))?.lastLog?.text).toBe("begun"));
    expect(await jobs.get(id)).toMatchObject({ id, kind: "hash", state: "running", input: { path: "docs" } });
    expect((await jobs.get(id))?.progress).toMatchObject({ done: 1, total: 4, percent: 25, note: "a.txt" });
    const beganAtMs = world.clock.now();
    world.clock.advance(2_000);
    open();
    expect(await endOf(jobs, id)).toBe("completed");
    expect(await jobs.get(id)).toEqual({
      id,
      kind: "hash",
      state: "completed",
      input: { path: "docs" },
      progress: expect.objectContaining({ done: 4, total: 4, percent: 100, note: "a.txt" }) as object,
      result: "abc",
      end: { reason: "completed" },
      createdAtMs: beganAtMs,
      startedAtMs: beganAtMs,
      endedAtMs: beganAtMs + 2_000,
      lastLog: { level: "warn", text: "careful", atMs: beganAtMs + 2_000 },
      lastAtMs: beganAtMs + 2_000,
      carriedOnCount: 0,
    });
    expect(await jobs.get("unknown")).toBeUndefined();
    expect(await jobs.get("no such id: /")).toBeUndefined();
  });

  test("get() reads a long job without reading all of it, and knows its start, its progress and its end", async () => {
    const jobs = make();
    jobs.define("talk", async ({ progress, log, input }) => {
      progress(3, 4);
      await nextTurn();
      for (let line = 0; line < (input as number); line++) {
        log(`line ${line}`);
        if (line % 500 === 0) await nextTurn();
      }
      return "said";
    });
    const { id } = await jobs.start("talk", 3_000);
    await endOf(jobs, id);
    const read = vi.spyOn(world.streams.store, "read");
    const job = await jobs.get(id);
    expect(job).toMatchObject({
      kind: "talk",
      input: 3_000,
      state: "completed",
      result: "said",
      progress: { done: 3 },
    });
    expect(job?.lastLog?.text).toBe("line 2999");
    expect(job?.startedAtMs).toBeDefined();
    const items = await Promise.all(read.mock.results.map((result) => result.value as Promise<{ items: unknown[] }>));
    expect(items.reduce((sum, { items }) => sum + items.length, 0)).toBe(64 + 1_024);
    read.mockRestore();
  });

  test("start() with an id starts once; whoever starts it again joins", async () => {
    const jobs = make({ maxRunningCount: 1, maxQueuedCount: 0 });
    const { task, open, signals } = gate();
    jobs.define("g", task);
    expect(await jobs.start("g", 1, { id: "mine" })).toEqual({ id: "mine", started: true });
    // Also where there is no room for a new one.
    expect(await jobs.start("g", 2, { id: "mine" })).toEqual({ id: "mine", started: false });
    expect(await codeOf(jobs.start("g", 2, { id: "other" }))).toBe("queue_full");
    open();
    expect(await endOf(jobs, "mine")).toBe("completed");
    await vi.waitFor(() => expect(jobs.counts.running).toBe(0));
    expect(await jobs.start("g", 3, { id: "mine" })).toEqual({ id: "mine", started: false });
    expect([jobs.counts, signals.length]).toEqual([{ running: 0, queued: 0 }, 1]);
    expect((await jobs.list()).map(({ id }) => id)).toEqual(["mine"]);
  });

  test("start() refuses with queue_full what would be one too many, and makes nothing", async () => {
    const jobs = make({ maxRunningCount: 2, maxQueuedCount: 3 });
    const { task, open } = gate();
    jobs.define("g", task);
    const taken = await Promise.all(Array.from({ length: 5 }, (_, index) => jobs.start("g", index)));
    expect(await codeOf(jobs.start("g", 5, { id: "late" }))).toBe("queue_full");
    expect([await jobs.get("late"), await world.streams.head("job/late")]).toEqual([undefined, undefined]);
    expect((await jobs.list()).map(({ id }) => id)).toEqual(taken.map(({ id }) => id).toReversed());
    open();
    await Promise.all(taken.map(({ id }) => endOf(jobs, id)));
    await vi.waitFor(() => expect(jobs.counts).toEqual({ running: 0, queued: 0 }));
    expect((await jobs.start("g", 6)).started).toBe(true);
  });

  test("start() refuses an unknown kind, a bad id, and an input that is no JSON or over the limit", async () => {
    const jobs = make({ maxInputChars: 100 });
    jobs.define("k", () => "done");
    expect(await codeOf(jobs.start("other", 1))).toBe("input_invalid");
    for (const id of ["", "a/b", "a".repeat(129)])
      expect(await codeOf(jobs.start("k", 1, { id }))).toBe("input_invalid");
    expect(await codeOf(jobs.start("k", 10n))).toBe("input_invalid");
    expect(await codeOf(jobs.start("k", () => 1))).toBe("input_invalid");
    const fits = "x".repeat(100 - 2);
    expect((await jobs.start("k", fits)).started).toBe(true);
    expect(await codeOf(jobs.start("k", `${fits}x`))).toBe("limit_exceeded");
    expect(() => jobs.define("a kind", () => 1)).toThrow("A kind of job has");
    expect((await jobs.start("k", undefined)).started).toBe(true);
  });

  test("start() checks the input by the kind's schema, also where that takes its time", async () => {
    const jobs = make();
    const schema = (isSlow: boolean): StandardSchema<{ rows: number }> => ({
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => {
          const rows = (value as { rows?: unknown } | null)?.rows;
          const verdict =
            typeof rows === "number"
              ? { value: { rows: rows + 0.5 } }
              : { issues: [{ message: "rows is a number", path: ["rows"] }] };
          return isSlow ? Promise.resolve(verdict) : verdict;
        },
      },
    });
    for (const isSlow of [false, true]) {
      const kind = `rows-${String(isSlow)}`;
      const rows = jobs.define<{ rows: number }, number>(kind, ({ input }) => input.rows, { input: schema(isSlow) });
      const error: unknown = await jobs.start(kind, { rows: "x" }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "input_invalid", details: { field: "rows" } });
      const { id } = await rows.start({ rows: 1 });
      await endOf(jobs, id);
      // The log keeps what was given, and the task gets what the schema made of it: so a retry is checked as well.
      expect(await jobs.get(id)).toMatchObject({ input: { rows: 1 }, result: 1.5 });
    }
    expect(jobs.counts).toEqual({ running: 0, queued: 0 });
  });

  test("list() gives the newest first, and as many as are asked for", async () => {
    const jobs = make();
    jobs.define("k", ({ input }) => input);
    expect(await jobs.list()).toEqual([]);
    const ids: string[] = [];
    for (let index = 0; index < 20; index++) ids.unshift((await jobs.start("k", index)).id);
    expect((await jobs.list()).map(({ id }) => id)).toEqual(ids);
    expect((await jobs.list({ count: 3 })).map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(await jobs.list({ count: 0 })).toEqual([]);
    expect(await codeOf(jobs.list({ count: 1_001 }))).toBe("input_invalid");
    await world.streams.delete(jobs.follow(ids[1]!).name);
    expect((await jobs.list({ count: 3 })).map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  });
});
