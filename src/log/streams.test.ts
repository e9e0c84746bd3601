import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { memoryStore } from "./memory.ts";
import { sqliteStore } from "./sqlite.ts";
import { MAX_UNWRITTEN_BYTES } from "./run-writer.ts";
import type { Store } from "./store.ts";
import { createStreams, Streams } from "./streams.ts";

let folder: string;
let clock: ManualClock;
let store: Store;
let streams: Streams;
const extra: Streams[] = [];

const kinds = {
  memory: () => memoryStore({ name: folder, clock }),
  sqlite: () => sqliteStore(join(folder, "streams.db"), { clock }),
};

async function valuesOf<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

/** A second owner over the same store, as another process is. */
function otherProcess(): Streams {
  const other = new Streams(
    { store: store.kind === "sqlite" ? kinds.sqlite() : store, clock, leaseMs: 4_000 },
    () => undefined,
  );
  extra.push(other);
  return other;
}

describe.each(["memory", "sqlite"] as const)("Streams over %s", (kind) => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tailrace-streams-"));
    clock = createManualClock();
    store = kinds[kind]();
    streams = new Streams({ store, clock, leaseMs: 4_000 }, () => undefined);
  });
  afterEach(async () => {
    for (const each of extra.splice(0)) await each.close();
    await streams.close();
    await rm(folder, { recursive: true });
  });

  test("run() goes on without a reader and gives every follower the whole", async () => {
    const run = await streams.run("r", async function* () {
      for (let index = 0; index < 5; index++) {
        await nextTurn();
        yield { index };
      }
    });
    expect(run.started).toBe(true);
    expect(await run.ended()).toEqual({ reason: "completed" });
    const all = Array.from({ length: 5 }, (_, index) => ({ index }));
    expect(await valuesOf(run)).toEqual(all);
    expect(await valuesOf(streams.follow("r"))).toEqual(all);
    expect(streams.counts).toEqual({ runs: 0, channels: 0 });
    expect(clock.timerCount).toBe(0);
  });

  test("run() of a name that runs or has run joins it and calls no producer", async () => {
    const producer = vi.fn(() => [1, 2]);
    const started = await Promise.all([1, 2, 3].map(() => streams.run("r", producer)));
    const elsewhere = await otherProcess().run("r", producer);
    expect([...started, elsewhere].filter((run) => run.started)).toHaveLength(1);
    for (const run of [...started, elsewhere]) expect(await valuesOf(run)).toEqual([1, 2]);
    expect((await streams.run("r", producer)).started).toBe(false);
    expect(producer).toHaveBeenCalledTimes(1);
  });

  test("a producer that throws ends its run as failed, with what it wrote, and its readers are told", async () => {
    const onError = vi.fn();
    const fault = new Error("secret");
    const run = await streams.run(
      "r",
      async function* () {
        yield 1;
        throw fault;
      },
      { onError },
    );
    expect(await run.ended()).toEqual({ reason: "failed" });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const value of run) seen.push(value);
    })();
    await expect(reading).rejects.toMatchObject({ code: "source_failed", details: { reason: "failed" } });
    expect(seen).toEqual([1]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(fault);
  });

  test("a source that cannot be opened is thrown, and its run has failed", async () => {
    const stream = new ReadableStream<number>();
    stream.getReader(); // somebody else reads it
    await expect(streams.run("r", stream)).rejects.toThrow("locked");
    expect((await streams.head("r"))!.end).toEqual({ reason: "failed" });
    expect(streams.counts).toEqual({ runs: 0, channels: 0 });
  });

  test("an item that cannot be written ends the run as failed", async () => {
    const onError = vi.fn();
    const run = await streams.run("r", [1, undefined, 3], { onError });
    expect(await run.ended()).toEqual({ reason: "failed" });
    expect((await streams.read("r")).entries.map((entry) => entry.value)).toEqual([1]);
    expect(onError.mock.calls[0]![0]).toMatchObject({ code: "encode_refused" });
  });

  test.each(["here", "elsewhere"])(
    "stop() %s ends the run as stopped, keeps what was written and aborts the signal",
    async (where) => {
      const aborted = Promise.withResolvers<void>();
      const run = await streams.run("r", async function* ({ signal }) {
        signal.addEventListener("abort", () => aborted.resolve());
        yield 1;
        await new Promise(() => undefined); // deaf to its signal
      });
      const follower = valuesOf(run);
      const stopper = where === "here" ? streams : otherProcess();
      await nextTurn();
      expect(await stopper.stop("r")).toEqual({ state: "stopping" });
      await aborted.promise;
      expect(await follower).toEqual([1]);
      expect(await run.ended()).toEqual({ reason: "stopped" });
      expect(await stopper.stop("r")).toEqual({ state: "ended", end: { reason: "stopped" } });
    },
  );

  test("stop() works before the first item", async () => {
    const run = await streams.run("r", () => new Promise<never>(() => undefined));
    await streams.stop("r");
    expect(await run.ended()).toEqual({ reason: "stopped" });
    expect(await valuesOf(run)).toEqual([]);
  });

  test("stop() of what is not there says so", async () => {
    expect(await streams.stop("r")).toEqual({ state: "unknown" });
    await streams.create("plain"); // a stream that no run writes: there is nobody to stop
    expect(await streams.stop("plain")).toEqual({ state: "idle" });
  });

  test("a beat that was missed by the hint still brings the stop", async () => {
    const run = await streams.run("r", () => new Promise<never>(() => undefined));
    await store.requestStop("r");
    clock.advance(1_000); // a quarter of the lease
    expect(await run.ended()).toEqual({ reason: "stopped" });
  });

  test("a dead owner's run is interrupted for a reader that waits and for one that comes", async () => {
    const other = otherProcess();
    await store.claim("dead", "nobody", 4_000);
    await store.append("dead", ["1"], { epoch: 1 });
    const waiting = valuesOf(other.follow("dead")).catch((error: unknown) => error);
    await nextTurn();
    clock.jump(4_000);
    clock.advance(1_000);
    expect(await waiting).toMatchObject({ code: "source_failed", details: { reason: "interrupted" } });
    await store.claim("dead too", "nobody else", 4_000);
    clock.jump(4_000);
    expect((await streams.head("dead too"))!.end).toEqual({ reason: "interrupted" });
  });

  test("an owner that sleeps through its lease loses its run and says so to its producer", async () => {
    const aborted = Promise.withResolvers<void>();
    await streams.run("r", ({ signal }) => {
      signal.addEventListener("abort", () => aborted.resolve());
      return new Promise<never>(() => undefined);
    });
    clock.jump(4_000);
    await otherProcess().head("r"); // looks, and takes the owner for dead
    expect((await store.head("r"))!.end).toEqual({ reason: "interrupted" });
    clock.advance(1_000);
    await aborted.promise;
    expect(streams.counts.runs).toBe(0);
  });

  test("an owner that wakes first keeps its run", async () => {
    await streams.run("r", () => new Promise<never>(() => undefined));
    clock.jump(60_000);
    clock.advance(1_000);
    await vi.waitFor(async () => expect((await store.beat("probe", 1)).owned).toEqual([]));
    expect((await streams.head("r"))!.end).toBeUndefined();
    await otherProcess().head("r");
    expect((await store.head("r"))!.end).toBeUndefined();
  });

  test("drain() ends the runs of this process as interrupted, at once", async () => {
    const run = await streams.run("r", async function* () {
      yield 1;
      await new Promise(() => undefined);
    });
    await nextTurn();
    await streams.drain();
    expect(await run.ended()).toEqual({ reason: "interrupted" });
    expect((await streams.read("r")).entries.map((entry) => entry.value)).toEqual([1]);
  });

  test("a fast producer waits for the store: the buffer keeps to MAX_UNWRITTEN_BYTES", async () => {
    const item = "x".repeat(65_534); // 65,536 with its quotes
    let made = 0;
    let most = 0;
    let written = 0;
    const append = store.append.bind(store);
    vi.spyOn(store, "append").mockImplementation(async (name, payloads, options) => {
      const result = await append(name, payloads, options);
      written += payloads.length;
      return result;
    });
    const run = await streams.run("r", function* () {
      for (; made < 200; made++) {
        most = Math.max(most, made - written);
        yield item;
      }
    });
    expect(await run.ended()).toEqual({ reason: "completed" });
    expect((await streams.read("r")).entries).toHaveLength(200);
    // What is being written, and as much again that waits.
    expect(most).toBeLessThanOrEqual((2 * MAX_UNWRITTEN_BYTES) / 65_536 + 1);
  });

  test("append() makes the stream, gives offsets and reaches followers; read() gives what is kept", async () => {
    const first = await streams.append("s", [{ a: 1 }, null]);
    expect(first.offsets).toHaveLength(2);
    expect(first.tail).toBe(first.offsets[1]);
    const controller = new AbortController();
    const seen: unknown[] = [];
    for await (const entry of streams.follow("s").entries({ after: first.offsets[0]!, signal: controller.signal })) {
      seen.push(entry.value);
      if (seen.length === 1) await streams.append("s", ["later"]);
      else controller.abort();
    }
    expect(seen).toEqual([null, "later"]);
    expect((await streams.read("s", { maxItems: 2 })).entries.map((entry) => entry.value)).toEqual([{ a: 1 }, null]);
    expect((await streams.read("s", { last: 2 })).entries.map((entry) => entry.value)).toEqual([null, "later"]);
    expect((await streams.read("s", { last: 9, maxItems: 1 })).entries.map((entry) => entry.value)).toEqual([{ a: 1 }]);
    expect((await streams.read("s", { last: 0 })).entries).toEqual([]);
    expect((await streams.read("s", { after: first.tail })).entries.map((entry) => entry.value)).toEqual(["later"]);
    expect(streams.counts.channels).toBe(0);
  });

  test("append() of a producer's repetition writes once", async () => {
    const producer = { id: "p", epoch: 0, seq: 0 };
    expect((await streams.append("s", [1], { producer })).duplicate).toBe(false);
    expect((await streams.append("s", [1], { producer })).duplicate).toBe(true);
    expect((await streams.read("s")).entries).toHaveLength(1);
  });

  test("follow() of what is not there, and a cursor that is none, are errors with a code", async () => {
    await expect(valuesOf(streams.follow("no"))).rejects.toMatchObject({ code: "stream_unknown" });
    await streams.create("s");
    await expect(valuesOf(streams.follow("s", { after: "bogus" }))).rejects.toMatchObject({ code: "cursor_invalid" });
    await expect(valuesOf(streams.follow("s", { after: "9zzzzzzzzz" }))).rejects.toMatchObject({ code: "gap" });
    expect(streams.counts.channels).toBe(0);
  });
});

describe("createStreams()", () => {
  test("gives one instance per place, also for another store object", async () => {
    const name = crypto.randomUUID();
    const first = createStreams({ store: memoryStore({ name }) });
    expect(createStreams({ store: memoryStore({ name }) })).toBe(first);
    expect(createStreams({ store: memoryStore({ name: crypto.randomUUID() }) })).not.toBe(first);
    await first.close();
    const next = createStreams({ store: memoryStore({ name }) });
    expect(next).not.toBe(first);
    await next.close();
  });

  test("gives one instance when the module is loaded twice", async () => {
    const name = crypto.randomUUID();
    const first = createStreams({ store: memoryStore({ name }) });
    vi.resetModules();
    const again = await import("./streams.ts");
    expect(again.createStreams).not.toBe(createStreams);
    expect(again.createStreams({ store: memoryStore({ name }) })).toBe(first);
    await first.close();
  });
});
