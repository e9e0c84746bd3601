// Jobs whose process dies: over one SQLite file, with the lease that users get.

import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createJobs, createStreams, type JobItem, type Jobs } from "../../src/index.ts";
import { sqliteStore } from "../../src/sqlite.ts";
import type { Order, Report } from "./worker.ts";

/** The default lease: what users get is what is tested. */
const LEASE_MS = 5_000;

let folder: string;
let workers: Worker[];

interface WorkerOptions {
  readonly maxRunningCount?: number | undefined;
  /** How long a step takes, in milliseconds. */
  readonly everyMs?: number | undefined;
}

class Worker {
  readonly reports: Report[] = [];
  readonly #process: ChildProcess;
  readonly #watchers = new Set<() => void>();

  constructor({ maxRunningCount = 4, everyMs = 20 }: WorkerOptions) {
    const args = [join(folder, "streams.db"), LEASE_MS, maxRunningCount, everyMs].map(String);
    this.#process = fork(join(import.meta.dirname, "worker.ts"), args);
    this.#process.on("message", (report: Report) => {
      this.reports.push(report);
      for (const watcher of this.#watchers) watcher();
    });
  }

  tell(order: Order): void {
    this.#process.send(order);
  }

  /** The first report that fits, also one that has come already. */
  report<T extends Report["is"]>(
    is: T,
    fits: (report: Extract<Report, { is: T }>) => boolean = () => true,
  ): Promise<Extract<Report, { is: T }>> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.reports.find(
          (report): report is Extract<Report, { is: T }> => report.is === is && fits(report as never),
        );
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** The steps that this process has made of a job. */
  steps(id: string): number[] {
    return this.reports.flatMap((report) => (report.is === "step" && report.id === id ? [report.step] : []));
  }

  kill(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) return resolve();
      this.#process.once("exit", () => resolve());
      this.#process.kill("SIGKILL");
    });
  }
}

async function start(options: WorkerOptions = {}): Promise<Worker> {
  const worker = new Worker(options);
  workers.push(worker);
  await worker.report("ready");
  return worker;
}

/** The jobs as this process sees them, which defines no kind and so carries nothing on. */
async function look<T>(work: (jobs: Jobs) => Promise<T>): Promise<T> {
  const streams = createStreams({ store: sqliteStore(join(folder, "streams.db")), leaseMs: LEASE_MS });
  try {
    return await work(createJobs({ streams }));
  } finally {
    await streams.close();
  }
}

const endOf = async (jobs: Jobs, id: string): Promise<string | undefined> => (await jobs.follow(id).ended())?.reason;

async function itemsOf(jobs: Jobs, id: string): Promise<JobItem[]> {
  const items: JobItem[] = [];
  for await (const item of jobs.follow(id)) items.push(item);
  return items;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-jobs-"));
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await rm(folder, { recursive: true });
});

describe("jobs whose process is killed", () => {
  test("running and queued jobs end as interrupted, within the lease and one look, and what was written is kept", async () => {
    const owner = await start({ maxRunningCount: 1 });
    for (const id of ["running", "queued"]) owner.tell({ do: "start", kind: "plain", id, steps: 10_000 });
    await owner.report("started", (report) => report.id === "queued");
    await owner.report("step", (report) => report.step === 30);
    await look(async (jobs) => {
      const ends = Promise.all([endOf(jobs, "running"), endOf(jobs, "queued")]);
      expect(await jobs.get("queued")).toMatchObject({ state: "queued", position: 1 });
      const killedAt = performance.now();
      await owner.kill();
      expect(await ends).toEqual(["interrupted", "interrupted"]);
      // The stated bound is 10 s: a lease of 5 s and a look each quarter of it. The rest is for a busy machine.
      expect(performance.now() - killedAt).toBeLessThan(25_000);
      const job = await jobs.get("running");
      expect(job).toMatchObject({ state: "interrupted", kind: "plain", input: { steps: 10_000 } });
      expect(job!.progress!.done).toBeGreaterThan(0);
      expect(job!.lastLog!.text).toMatch(/^step \d+$/);
      expect(await jobs.get("queued")).toMatchObject({ state: "interrupted", input: { steps: 10_000 } });
    });
  });

  test("a process that is there goes on from the last checkpoint, and a follower sees one stream without a gap", async () => {
    const owner = await start();
    owner.tell({ do: "start", kind: "lasting", id: "job", steps: 120, holdAt: 110 });
    await owner.report("step", (report) => report.step === 60);
    const other = await start();
    await look(async (jobs) => {
      const followed = itemsOf(jobs, "job");
      await owner.kill();
      const done = owner.steps("job").at(-1)!;
      const items = await followed;
      const steps = other.steps("job");
      // From the checkpoint: not from the start, and nothing between is left out.
      expect(steps[0]).toBeGreaterThan(1);
      expect(steps[0]).toBeLessThanOrEqual(done + 1);
      expect(steps).toEqual(Array.from({ length: 121 - steps[0]! }, (_, index) => steps[0]! + index));
      const checkpoints = items
        .slice(
          0,
          items.findIndex((item) => "carriedOn" in item),
        )
        .flatMap((item) => {
          return item.type === "checkpoint" ? [item.value] : [];
        });
      expect(steps[0]).toBe((checkpoints.at(-1) as number) + 1);
      expect(await jobs.get("job")).toMatchObject({
        state: "completed",
        result: 120,
        carriedOnCount: 1,
        progress: { done: 120, percent: 100 },
        end: { reason: "completed" },
      });
      expect(items.at(-1)).toMatchObject({ type: "result", value: 120 });
    });
  });

  test("a process that is started later goes on with what ran and with what waited, in order", async () => {
    const owner = await start({ maxRunningCount: 1 });
    const ids = ["first", "second", "third"];
    for (const id of ids) owner.tell({ do: "start", kind: "lasting", id, steps: 40, holdAt: 38 });
    await owner.report("started", (report) => report.id === "third");
    await owner.report("step", (report) => report.step === 30);
    await owner.kill();
    const next = await start({ maxRunningCount: 1, everyMs: 1 });
    await look(async (jobs) => {
      expect(await Promise.all(ids.map((id) => endOf(jobs, id)))).toEqual(["completed", "completed", "completed"]);
      expect(next.steps("first")[0]).toBeGreaterThan(1);
      // Those that had not begun start afresh.
      for (const id of ["second", "third"]) expect(next.steps(id)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
      for (const id of ids) expect(await jobs.get(id)).toMatchObject({ result: 40, carriedOnCount: 1 });
    });
    const order = next.reports.flatMap((report) => (report.is === "step" ? [report.id] : []));
    const turns = order.filter((id, index) => id !== order[index - 1]);
    expect(turns).toHaveLength(3); // one at a time
    expect(turns.indexOf("second")).toBeLessThan(turns.indexOf("third"));
  });

  test("cancel() reaches the process that goes on with a job", async () => {
    const owner = await start();
    owner.tell({ do: "start", kind: "lasting", id: "job", steps: 10_000 });
    await owner.report("step", (report) => report.step === 20);
    await owner.kill();
    const other = await start();
    await other.report("step");
    await look(async (jobs) => {
      const end = endOf(jobs, "job");
      expect((await jobs.cancel("job")).state).toBe("stopping");
      await other.report("aborted");
      expect(await end).toBe("stopped");
    });
  });
});
