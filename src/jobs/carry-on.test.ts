import { describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import type { JobItem } from "../wire/job-items.ts";
import type { StandardSchema } from "../wire/standard-schema.ts";
import type { JobContext } from "./job-kind.ts";
import { endOf } from "./jobs.test-support.ts";
import { Jobs } from "./jobs.ts";

describe("Jobs that carry on", () => {
  /** Two processes over one store: the second defines the kinds when it is told to. */
  function two(name: string): { clock: ManualClock; first: Streams; second: Streams; close: () => Promise<void> } {
    const clock = createManualClock();
    const store = memoryStore({ name, clock });
    const make = (): Streams => new Streams({ store, clock, leaseMs: 4_000 }, () => undefined);
    const [first, second] = [make(), make()];
    return {
      clock,
      first,
      second,
      async close() {
        await second.close();
        await first.close();
      },
    };
  }

  test("a shutdown hands jobs on: what ran goes on from its checkpoint, what waited starts afresh", async () => {
    const { clock, first, second, close } = two("handed on");
    const resumes: Record<string, unknown> = {};
    const define = (jobs: Jobs, task: (context: JobContext) => unknown): void =>
      void jobs.define("k", task, { carriesOn: true });
    const [before, after] = [first, second].map((each) => new Jobs({ streams: each, clock, maxRunningCount: 1 }));
    define(before!, async ({ checkpoint, signal, log }) => {
      checkpoint({ at: 7 });
      log("one");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    await before!.start("k", "in", { id: "ran" });
    await before!.start("k", "in", { id: "waited" });
    await vi.waitFor(async () => expect((await before!.get("ran"))?.lastLog?.text).toBe("one"));
    define(after!, ({ id, resumed, log, input }) => {
      resumes[id] = resumed ?? "afresh";
      log("two");
      return input;
    });
    await first.drain();
    const ends = Promise.all(["ran", "waited"].map((id) => endOf(after!, id)));
    clock.advance(1_000); // the next look of the other process
    expect(await ends).toEqual(["completed", "completed"]);
    expect(resumes).toEqual({ ran: { checkpoint: { at: 7 } }, waited: "afresh" });
    const job = await after!.get("ran");
    expect(job).toMatchObject({ state: "completed", result: "in", carriedOnCount: 1, lastLog: { text: "two" } });
    expect(before!.counts).toEqual({ running: 0, queued: 0 });
    await vi.waitFor(() => expect(after!.counts).toEqual({ running: 0, queued: 0 }));
    await close();
    expect(clock.timerCount).toBe(0);
  });

  test("what the task of a job that is carried on throws is told once, with its id", async () => {
    const { clock, first, second, close } = two("told once");
    const told: unknown[] = [];
    const before = new Jobs({ streams: first, clock });
    const after = new Jobs({ streams: second, clock, onError: (error, job) => told.push([error, job]) });
    const error = new Error("mine");
    before.define("k", ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)), {
      carriesOn: true,
    });
    await before.start("k", null, { id: "one" });
    after.define("k", () => Promise.reject(error), { carriesOn: true });
    await first.drain();
    const end = endOf(after, "one");
    clock.advance(1_000); // the next look of the other process
    expect(await end).toBe("failed");
    expect(told).toEqual([[error, { id: "one", kind: "k" }]]);
    await close();
  });

  test("a shutdown with 1,000 jobs loses none of them, and the limit holds for those that are carried on", async () => {
    const { clock, first, second, close } = two("many");
    const before = new Jobs({ streams: first, clock });
    const untilAborted = ({ signal }: JobContext): Promise<unknown> =>
      new Promise((resolve) => signal.addEventListener("abort", resolve));
    before.define("k", untilAborted, { carriesOn: true });
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => before.start("k", index, { id: `j${index}` })));
    expect(before.counts).toEqual({ running: 4, queued: 996 });
    await first.drain();
    // The limit of those that wait is for new ones: these were accepted before.
    const after = new Jobs({ streams: second, clock, maxQueuedCount: 10 });
    let running = 0;
    let most = 0;
    const work = async ({ input }: JobContext): Promise<unknown> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return input;
    };
    after.define("k", work, { carriesOn: true });
    const ends = await Promise.all(Array.from({ length: 1_000 }, (_, index) => endOf(after, `j${index}`)));
    expect(ends.every((end) => end === "completed")).toBe(true);
    expect(most).toBe(4);
    expect((await after.get("j999"))?.result).toBe(999);
    await close();
    expect(clock.timerCount).toBe(0);
  });

  test("a job whose result was written goes not on, but ends; one whose input is no longer taken is interrupted", async () => {
    const { clock, first, second, close } = two("left");
    const run = async (id: string, items: readonly JobItem[]): Promise<void> => {
      await first.run(
        `job/${id}`,
        async function* ({ signal }) {
          yield* items;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
        { carryOn: "job:k" },
      );
      await vi.waitFor(async () => expect((await first.read(`job/${id}`)).entries).toHaveLength(items.length));
    };
    const queued: JobItem = { type: "state", state: "queued", kind: "k", input: 1, position: 0, atMs: 1 };
    await run("done", [queued, { type: "result", value: 5, atMs: 2 }]);
    await run("refused", [queued, { type: "state", state: "running", atMs: 2 }]);
    await first.drain();
    let runs = 0;
    const jobs = new Jobs({ streams: second, clock });
    const input: StandardSchema<number> = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "no more" }] }) },
    };
    const warn = vi.spyOn(console, "error").mockImplementation(() => undefined);
    jobs.define("k", () => runs++, { carriesOn: true, input });
    expect(await endOf(jobs, "done")).toBe("completed");
    expect(await endOf(jobs, "refused")).toBe("interrupted");
    warn.mockRestore();
    expect([runs, (await jobs.get("done"))?.result, jobs.counts.running]).toEqual([0, 5, 0]);
    await close();
  });
});
