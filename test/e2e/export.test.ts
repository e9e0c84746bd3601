// Exports through Next.js: files straight from the cursor, and files that are made apart from any request and survive a kill.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "csv-parse";
import { readCsv, readNdjson } from "tailrace/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeSample } from "../../apps/demo/lib/sample/make.ts";
import { Demo } from "./demo.ts";
import {
  followExport,
  hitHalfWay,
  lastOf,
  leaveAfter,
  objectRow,
  type ReadEvent,
  sha256Of,
  startExport,
  tableOf,
  textRow,
  unread,
} from "./export-exchange.ts";
import { grownBytes } from "./grown-memory.ts";
import { openedCount, underWayBytes } from "./process-state.ts";
import { RawExchange } from "./raw-exchange.ts";

/** What the issue allows a reader that stalls to cost. */
const STALLED_BYTES = 40_000_000;
/** All million rows are 67 MB. */
const FAR_LESS_BYTES = 20_000_000;

let demo: Demo;
beforeAll(async () => {
  demo = await Demo.start();
  // As `npm start` does; not in the server, whose memory is looked at.
  await makeSample(join(demo.dataDir, "sample.db"));
});
afterAll(() => demo?.remove());

const direct = (query: string): string => `${demo.url}/api/export?${query}`;
const durable = (id: string, what = ""): string => `${demo.url}/api/exports/${id}${what}`;
const health = (url = demo.url): Promise<unknown> => fetch(`${url}/api/health`).then((response) => response.json());
const filesOf = async (id: string): Promise<readonly string[]> =>
  (await readdir(join(demo.dataDir, "exports"))).filter((name) => name.includes(id));

describe("/api/export", () => {
  const events = tableOf("events");

  test("a stalled reader of a million rows costs little memory, and others are answered meanwhile", async () => {
    const { url } = demo.instances[0]!; // itself: what stands in front of it has buffers of its own
    const port = Number(new URL(url).port);
    const warm = async (): Promise<void> => void (await (await fetch(`${url}/api/export?rows=300000`)).text());
    const work = async (look: () => void): Promise<void> => {
      const response = await unread(`${url}/api/export?rows=1000000`);
      let held = -1;
      // Until what is under way no longer becomes more: 20 looks in a row, each behind an answer of the server.
      for (let same = 0; same < 20;) {
        expect(await health(url)).toMatchObject({ status: "ok" });
        const bytes = underWayBytes(port);
        same = bytes === held && bytes > 10_000 ? same + 1 : 0; // more than the head has come
        held = bytes;
        look();
      }
      expect(held).toBeLessThan(FAR_LESS_BYTES);
      // What it has waited for is all there, a record to a line but for those notes that have two.
      let lines = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) for (const byte of chunk) if (byte === 13) lines++;
      expect(lines).toBe(1_000_001);
    };
    expect(await grownBytes(demo, STALLED_BYTES, { warm, work })).toBeLessThan(STALLED_BYTES);
  });

  test("100,000 rows of CSV are what the table has, read back by readCsv", async () => {
    const response = await fetch(direct("format=csv&rows=100000"));
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="events.csv"');
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    let id = 0;
    for await (const rows of readCsv(response, { unguardFormulas: true }).batches())
      for (const row of rows) if (!isSame(row, textRow(events, ++id))) expect(row).toEqual(textRow(events, id));
    expect(id).toBe(100_000);
  });

  test("csv-parse reads the same, with texts that would be formulas behind a '", async () => {
    const parser = (await unread(direct("format=csv&rows=100000"))).pipe(parse({ columns: true }));
    let id = 0;
    const guarded = new Set<string>();
    for await (const row of parser as AsyncIterable<Record<string, string>>) {
      const wanted = textRow(events, ++id);
      for (const [name, value] of Object.entries(row)) {
        const text = wanted[name] ?? "";
        if (value !== text) guarded.add(value);
        if (value !== text && value !== `'${text}`) expect(row).toEqual(wanted);
      }
    }
    expect(id).toBe(100_000);
    expect([...guarded].toSorted()).toEqual(["'+49 30 1234567", "'=2+3"]);
  });

  test("100,000 rows of NDJSON are what the table has, with an end record", async () => {
    const response = await fetch(direct("format=ndjson&rows=100000"));
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="events.ndjson"');
    let id = 0;
    for await (const rows of readNdjson<object>(response, { endRecord: "require" }).batches())
      for (const row of rows) if (!isSame(row, objectRow(events, ++id))) expect(row).toEqual(objectRow(events, id));
    expect(id).toBe(100_000);
  });

  test.each([
    ["rows=0", 0],
    ["", 1_000],
    ["rows=50000&table=users", 50_000],
    ["rows=501&table=orders&filter=returned", 501],
  ])("?%s has its rows", async (query, count) => {
    let found = 0;
    for await (const rows of readCsv(await fetch(direct(query))).batches()) {
      found += rows.length;
      if (query.includes("returned")) expect(rows.every(({ status }) => status === "returned")).toBe(true);
    }
    expect(found).toBe(count);
  });

  test("HEAD has the head alone, and nothing else than GET is taken", async () => {
    const head = await fetch(direct("format=ndjson"), { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("content-disposition")).toBe('attachment; filename="events.ndjson"');
    expect((await fetch(direct(""), { method: "POST" })).status).toBe(405);
  });

  test.each([
    ["format=xml", "format"],
    ["format=", "format"],
    ["rows=ten", "rows"],
    ["rows=", "rows"],
    ["rows=-1", "rows"],
    ["rows=1.5", "rows"],
    ["rows=1000001", "rows"],
    ["table=users&rows=50001", "rows"],
    ["table=sqlite_master", "table"],
    ["table=constructor", "table"],
    ["filter=mine", "filter"],
    ["table=users&filter=view", "filter"],
    ["filter=view'%20OR%201=1--", "filter"],
  ])("?%s is refused, and the field is named", async (query, field) => {
    const response = await fetch(direct(query));
    expect([response.status, response.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
    expect(await response.json()).toMatchObject({ status: 422, code: "input_invalid", field });
  });

  test("20 readers that leave after a megabyte leave nothing running", async () => {
    const opened = openedCount(demo.pid);
    for (let index = 0; index < 20; index++)
      await leaveAfter(direct(`rows=1000000&format=${index % 2 === 0 ? "csv" : "ndjson"}`), 1_000_000);
    await expect.poll(() => openedCount(demo.pid)).toBeLessThanOrEqual(opened + 3);
    // Twenty exports that went on would keep the process busy for a minute.
    const load = await RawExchange.open(`${demo.url}/api/load`, "GET");
    await expect.poll(() => /"cpu":0\.[0-2]/.test(load.text)).toBe(true);
    load.socket.destroy();
  });
});

describe("/api/exports", () => {
  test("an export is followed to its end, and its file is what a direct one is, in parts and from a cut on", async () => {
    const id = await startExport(demo.url, { format: "csv", rows: 100_000 });
    const events = await followExport(demo.url, id);
    expect(events.filter(({ event }) => event === "state").map(({ data }) => data["state"])).toEqual([
      "queued",
      "running",
    ]);
    const whole = Buffer.from(await (await fetch(direct("format=csv&rows=100000"))).arrayBuffer());
    const sha256 = createHash("sha256").update(whole).digest("hex");
    const [rows, bytes] = [100_000, whole.length];
    expect(lastOf(events, "progress")).toMatchObject({ done: rows, total: rows, percent: 100, bytes });
    expect(lastOf(events, "result")?.["value"]).toMatchObject({ rows, bytes, sha256, filename: "events.csv" });
    expect(lastOf(events, "end")).toMatchObject({ reason: "completed" });

    const file = await fetch(durable(id, "/file"));
    expect(file.headers.get("content-disposition")).toBe('attachment; filename="events.csv"');
    // Not compressed by Next, though fetch would take it: the tag is strong, and the length known.
    const etag = file.headers.get("etag")!;
    expect([etag, file.headers.get("content-length")]).toEqual([`"${sha256}"`, String(bytes)]);
    expect(whole.equals(Buffer.from(await file.arrayBuffer()))).toBe(true);
    const part = await fetch(durable(id, "/file"), { headers: { range: "bytes=1000-1999", "if-range": etag } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 1000-1999/${bytes}`]);
    expect(whole.subarray(1_000, 2_000).equals(Buffer.from(await part.arrayBuffer()))).toBe(true);
    expect((await fetch(durable(id, "/file"), { method: "HEAD" })).headers.get("etag")).toBe(etag);
    const target = join(demo.dataDir, "cut.csv");
    await writeFile(target, whole.subarray(0, 1_234_567));
    await promisify(execFile)("curl", ["-sf", "-C", "-", "-o", target, durable(id, "/file")]);
    expect(whole.equals(await readFile(target))).toBe(true);

    const { exports } = (await (await fetch(`${demo.url}/api/exports`)).json()) as { readonly exports: object[] };
    expect(exports[0]).toMatchObject({ id, state: "completed", rows, bytes, sha256, isExpired: false });
    expect(JSON.stringify(await (await fetch(`${demo.url}/api/jobs`)).json())).not.toContain(id); // those have a list of their own
    const [name] = await filesOf(id);
    await truncate(join(demo.dataDir, "exports", name!), 1_000);
    expect((await fetch(durable(id, "/file"))).status).toBe(410);
    await unlink(join(demo.dataDir, "exports", name!));
    expect((await fetch(durable(id, "/file"))).status).toBe(410);
  });

  test("one that is cancelled has no file and leaves none, and is made again by a retry", async () => {
    const id = await startExport(demo.url, { format: "ndjson", rows: 1_000_000 });
    const exchange = await RawExchange.open(durable(id), "GET");
    await exchange.until("event: progress");
    expect((await fetch(durable(id, "/file"))).status).toBe(409);
    expect((await fetch(durable(id, "/retry"), { method: "POST" })).status).toBe(409);
    expect((await fetch(durable(id), { method: "DELETE" })).status).toBe(204);
    await exchange.until('"reason":"stopped"');
    exchange.socket.destroy();
    expect((await fetch(durable(id, "/file"))).status).toBe(409);
    await expect.poll(() => filesOf(id)).toEqual([]);
    const retried = await fetch(durable(id, "/retry"), { method: "POST" });
    expect(retried.status).toBe(202);
    const { id: again } = (await retried.json()) as { readonly id: string };
    expect(again).not.toBe(id);
    const { sha256, rows } = lastOf(await followExport(demo.url, again), "result")!["value"] as Record<string, unknown>;
    expect(rows).toBe(1_000_000);
    expect(sha256).toBe(await sha256Of(direct("format=ndjson&rows=1000000")));
  });

  test("SIGKILL: two exports of a million rows go on by themselves from where they were, to the same files", async () => {
    const inputs = [
      { format: "csv", rows: 1_000_000 },
      { format: "ndjson", rows: 1_000_000 },
    ] as const;
    const isCarriedOn = ({ data }: ReadEvent): boolean => data["carriedOn"] === true;
    const cut = await hitHalfWay(
      async () => {
        const ids = await Promise.all(inputs.map((input) => startExport(demo.url, input)));
        const exchanges = await Promise.all(ids.map((id) => RawExchange.open(durable(id), "GET")));
        await Promise.all(exchanges.map((exchange) => exchange.until(": checkpoint")));
        const closed = Promise.all(exchanges.map((exchange) => exchange.closed()));
        await demo.end("SIGKILL");
        await closed;
        await demo.start();
        return Promise.all(ids.map(async (id) => ({ id, events: await followExport(demo.url, id) })));
      },
      (found) => found.every(({ events }) => events.some(isCarriedOn)),
    );
    for (const [index, { id, events }] of cut.entries()) {
      const carriedOn = events.findIndex(isCarriedOn);
      expect(carriedOn).toBeGreaterThan(0);
      // It begins with the rows that the disk had, however few those were, and says nothing of beginning anew.
      expect(events.slice(carriedOn).find(({ event }) => event === "progress")?.data["done"]).toBeGreaterThan(0);
      expect(events.filter(({ event }) => event === "log")).toEqual([]);
      expect(lastOf(events, "end")).toMatchObject({ reason: "completed" });
      expect(await filesOf(id)).toHaveLength(1);
      const query = new URLSearchParams(Object.entries(inputs[index]!).map(([name, value]) => [name, String(value)]));
      expect(await sha256Of(durable(id, "/file"))).toBe(await sha256Of(direct(query.toString())));
    }
  });

  test.each([
    ["no JSON", "{", 400, undefined],
    ["no object", "[]", 422, "body"],
    ["an unknown format", '{"format":"xml"}', 422, "format"],
    ["rows that are words", '{"rows":"ten"}', 422, "rows"],
    ["rows that are null", '{"rows":null}', 422, "rows"],
    ["too many rows", '{"rows":1000001}', 422, "rows"],
    ["a table of Object", '{"table":"constructor"}', 422, "table"],
    ["a filter that is a number", '{"filter":1}', 422, "filter"],
  ])("%s is refused", async (_what, body, status, field) => {
    const response = await fetch(`${demo.url}/api/exports`, { method: "POST", body });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as Record<string, unknown>;
    expect([response.status, problem["field"]]).toEqual([status, field]);
  });

  test("an export that is not there is a 404, whatever is asked of it", async () => {
    for (const id of ["none", "..%2f..%2fsample.db", "x".repeat(200)]) {
      expect((await fetch(durable(id))).status).toBe(404);
      expect((await fetch(durable(id, "/file"))).status).toBe(404);
      expect((await fetch(durable(id), { method: "DELETE" })).status).toBe(404);
      expect((await fetch(durable(id, "/retry"), { method: "POST" })).status).toBe(404);
    }
  });
});

/** Much faster than `toEqual`, a hundred thousand times. */
function isSame(row: object, wanted: object): boolean {
  return JSON.stringify(row) === JSON.stringify(wanted);
}
