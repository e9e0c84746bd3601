import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TailraceError } from "../errors.ts";
import { memoryStore } from "../log/memory.ts";
import { sqliteStore } from "../log/sqlite.ts";
import { Streams } from "../log/streams.ts";
import { sse } from "../reply/sse.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import type { JobItem } from "../wire/job-items.ts";
import { jobEvent } from "./job-events.ts";
import { MAX_CHECKPOINT_CHARS } from "./job-run.ts";
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

async function itemsOf(jobs: Jobs, id: string): Promise<JobItem[]> {
  const { entries } = await world.streams.read<JobItem>(jobs.follow(id).name);
  return entries.map(({ value }) => value);
}

describe.each(["memory", "sqlite"] as const)("the life of a job over %s", (kind) => {
  beforeEach(() => {
    world.streams = new Streams({ store: stores[kind](), clock: world.clock, leaseMs: 4_000 }, () => undefined);
  });

  test("cancel() aborts a running task at once; its slot is free when the task has settled", async () => {
    const jobs = make({ maxRunningCount: 1 });
    const { task, open, signals } = gate();
    jobs.define("deaf", task);
    const first = await jobs.start("deaf", 1);
    await untilState(jobs, first.id, "running");
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    const next = await jobs.start("deaf", 2);
    expect(await jobs.cancel(first.id)).toEqual({ state: "stopping" });
    expect(signals[0]!.aborted).toBe(true);
    expect(await endOf(jobs, first.id)).toBe("stopped");
    expect(jobs.counts).toEqual({ running: 1, queued: 1 });
    expect((await jobs.get(next.id))?.state).toBe("queued");
    open();
    expect(await endOf(jobs, next.id)).toBe("completed");
    expect(await jobs.get(first.id)).toMatchObject({ state: "stopped", end: { reason: "stopped" } });
    expect((await jobs.get(first.id))?.result).toBeUndefined();
    expect(world.told).toEqual([]);
  });

  test("cancel() of a queued job takes it out of the queue, and it never runs", async () => {
    const jobs = make({ maxRunningCount: 1 });
    const { task, open, signals } = gate();
    jobs.define("g", task);
    const [first, second, third] = [await jobs.start("g", 1), await jobs.start("g", 2), await jobs.start("g", 3)];
    expect((await jobs.cancel(second.id)).state).toBe("stopping");
    expect(await endOf(jobs, second.id)).toBe("stopped");
    expect(jobs.counts).toEqual({ running: 1, queued: 1 });
    open();
    await Promise.all([endOf(jobs, first.id), endOf(jobs, third.id)]);
    expect(signals).toHaveLength(2);
    expect(await jobs.get(second.id)).toMatchObject({ state: "stopped" });
    expect((await itemsOf(jobs, second.id)).map((item) => item.type)).toEqual(["state"]);
  });

  test("a job that waits tells its readers as it moves up, at most once a second", async () => {
    const jobs = make({ maxRunningCount: 1 });
    const { task, open } = gate();
    jobs.define("g", task);
    const [first, second, third] = [await jobs.start("g", 1), await jobs.start("g", 2), await jobs.start("g", 3)];
    const fourth = await jobs.start("g", 4);
    await jobs.cancel(second.id);
    await jobs.cancel(third.id);
    world.clock.advance(1_000);
    await vi.waitFor(async () => expect((await jobs.get(fourth.id))?.position).toBe(1));
    open();
    await Promise.all([endOf(jobs, first.id), endOf(jobs, fourth.id)]);
    const states = (await itemsOf(jobs, fourth.id)).filter((item) => item.type === "state");
    expect(states.map((item) => (item.state === "queued" ? item.position : item.state))).toEqual([3, 1, "running"]);
  });

  test("cancel() of a job that has ended, and of none, says so", async () => {
    const jobs = make();
    jobs.define("k", () => "done");
    const { id } = await jobs.start("k", 1);
    await endOf(jobs, id);
    expect(await jobs.cancel(id)).toEqual({ state: "ended", end: { reason: "completed" } });
    expect(await jobs.cancel("none")).toEqual({ state: "unknown" });
    expect(await jobs.cancel("a/b")).toEqual({ state: "unknown" });
  });

  test("retry() starts a new job of the same kind and input, once the old one has ended", async () => {
    const jobs = make();
    const inputs: unknown[] = [];
    let isBroken = true;
    const { task, open } = gate();
    jobs.define("k", async (context) => {
      inputs.push(context.input);
      await task(context);
      if (isBroken) throw new Error("broken");
      return "whole";
    });
    const { id } = await jobs.start("k", { n: 1 });
    expect(await codeOf(jobs.retry(id))).toBe("conflict");
    open();
    expect(await endOf(jobs, id)).toBe("failed");
    isBroken = false;
    const again = await jobs.retry(id);
    expect(again.retryOf).toBe(id);
    expect(await endOf(jobs, again.id)).toBe("completed");
    expect(inputs).toEqual([{ n: 1 }, { n: 1 }]);
    expect(await jobs.get(again.id)).toMatchObject({ retryOf: id, input: { n: 1 }, result: "whole" });
    expect(await codeOf(jobs.retry("none"))).toBe("stream_unknown");
    expect((await jobs.list()).map((job) => job.id)).toEqual([again.id, id]);
  });

  test("a task that throws ends its job as failed: its readers get only what is meant for them, onError gets all", async () => {
    const jobs = make();
    const errors = {
      plain: new Error("password=secret"),
      internal: new TailraceError("source_failed", "internal words"),
      meant: new TailraceError("input_invalid", "The folder is empty; choose another."),
    };
    for (const [name, error] of Object.entries(errors))
      jobs.define(name, () => {
        throw error;
      });
    for (const [name, error] of Object.entries(errors)) {
      world.told.length = 0;
      const { id } = await jobs.start(name, null);
      expect(await endOf(jobs, id)).toBe("failed");
      expect(world.told).toEqual([error]);
      const job = await jobs.get(id);
      expect(job?.failure).toEqual(
        name === "meant" ? { message: "The folder is empty; choose another.", code: "input_invalid" } : undefined,
      );
      const reply = await sse(new Request("http://x/"), jobs.follow(id), { toEvent: jobEvent });
      const text = await reply.text();
      expect(text).toContain('"reason":"failed"');
      expect(text.includes("secret") || text.includes("internal words")).toBe(false);
      expect(text.includes("choose another")).toBe(name === "meant");
    }
    await vi.waitFor(() => expect(jobs.counts).toEqual({ running: 0, queued: 0 }));
  });

  test("a result that JSON cannot hold ends the job as failed", async () => {
    const jobs = make();
    jobs.define("big", () => 10n);
    const { id } = await jobs.start("big", null);
    expect(await endOf(jobs, id)).toBe("failed");
    expect(world.told).toMatchObject([{ code: "encode_refused" }]);
    await vi.waitFor(() => expect(jobs.counts).toEqual({ running: 0, queued: 0 }));
  });

  test("a follower that comes back with Last-Event-ID misses nothing and sees nothing twice", async () => {
    const jobs = make();
    const { task, open } = gate();
    jobs.define("talk", async (context) => {
      for (let line = 0; line < 50; line++) context.log(`a${line}`);
      await task(context);
      for (let line = 0; line < 50; line++) context.log(`b${line}`);
    });
    const { id } = await jobs.start("talk", null);
    const toEvent = (item: JobItem): ReturnType<typeof jobEvent> => jobEvent(item);
    const lines: string[] = [];
    let lastEventId = "";
    const readSome = async (isEnough: () => boolean): Promise<void> => {
      const headers = lastEventId === "" ? {} : { "last-event-id": lastEventId };
      const reply = await sse(new Request("http://x/", { headers }), jobs.follow(id), { toEvent });
      const decoder = new TextDecoder();
      let text = "";
      for await (const chunk of reply.body!) {
        text += decoder.decode(chunk, { stream: true });
        for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
          const block = text.slice(0, at);
          text = text.slice(at + 2);
          lastEventId = /^id: (.*)$/m.exec(block)?.[1] ?? lastEventId;
          const line = /^event: log\n(?:id: .*\n)?data: (.*)$/m.exec(block)?.[1];
          if (line !== undefined) lines.push((JSON.parse(line) as { text: string }).text);
          if (isEnough()) return; // the reader leaves
        }
      }
    };
    await readSome(() => lines.length === 17);
    await readSome(() => lines.length === 50);
    open();
    await readSome(() => false);
    const expected = ["a", "b"].flatMap((part) => Array.from({ length: 50 }, (_, index) => `${part}${index}`));
    expect(lines).toEqual(expected);
    const gone = await sse(new Request("http://x/", { headers: { "last-event-id": lastEventId } }), jobs.follow(id));
    expect(gone.status).toBe(204);
  });

  test("a job that waits or is silent longer than keepMs is kept; one that has ended goes", async () => {
    const jobs = make({ maxRunningCount: 1, keepMs: 8_000 });
    const { task, open } = gate();
    jobs.define("g", task);
    const [first, second] = [await jobs.start("g", 1), await jobs.start("g", 2)];
    const touched = vi.spyOn(world.streams, "read");
    for (let index = 1; index <= 10; index++) {
      world.clock.advance(2_000);
      await vi.waitFor(() =>
        expect(touched.mock.settledResults.filter(({ type }) => type === "fulfilled")).toHaveLength(index * 2),
      );
      await nextTurn();
    }
    touched.mockRestore();
    expect((await jobs.get(first.id))?.state).toBe("running");
    expect((await jobs.get(second.id))?.state).toBe("queued");
    open();
    await Promise.all([endOf(jobs, first.id), endOf(jobs, second.id)]);
    world.clock.advance(8_001);
    expect(await jobs.get(first.id)).toBeUndefined();
    expect(world.clock.timerCount).toBe(0);
  });

  test("checkpoint() refuses what is no JSON or over the limit, and is kept only for a kind that carries on", async () => {
    const jobs = make();
    const codes: string[] = [];
    for (const carriesOn of [true, false]) {
      jobs.define(
        `k-${String(carriesOn)}`,
        async ({ checkpoint }) => {
          const give = async (value: unknown): Promise<void> => checkpoint(value);
          for (const value of [10n, undefined, "x".repeat(MAX_CHECKPOINT_CHARS - 1)])
            codes.push(await codeOf(give(value)));
          codes.push(await codeOf(give("x".repeat(MAX_CHECKPOINT_CHARS - 2))));
          await nextTurn();
          await nextTurn();
        },
        { carriesOn },
      );
      const { id } = await jobs.start(`k-${String(carriesOn)}`, null);
      expect(await endOf(jobs, id)).toBe("completed");
      const kept = (await itemsOf(jobs, id)).filter((item) => item.type === "checkpoint");
      expect(kept).toHaveLength(carriesOn ? 1 : 0);
    }
    expect(codes.slice(0, 4)).toEqual(["encode_refused", "encode_refused", "limit_exceeded", "undefined"]);
  });

  test("drain() ends running and queued jobs as interrupted, aborts the tasks and leaves no timer", async () => {
    const jobs = make({ maxRunningCount: 1 });
    const { task, open, signals } = gate();
    jobs.define("g", task);
    const all = [await jobs.start("g", 1), await jobs.start("g", 2), await jobs.start("g", 3)];
    await untilState(jobs, all[0]!.id, "running");
    await vi.waitFor(() => expect(signals).toHaveLength(1));
    await world.streams.drain();
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    open();
    await vi.waitFor(() => expect(jobs.counts).toEqual({ running: 0, queued: 0 }));
    for (const { id } of all) expect((await jobs.get(id))?.state).toBe("interrupted");
    expect(signals).toHaveLength(1);
    expect(world.clock.timerCount).toBe(0);
  });
});
