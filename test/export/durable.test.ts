// Exports whose process is killed, told to end, or only asleep: the file is byte for byte what an uncut export gives.

import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createJobs, createStreams, memoryStore, type Jobs } from "../../src/index.ts";
import { createExports, type Exports } from "../../src/node/exports.ts";
import { sqliteStore } from "../../src/sqlite.ts";
import { defineTables, type Name, NAMES } from "./durable-tables.ts";
import type { Order, Report } from "./durable-worker.ts";

const SEED = 20_261_120;
const KILL_COUNT = 20;
/** How far a process may come between the order to kill it and its death. */
const SPARE_BATCHES = 25;
/** Short, so that twenty deaths are found out in time. */
const SHORT_LEASE_MS = 600;
/** So long that nothing happens by its running out. */
const ENDLESS_LEASE_MS = 600_000;

let folder: string;
let workers: Worker[];

class Worker {
  readonly #process: ChildProcess;
  readonly #watchers = new Set<() => void>();
  batchCount = 0;
  /** The exports that it has made a batch of. */
  readonly seen = new Set<string>();
  readonly started = new Set<string>();
  isReady = false;

  constructor(leaseMs: number, everyMs: number, mostBatches: number) {
    const args = [join(folder, "streams.db"), join(folder, "files"), ...[leaseMs, everyMs, mostBatches].map(String)];
    this.#process = fork(join(import.meta.dirname, "durable-worker.ts"), args);
    this.#process.on("message", (report: Report) => {
      if (report.is === "batch") {
        this.batchCount++;
        this.seen.add(report.name);
      } else if (report.is === "started") this.started.add(report.id);
      else this.isReady = true;
      for (const watcher of this.#watchers) watcher();
    });
  }

  tell(order: Order): void {
    this.#process.send(order);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  until(holds: (worker: Worker) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds(this)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Resolves with what the process ended by. */
  end(signal: NodeJS.Signals = "SIGKILL"): Promise<NodeJS.Signals | number | null> {
    return new Promise((resolve) => {
      const { exitCode, signalCode } = this.#process;
      if (exitCode !== null || signalCode !== null) return resolve(signalCode ?? exitCode);
      this.#process.once("exit", (code, by) => resolve(by ?? code));
      this.#process.kill(signal);
    });
  }
}

/** With `mostBatches` it goes no further until it is signalled: what happens to it is certain to happen before its end. */
async function start(leaseMs: number, everyMs: number, mostBatches: number = Infinity): Promise<Worker> {
  const worker = new Worker(leaseMs, everyMs, mostBatches);
  workers.push(worker);
  await worker.until(({ isReady }) => isReady);
  return worker;
}

/** The exports as this process sees them: it defines none, and so carries none on. */
async function look(leaseMs: number, work: (exports: Exports, jobs: Jobs) => Promise<void>): Promise<void> {
  const streams = createStreams({ store: sqliteStore(join(folder, "streams.db")), leaseMs });
  const jobs = createJobs({ streams });
  const exports = createExports({ jobs, folder: join(folder, "files") });
  try {
    await work(exports, jobs);
  } finally {
    exports.close();
    await streams.close();
  }
}

/** The bytes of the same export, made in one go by this process. */
async function uncut(name: Name, rows: number): Promise<Buffer> {
  const streams = createStreams({ store: memoryStore({ name: `uncut ${name} ${folder}` }) });
  const exports = createExports({ jobs: createJobs({ streams }), folder: join(folder, `uncut-${name}`) });
  try {
    const { id } = await defineTables(exports, () => undefined)[name].start({ rows });
    await exports.follow(id).ended();
    const { result } = (await exports.get(id))!;
    return await readFile(join(folder, `uncut-${name}`, `${id}.${result!.attempt}.whole`));
  } finally {
    exports.close();
    await streams.close();
  }
}

/** The file of `id` as a download gives it, which has to be the same as the uncut one, and the only one of its export. */
async function expectWhole(exports: Exports, id: string, name: Name, rows: number): Promise<void> {
  const response = await exports.file(new Request("http://localhost/"), id);
  expect(response.status).toBe(200);
  const [made, wanted] = [Buffer.from(await response.arrayBuffer()), await uncut(name, rows)];
  expect(made.length).toBe(wanted.length);
  const sha256 = createHash("sha256").update(made).digest("hex");
  expect(sha256).toBe(createHash("sha256").update(wanted).digest("hex"));
  expect(await exports.get(id)).toMatchObject({ name, rows, bytes: made.length, sha256, isExpired: false });
  const files = await readdir(join(folder, "files"));
  expect(files.filter((file) => file.startsWith(`${id}.`))).toEqual([expect.stringMatching(/\.whole$/)]);
}

/** Numbers from 0 to below 1, the same in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-exports-"));
  workers = [];
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.end()));
  await rm(folder, { recursive: true });
});

describe("durable exports", () => {
  test(
    "four exports, killed 20 times at random points, give the bytes of uncut ones",
    { timeout: 900_000 },
    async () => {
      const rows = 40_000;
      const random = seeded(SEED);
      // All of them together are less than one export has, so that none ends before the last death.
      const lives = Array.from({ length: KILL_COUNT }, () => 1 + Math.floor(random() * 290));
      expect(lives.reduce((sum, batches) => sum + batches + SPARE_BATCHES + NAMES.length, 0)).toBeLessThan(rows / 10);
      let worker = await start(SHORT_LEASE_MS, 2, lives[0]! + SPARE_BATCHES);
      for (const name of NAMES) worker.tell({ name, id: `${name}_id`, rows });
      await worker.until(({ started }) => started.size === NAMES.length);
      await look(SHORT_LEASE_MS, async (exports) => {
        const seen: string[] = [];
        const followed = (async () => {
          for await (const { offset } of exports.follow("objects_id").entries()) seen.push(offset);
        })();
        for (const [index, batches] of lives.entries()) {
          await worker.until(({ batchCount }) => batchCount >= batches);
          // Every other one dies perhaps before it has gone on with all of them.
          if (index % 2 === 1) await worker.until(({ seen: { size } }) => size === NAMES.length);
          await worker.end("SIGKILL");
          const next = lives[index + 1];
          worker = await (next === undefined
            ? start(SHORT_LEASE_MS, 0)
            : start(SHORT_LEASE_MS, 2, next + SPARE_BATCHES));
        }
        for (const name of NAMES) {
          const id = `${name}_id`;
          expect(await exports.follow(id).ended()).toMatchObject({ reason: "completed" });
          expect((await exports.get(id))!.carriedOnCount).toBeGreaterThanOrEqual(KILL_COUNT / 2);
          await expectWhole(exports, id, name, rows);
        }
        await followed;
        const replayed: string[] = [];
        for await (const { offset } of exports.follow("objects_id").entries()) replayed.push(offset);
        expect(seen).toEqual(replayed); // no gap and no duplicate, over all those deaths
        const progress = (await exports.get("objects_id"))!.progress!;
        expect(progress).toMatchObject({ done: rows, total: rows, percent: 100 });
        expect(await exports.sweep()).toEqual({ removedCount: 0, keptCount: NAMES.length });
      });
    },
  );

  test("a process that is told to end hands its export on at once", async () => {
    const rows = 6_000;
    const [owner, other] = [await start(ENDLESS_LEASE_MS, 2, 500), await start(ENDLESS_LEASE_MS, 0)];
    owner.tell({ name: "objects", id: "a", rows });
    await look(ENDLESS_LEASE_MS, async (exports) => {
      await owner.until(({ batchCount }) => batchCount >= 250);
      expect(await owner.end("SIGTERM")).toBe(0);
      // The other one follows nothing of this store, so a beat of its endless lease would be too late: it is told by its own start.
      if (other.batchCount === 0) await start(ENDLESS_LEASE_MS, 0);
      expect(await exports.follow("a").ended()).toMatchObject({ reason: "completed" });
      expect((await exports.get("a"))!.carriedOnCount).toBe(1);
      await expectWhole(exports, "a", "objects", rows);
    });
  });

  test("a process that was asleep and wakes up does not touch the file of its successor", async () => {
    const rows = 20_000;
    const sleeper = await start(SHORT_LEASE_MS, 2, 500);
    sleeper.tell({ name: "objects", id: "a", rows });
    await look(SHORT_LEASE_MS, async (exports) => {
      await sleeper.until(({ batchCount }) => batchCount >= 400);
      sleeper.signal("SIGSTOP");
      const other = await start(SHORT_LEASE_MS, 1);
      await other.until(({ batchCount }) => batchCount >= 300);
      sleeper.signal("SIGCONT");
      expect(await exports.follow("a").ended()).toMatchObject({ reason: "completed" });
      expect(await sleeper.end("SIGTERM")).toBe(0);
      await expectWhole(exports, "a", "objects", rows);
    });
  });

  test("an export that is cancelled while its process is dead leaves no file", async () => {
    const owner = await start(SHORT_LEASE_MS, 2);
    owner.tell({ name: "lines", id: "a", rows: 100_000 });
    await owner.until(({ batchCount }) => batchCount >= 300);
    await owner.end("SIGKILL");
    await look(SHORT_LEASE_MS, async (exports) => {
      expect(await readdir(join(folder, "files"))).toHaveLength(1);
      expect((await exports.cancel("a")).state).toBe("stopping");
      expect(await exports.follow("a").ended()).toMatchObject({ reason: "stopped" });
      await expect.poll(() => readdir(join(folder, "files"))).toEqual([]);
    });
  });
});
