// A run goes on in another process over the same SQLite file when its own is killed or told to end: a reader that follows
// the whole time sees one stream.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createStreams, type End, type Streams } from "../../src/index.ts";
import { sqliteStore } from "../../src/sqlite.ts";
import { WorkerProcess } from "./worker-process.ts";

const COUNT = 150;
const NUMBERS = { everyMs: 20, count: COUNT };
const RUN = { do: "run", name: "r", carryOn: "numbers", ...NUMBERS } as const;
/** The first process waits there, however late it is killed. */
const HELD_RUN = { ...RUN, hold: { from: 1, at: 100 } } as const;
const CARRY_ON = { do: "carry on", kind: "numbers", ...NUMBERS } as const;
const WHOLE = Array.from({ length: COUNT }, (_, n) => n);
/** So long that nothing in these tests happens by its running out. */
const ENDLESS_LEASE_MS = 600_000;

/** Long enough for a process that gets no turn for a while. */
const SHORT_LEASE_MS = 3_000;

let folder: string;
let workers: WorkerProcess[];
let streams: Streams;

async function start(leaseMs: number): Promise<WorkerProcess> {
  const worker = new WorkerProcess(join(folder, "streams.db"), leaseMs);
  workers.push(worker);
  await worker.report("ready");
  return worker;
}

/** Follows "r" in this process from its start on. */
function follow(): {
  readonly seen: number[];
  readonly end: Promise<End | undefined>;
  reached(n: number): Promise<void>;
} {
  const seen: number[] = [];
  const watchers = new Set<() => void>();
  const end = (async () => {
    const pull = (await streams.follow("r").open()).pull();
    for (;;) {
      const result = await pull.next();
      if (result.done === true) return pull.end;
      if (result.value.kind !== "item") continue;
      seen.push((JSON.parse(result.value.item.payload as string) as { n: number }).n);
      for (const watcher of watchers) watcher();
    }
  })();
  const reached = (n: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (seen.length === 0 || seen.at(-1)! < n) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  return { seen, end, reached };
}

const carried = (): number[] =>
  workers.flatMap((worker) => worker.reports.flatMap((report) => (report.is === "carried" ? [report.from] : [])));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-carry-on-"));
  workers = [];
  streams = createStreams({ store: sqliteStore(join(folder, "streams.db")) });
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await streams.close();
  await rm(folder, { recursive: true });
});

describe("a run that is carried on", () => {
  // The default lease: what users get is what is tested.
  test.each([
    ["by the other process when its own is killed", false],
    ["by the one process there is, killed and started again", true],
  ])("%s, without a gap, a duplicate or an end for its reader", async (_how, isRestarted) => {
    const owner = await start(5_000);
    owner.tell(CARRY_ON);
    if (!isRestarted) (await start(5_000)).tell(CARRY_ON);
    owner.tell(HELD_RUN);
    await owner.report("started");
    const reader = follow();
    await reader.reached(40);
    await owner.kill();
    const seenWhenKilled = reader.seen.length;
    if (isRestarted) (await start(5_000)).tell(CARRY_ON);
    expect(await reader.end).toEqual({ reason: "completed" });
    expect(reader.seen).toEqual(WHOLE);
    const [from, ...more] = carried();
    expect(from).toBeGreaterThanOrEqual(seenWhenKilled);
    expect(more).toEqual([]);
  });

  test("by another process at once when its own is told to end: nobody waits for the lease", async () => {
    const [owner, other] = [await start(ENDLESS_LEASE_MS), await start(ENDLESS_LEASE_MS)];
    for (const worker of [owner, other]) worker.tell(CARRY_ON);
    owner.tell(HELD_RUN);
    await owner.report("started");
    other.tell({ do: "follow", name: "r" });
    const reader = follow();
    await reader.reached(40);
    await owner.kill("SIGTERM");
    expect(await reader.end).toEqual({ reason: "completed" });
    expect(reader.seen).toEqual(WHOLE);
    expect(owner.reports.filter((report) => report.is === "aborted")).toHaveLength(1);
    expect(other.reports.filter((report) => report.is === "carried")).toHaveLength(1);
  });

  test("by the process that is started again, at once, when it was told to end", async () => {
    const owner = await start(ENDLESS_LEASE_MS);
    owner.tell(HELD_RUN);
    await owner.report("started");
    const reader = follow();
    await reader.reached(40);
    await owner.kill("SIGTERM");
    expect(carried()).toEqual([]);
    const next = await start(ENDLESS_LEASE_MS);
    next.tell(CARRY_ON);
    expect(await reader.end).toEqual({ reason: "completed" });
    expect(reader.seen).toEqual(WHOLE);
  });

  test("through a rolling deploy: each process in turn is told to end and replaced", async () => {
    const living = [await start(ENDLESS_LEASE_MS), await start(ENDLESS_LEASE_MS)];
    living[0]!.tell(HELD_RUN);
    await living[0]!.report("started");
    const reader = follow();
    for (const worker of living) worker.tell(CARRY_ON);
    for (let round = 1; round <= 4; round++) {
      const next = await start(ENDLESS_LEASE_MS);
      next.tell({ do: "follow", name: "r" });
      next.tell(CARRY_ON);
      await next.report("item");
      living.push(next);
      await reader.reached(round * 25);
      await living.shift()!.kill("SIGTERM");
    }
    expect(await reader.end).toEqual({ reason: "completed" });
    expect(reader.seen).toEqual(WHOLE);
    expect(carried().length).toBeGreaterThan(0);
  });

  test("by one of several that could, time after time", async () => {
    const first = await start(SHORT_LEASE_MS);
    const others = [await start(SHORT_LEASE_MS), await start(SHORT_LEASE_MS), await start(SHORT_LEASE_MS)];
    // So does the second, and the third goes on to the end.
    for (const worker of others) worker.tell({ ...CARRY_ON, hold: { from: 35, at: 60 } });
    first.tell({ ...RUN, hold: { from: 1, at: 30 } });
    await first.report("started");
    const reader = follow();
    let owner = first;
    for (let deaths = 1; deaths <= 2; deaths++) {
      await reader.reached(deaths * 20);
      await owner.kill();
      const candidates = others.filter((worker) => worker !== owner);
      owner = await Promise.race(candidates.map((worker) => worker.report("carried").then(() => worker)));
    }
    expect(await reader.end).toEqual({ reason: "completed" });
    expect(reader.seen).toEqual(WHOLE);
    expect(carried()).toHaveLength(2);
  });

  test("not, when it was asked to stop while nobody owned it", async () => {
    const owner = await start(SHORT_LEASE_MS);
    owner.tell(HELD_RUN);
    await owner.report("started");
    const reader = follow();
    await reader.reached(20);
    await owner.kill();
    expect((await streams.stop("r")).state).toBe("stopping");
    const other = await start(SHORT_LEASE_MS);
    other.tell(CARRY_ON);
    expect(await reader.end).toEqual({ reason: "stopped" });
    expect(reader.seen).toEqual(WHOLE.slice(0, reader.seen.length));
    expect(carried()).toEqual([]);
  });
});
