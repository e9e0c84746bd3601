import { createHash } from "node:crypto";
import { mkdtemp, open, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Jobs } from "../jobs/jobs.ts";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { sse } from "../reply/sse.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { exportEvent } from "./exports-snapshot.ts";
import type { ExportBatchDefinition, ExportRowDefinition } from "./exports-types.ts";
import { createExports, type DefinedExport, type Exports } from "./exports.ts";

interface Row {
  readonly id: number;
  readonly text: string | null;
}

let folder: string;
let clock: ManualClock;
let streams: Streams;
let jobs: Jobs;
let exports: Exports;
let errors: unknown[];

const KEEP_MS = 60_000;
const REQUEST = new Request("http://localhost/file");

function rowsUpTo(count: number, after = 0): Row[] {
  return Array.from({ length: count - after }, (_, index) => ({
    id: after + index + 1,
    text: `t${after + index + 1}`,
  }));
}

function define(more: Partial<ExportRowDefinition<number, Row, number>> = {}, name = "rows"): DefinedExport<number> {
  return exports.define<number, Row, number>(name, {
    rows: (count, { after }) => rowsUpTo(count, after),
    key: (row) => row.id,
    ...more,
  });
}

/** Rows that take a little time each. */
async function* slowly(count: number, signal?: AbortSignal): AsyncGenerator<Row> {
  for (let id = 1; id <= count; id++) {
    if (signal?.aborted === true) return;
    yield { id, text: `t${id}` };
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Runs an export to its end. */
async function made(defined: DefinedExport<number>, count: number, id = "a"): Promise<string> {
  await defined.start(count, { id });
  return (await exports.follow(id).ended(AbortSignal.timeout(100_000)))!.reason;
}

const files = (): Promise<string[]> => readdir(folder);
const text = async (id = "a"): Promise<string> => (await exports.file(REQUEST, id)).text();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-exports-"));
  clock = createManualClock(Date.now());
  streams = new Streams({ store: memoryStore({ name: folder, clock }), clock }, () => undefined);
  errors = [];
  jobs = new Jobs({ streams, clock, onError: (error) => errors.push(error) });
  exports = createExports({ jobs, folder, clock, keepMs: KEEP_MS });
});
afterEach(async () => {
  vi.restoreAllMocks();
  exports.close();
  await streams.close();
  await rm(folder, { recursive: true });
});

describe("Exports", () => {
  test("makes a CSV file with a guard against formulas, and tells its size and digest", async () => {
    const defined = define({
      rows: () => [
        { id: 1, text: "=1+1" },
        { id: 2, text: null },
      ],
      total: () => 2,
    });
    expect(await made(defined, 0)).toBe("completed");
    const body = `id,text\r\n1,"'=1+1"\r\n2,\r\n`;
    expect(await text()).toBe(body);
    const sha256 = createHash("sha256").update(body).digest("hex");
    const expiresAtMs = clock.now() + KEEP_MS;
    const facts = { rows: 2, bytes: body.length, sha256, filename: "rows.csv", expiresAtMs, isExpired: false };
    expect(await exports.get("a")).toMatchObject({ name: "rows", state: "completed", ...facts });
    expect((await exports.get("a"))!.progress).toMatchObject({ done: 2, total: 2, percent: 100 });
  });

  test("makes NDJSON out of batches, with an end record, from a promise of an async source", async () => {
    const definition: ExportBatchDefinition<number, Row, number> = {
      batches: true,
      format: () => "ndjson",
      endRecord: true,
      filename: (count) => `../${count} rows.ndjson`,
      rows: async (count) =>
        async function* () {
          yield [];
          yield* rowsUpTo(count).map((row) => [row]);
        },
      key: (row) => row.id,
    };
    const defined = exports.define("lines", definition);
    expect(await made(defined, 2)).toBe("completed");
    const response = await exports.file(REQUEST, "a");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="2 rows.ndjson"');
    expect(response.headers.get("tailrace-rows")).toBe("end-record");
    expect(await response.text()).toBe(
      '{"id":1,"text":"t1"}\n{"id":2,"text":"t2"}\n{"$end":{"reason":"completed","rows":2}}\n',
    );
  });

  test("an export of no rows has the header that the columns give", async () => {
    expect(await made(define({ csv: { columns: ["id"] } }), 0)).toBe("completed");
    expect(await text()).toBe("id\r\n");
  });

  test("file() answers with ranges, a strong tag and the digest of the whole", async () => {
    await made(define(), 3);
    const whole = await text();
    const { sha256 } = (await exports.get("a"))!;
    const range = new Request(REQUEST, { headers: { range: "bytes=4-7", "if-range": `"${sha256}"` } });
    const part = await exports.file(range, "a");
    expect([part.status, await part.text()]).toEqual([206, whole.slice(4, 8)]);
    expect(part.headers.get("etag")).toBe(`"${sha256}"`);
    const digest = createHash("sha256").update(whole).digest("base64");
    expect(part.headers.get("repr-digest")).toBe(`sha-256=:${digest}:`);
    const known = new Request(REQUEST, { headers: { "if-none-match": `"${sha256}"` } });
    expect((await exports.file(known, "a")).status).toBe(304);
  });

  test("file() answers 404 for none, also for another kind of job, and 409 while it is made or when it failed", async () => {
    jobs.define("other", () => 1);
    await jobs.start("other", 1, { id: "job" });
    for (const id of ["none", "job", "../a", "a.b"]) expect((await exports.file(REQUEST, id)).status).toBe(404);
    let go!: () => void;
    const waits = new Promise<void>((resolve) => (go = resolve));
    const defined = define({
      rows: async () => {
        await waits;
        throw new Error("no rows");
      },
    });
    await defined.start(1, { id: "a" });
    expect((await exports.file(REQUEST, "a")).status).toBe(409);
    go();
    await exports.follow("a").ended();
    const response = await exports.file(REQUEST, "a");
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([409, "conflict"]);
    expect(await files()).toEqual([]);
  });

  test("a file is there until the stated time, is gone at it with 410, and goes from the disk by itself", async () => {
    await made(define(), 1);
    clock.jump(KEEP_MS - 1);
    expect((await exports.file(REQUEST, "a")).status).toBe(200);
    expect(await exports.sweep()).toEqual({ removedCount: 0, keptCount: 1 });
    clock.jump(1);
    expect((await exports.file(REQUEST, "a")).status).toBe(410);
    expect((await exports.get("a"))!.isExpired).toBe(true);
    await expect.poll(files).toEqual([]);
    // Another one, which nobody asks for.
    await made(define(), 1, "b");
    expect(await files()).toHaveLength(1);
    clock.advance(KEEP_MS);
    await expect.poll(files).toEqual([]);
  });

  test("file() answers 410 for a file that somebody removed or cut", async () => {
    await made(define(), 1);
    const [name] = await files();
    await writeFile(join(folder, name!), "short");
    expect((await exports.file(REQUEST, "a")).status).toBe(410);
    await rm(join(folder, name!));
    expect((await exports.file(REQUEST, "a")).status).toBe(410);
  });

  test("maxBytes: a file of that size is made, one byte more fails, is told to readers, and leaves nothing", async () => {
    const size = "id,text\r\n1,t1\r\n2,t2\r\n".length;
    expect(await made(define({ maxBytes: size }), 2)).toBe("completed");
    expect(await made(define({ maxBytes: size - 1 }), 2, "b")).toBe("failed");
    expect((await exports.get("b"))!.failure).toMatchObject({ code: "limit_exceeded" });
    expect((await files()).filter((name) => name.startsWith("b."))).toEqual([]);
  });

  test("a full disk fails the export with 507, tells its readers so, and leaves nothing", async () => {
    const handle = await open(join(folder, "probe"), "w");
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    await rm(join(folder, "probe"));
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    vi.spyOn(prototype, "write").mockRejectedValue(full);
    expect(await made(define(), 1)).toBe("failed");
    expect(errors).toMatchObject([{ code: "store_unavailable", status: 507 }]);
    expect((await exports.get("a"))!.lastLog).toMatchObject({ level: "error", text: expect.stringMatching(/full/) });
    expect(await files()).toEqual([]);
  });

  test("two starts of one id are one export", async () => {
    let opened = 0;
    const defined = define({ rows: (count) => (opened++, rowsUpTo(count)) });
    const [one, two] = await Promise.all([defined.start(3, { id: "a" }), exports.start("rows", 3, { id: "a" })]);
    expect(one.started).not.toBe(two.started);
    await exports.follow("a").ended();
    expect(opened).toBe(1);
    expect(await files()).toHaveLength(1);
  });

  test("cancel() closes the rows, removes the part file, and retry() makes the export anew", async () => {
    let hasClosed = false;
    let isFirst = true;
    const defined = define({
      rows: (count, { signal }) =>
        async function* () {
          yield* rowsUpTo(1);
          try {
            if (isFirst) await new Promise((resolve) => signal.addEventListener("abort", resolve));
          } finally {
            hasClosed = true;
          }
          yield* rowsUpTo(count, 1);
        },
    });
    await defined.start(3, { id: "a" });
    await expect.poll(files).toHaveLength(1);
    expect((await exports.cancel("a")).state).toBe("stopping");
    await expect.poll(files).toEqual([]);
    await expect.poll(() => hasClosed).toBe(true);
    expect((await exports.get("a"))!.state).toBe("stopped");
    isFirst = false;
    const { id, retryOf } = await exports.retry("a");
    expect(retryOf).toBe("a");
    await exports.follow(id).ended();
    expect(await text(id)).toBe("id,text\r\n1,t1\r\n2,t2\r\n3,t3\r\n");
    expect((await exports.list()).map((each) => [each.id, each.state])).toEqual([
      [id, "completed"],
      ["a", "stopped"],
    ]);
  });

  test("cancel() and retry() know exports alone", async () => {
    jobs.define("other", ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)));
    await jobs.start("other", 1, { id: "job" });
    expect((await exports.cancel("job")).state).toBe("unknown");
    expect((await jobs.get("job"))!.end).toBeUndefined();
    await expect(exports.retry("job")).rejects.toMatchObject({ code: "stream_unknown" });
    expect(await exports.list()).toEqual([]);
  });

  test("a follower that comes back with Last-Event-ID has each event once", async () => {
    await made(define({ total: (count) => count }), 5);
    const read = async (id?: string): Promise<string[]> => {
      const request = new Request("http://localhost/", id === undefined ? {} : { headers: { "last-event-id": id } });
      const body = await (await sse(request, exports.follow("a"), { toEvent: exportEvent })).text();
      // The first block only names the place where the reply begins.
      const blocks = body.split("\n\n").filter((block) => /^event:/m.test(block));
      return blocks.flatMap((block) => /^id: ?(.+)$/m.exec(block)?.[1] ?? []);
    };
    const all = await read();
    expect(all.length).toBeGreaterThan(3);
    for (const [index, id] of all.slice(0, -1).entries()) expect(await read(id)).toEqual(all.slice(index + 1));
    const request = new Request("http://localhost/");
    const body = await (await sse(request, exports.follow("a"), { toEvent: exportEvent })).text();
    const told = [...body.matchAll(/^event: ?progress\n(?:id.*\n)?data: ?(.+)$/gm)].map(([, data]) => data!);
    const progress = told.at(-1);
    expect(JSON.parse(progress!)).toMatchObject({ done: 5, total: 5, bytes: (await exports.get("a"))!.bytes });
  });

  test("an interrupted export that may not go on leaves nothing behind a sweep; files of others stay", async () => {
    const untilAborted = define({
      carriesOn: false,
      rows: (_count, { signal }) =>
        async function* (): AsyncGenerator<Row> {
          yield* rowsUpTo(1);
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
    });
    await untilAborted.start(1, { id: "a" });
    await expect.poll(files).toHaveLength(1);
    await writeFile(join(folder, "notes.txt"), "mine");
    const [old, young] = ["x.0123456789abcdef.part", "y.0123456789abcdef.part"];
    for (const name of [old, young]) await writeFile(join(folder, name), "");
    await utimes(join(folder, old), 1, (clock.now() - KEEP_MS) / 1_000);
    await streams.drain();
    expect((await exports.get("a"))!.state).toBe("interrupted");
    expect(await exports.sweep()).toEqual({ removedCount: 2, keptCount: 1 });
    expect((await files()).toSorted()).toEqual(["notes.txt", young]);
  });

  test("a sync source of many rows lets the event loop run, and a total that fails is left out", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const total = (): Promise<number> => Promise.reject(new Error("no count"));
    expect(await made(define({ total }), 100_000)).toBe("completed");
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
    expect((await exports.get("a"))!.progress!.total).toBeUndefined();
    const [name] = await files();
    expect((await readFile(join(folder, name!), "utf8")).split("\r\n")).toHaveLength(100_002);
  });

  test("refuses ids and names that could be paths", async () => {
    const defined = define();
    for (const id of ["../a", "a.b", "", "a".repeat(65)]) {
      await expect(defined.start(1, { id })).rejects.toMatchObject({ code: "input_invalid" });
    }
    expect(await made(defined, 1, "a".repeat(64))).toBe("completed");
    expect(() => define({}, "a/b")).toThrow(/letters/);
    expect(() => createExports({ jobs, folder, keepMs: 999 })).toThrow(/keepMs/);
  });

  test("a key that is no JSON fails the export when it is to be kept", async () => {
    exports = createExports({ jobs, folder, clock, checkpointMs: 1 });
    const defined = exports.define<number, Row, bigint>("rows", { rows: (count) => slowly(count), key: () => 1n });
    expect(await made(defined, 100)).toBe("failed");
    expect(errors).toMatchObject([{ code: "encode_refused" }]);
    expect(await files()).toEqual([]);
  });

  test.each([
    ["goes on behind its last key", ["id", "text"], true],
    ["begins anew where it was meant to be another file", ["text", "id"], false],
  ])("an export that was handed on %s", async (_how, columns, goesOn) => {
    const store = memoryStore({ name: `two over ${folder}`, clock });
    const [first, second] = [1, 2].map(() => new Streams({ store, clock }, () => undefined)) as [Streams, Streams];
    const before = createExports({ jobs: new Jobs({ streams: first, clock }), folder, clock, checkpointMs: 1 });
    const defined = before.define<number, Row, number>("rows", {
      csv: { columns: ["id", "text"] },
      rows: (count, { signal }) => slowly(count, signal),
      key: (row) => row.id,
    });
    await defined.start(1_000_000, { id: "a" });
    for await (const item of before.follow("a")) if (item.type === "checkpoint") break;
    await first.drain();
    const after = createExports({ jobs: new Jobs({ streams: second, clock }), folder, clock });
    const asked: (number | undefined)[] = [];
    after.define<number, Row, number>("rows", {
      csv: { columns },
      rows: (_count, place) => (asked.push(place.after), rowsUpTo(500, place.after)),
      key: (row) => row.id,
    });
    expect(await after.follow("a").ended()).toEqual({ reason: "completed" });
    expect(asked).toEqual([goesOn ? expect.any(Number) : undefined]);
    const body = await (await after.file(REQUEST, "a")).text();
    const rows = rowsUpTo(500).map(({ id, text: cell }) => (goesOn ? `${id},${cell}\r\n` : `${cell},${id}\r\n`));
    expect(body).toBe(`${columns.join(",")}\r\n${rows.join("")}`);
    await after.sweep();
    expect(await files()).toHaveLength(1);
    for (const each of [before, after]) each.close();
    for (const each of [first, second]) await each.close();
  });
});
