// Rows of a million out of a database through Next.js: exact, in order, and never ahead of who reads them.

import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { createRowDecoder } from "tailrace/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeSample } from "../../apps/demo/lib/sample/make.ts";
import { Demo } from "./demo.ts";
import { grownBytes } from "./grown-memory.ts";
import { openedCount, underWayBytes } from "./process-state.ts";

/** What the issue allows a reader that stalls to cost. */
const STALLED_BYTES = 40_000_000;
/** All million rows are 145 MB. */
const FAR_LESS_BYTES = 20_000_000;

let demo: Demo;
beforeAll(async () => {
  demo = await Demo.start();
  // As `npm start` does; not in the server, whose memory is looked at.
  await makeSample(join(demo.dataDir, "sample.db"));
});
afterAll(() => demo?.remove());

const rows = (query: string): Promise<Response> => fetch(`${demo.url}/api/rows?${query}`);
const health = (): Promise<unknown> => fetch(`${demo.url}/api/health`).then((response) => response.json());

/** The answer to `query`, of which nothing is read yet. */
async function unread(query: string): Promise<IncomingMessage> {
  const asking = request(`${demo.url}/api/rows?${query}`, { agent: false });
  asking.end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return response;
}

/** How many rows there are, whose ids are 1, 2, 3 and so on. With "require" it throws for an answer without an end record. */
async function countInOrder(
  response: AsyncIterable<Uint8Array>,
  endRecord: "require" | "ignore" = "ignore",
): Promise<number> {
  let count = 0;
  const decoder = createRowDecoder<{ readonly id: number }>({
    endRecord,
    onRow: ({ id }) => {
      if (id !== ++count) throw new Error(`Row ${count} has the id ${id}.`);
    },
  });
  for await (const chunk of response) decoder.push(chunk);
  decoder.end();
  return count;
}

describe("/api/rows", () => {
  test("a reader that stalls costs little memory, and others are answered meanwhile", async () => {
    const port = Number(new URL(demo.url).port);
    const warm = async (): Promise<void> => {
      await (await rows("count=300000")).text();
      for (let count = 0; count < 50; count++) await health();
    };
    const work = async (look: () => void): Promise<void> => {
      const response = await unread("count=1000000&end=1");
      let held = -1;
      // Until what is under way no longer becomes more: 20 looks in a row, each behind an answer of the server.
      for (let same = 0; same < 20;) {
        expect(await health()).toMatchObject({ status: "ok" });
        const bytes = underWayBytes(port);
        same = bytes === held && bytes > 10_000 ? same + 1 : 0; // more than the head has come
        held = bytes;
        look();
      }
      expect(held).toBeLessThan(FAR_LESS_BYTES);
      // What it has waited for is all there.
      expect(await countInOrder(response, "require")).toBe(1_000_000);
    };
    expect(await grownBytes(demo, STALLED_BYTES, { warm, work })).toBeLessThan(STALLED_BYTES);
  });

  // Around the 500 rows of a page, and up to the end of a table.
  test.each([
    ["count=0", 0],
    ["count=1", 1],
    ["count=499", 499],
    ["count=500", 500],
    ["count=501", 501],
    ["", 100],
    ["count=20000&table=orders", 20_000],
    ["count=50001&table=users", 50_000],
  ])("?%s gives its rows, each once and in order", async (query, count) => {
    const response = await rows(query);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "application/x-ndjson; charset=utf-8",
    ]);
    expect(await countInOrder(response.body!)).toBe(count);
  });

  test("a million rows come whole, while others are answered", async () => {
    const reading = new AbortController();
    const counting = rows("count=1000000&end=1")
      .then((response) => countInOrder(response.body!, "require"))
      .finally(() => reading.abort());
    let answered = 0;
    while (!reading.signal.aborted) {
      expect(await health()).toMatchObject({ status: "ok" });
      if (!reading.signal.aborted) answered++;
    }
    expect(await counting).toBe(1_000_000);
    expect(answered).toBeGreaterThan(5);
  });

  test("end=1 adds a record that says how many there were", async () => {
    const response = await rows("count=3&end=1");
    expect(response.headers.get("tailrace-rows")).toBe("end-record");
    const lines = (await response.text()).split("\n");
    expect(lines).toHaveLength(5);
    expect(lines.slice(3)).toEqual(['{"$end":{"reason":"completed","rows":3}}', ""]);
    expect(await (await rows("count=0&end=1")).text()).toBe('{"$end":{"reason":"completed","rows":0}}\n');
    const plain = await rows("count=3");
    expect(plain.headers.has("tailrace-rows")).toBe(false);
    expect((await plain.text()).split("\n")).toHaveLength(4);
  });

  test.each([
    ["count=many", "count"],
    ["count=", "count"],
    ["count=-1", "count"],
    ["count=1e3", "count"],
    ["count=1.5", "count"],
    ["count=1000001", "count"],
    ["count=99999999999999999999", "count"],
    ["table=sqlite_master", "table"],
    ["table=events%3B%20DROP%20TABLE%20users", "table"],
  ])("?%s is refused, and the field is named", async (query, field) => {
    const response = await rows(query);
    expect([response.status, response.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
    expect(await response.json()).toMatchObject({ status: 422, code: "input_invalid", field });
  });

  /** Ten readers that leave after their first bytes. */
  async function leave(): Promise<void> {
    const readers = await Promise.all(Array.from({ length: 10 }, () => unread("count=1000000")));
    await Promise.all(readers.map((reader) => once(reader, "readable")));
    for (const reader of readers) reader.destroy();
  }

  test("50 readers that leave have their connections closed and keep nothing", async () => {
    const areClosed = (opened: number): Promise<void> =>
      expect.poll(() => openedCount(demo.pid)).toBeLessThanOrEqual(opened + 3);
    // One round before, so that what is looked at is what five more leave and not how far a young heap grows.
    const warm = async (): Promise<void> => {
      await (await rows("count=1")).text();
      const opened = openedCount(demo.pid);
      await leave();
      await areClosed(opened);
    };
    const work = async (look: () => void): Promise<void> => {
      const opened = openedCount(demo.pid);
      for (let round = 0; round < 5; round++) await leave();
      await areClosed(opened);
      look();
    };
    expect(await grownBytes(demo, STALLED_BYTES, { warm, work })).toBeLessThan(STALLED_BYTES);
  });
});
