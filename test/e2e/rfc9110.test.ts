// The tables of RFC 9110 once more, through Next.js: the demo's downloads and videos over raw sockets, with the length that
// `keepContentLength` gives back and without. A file of the demo has a strong tag and a date, so rows about other files stand
// in test/files/rfc9110.test.ts alone.

import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONDITION_ROWS, type ConditionRow, MODIFIED, MODIFIED_MS } from "../files/condition-rows.ts";
import { FILE_BYTES, RANGE_ROWS } from "../files/range-rows.ts";
import { checkConditionRow, checkRangeRow, ROW_BYTES, rowBytes, type RowHost } from "../files/row-checks.ts";
import { exchange, type WireResponse } from "../files/wire.ts";
import { Demo } from "./demo.ts";

/** What the host changes of a row, beside the length. */
function inNext(row: ConditionRow): ConditionRow {
  // A method that the route does not export never reaches the handler.
  return row.method === "POST" || row.method === "PUT" ? { ...row, status: 405 } : row;
}

const ROWS: readonly ConditionRow[] = CONDITION_ROWS.filter(({ state = "strong" }) => state === "strong").map(inNext);

test("of the rows about preconditions only those about other files are left out", () => {
  expect(CONDITION_ROWS.length - ROWS.length).toBe(
    CONDITION_ROWS.filter(({ state }) => state === "weak" || state === "date only" || state === "nothing").length,
  );
  expect(ROWS.length).toBeGreaterThan(150);
});

describe.each([
  ["/api/download/rows.bin", true],
  ["/api/video/rows.bin", true],
  ["/api/download/rows.bin", false],
])("%s with keepContentLength: %s", (path, keepsLength) => {
  const host: RowHost = { type: "application/octet-stream", keepsLength };
  let demo: Demo;
  let port: number;
  let tag: string;
  beforeAll(async () => {
    demo = await Demo.start(keepsLength ? {} : { KEEP_CONTENT_LENGTH: "0" });
    port = Number(new URL(demo.url).port);
    const name = join(demo.dataDir, path.includes("video") ? "videos" : "files", "rows.bin");
    await writeFile(name, ROW_BYTES);
    await utimes(name, new Date(MODIFIED_MS), new Date(MODIFIED_MS));
    const { headers } = await exchange(port, "HEAD", path);
    tag = headers.get("etag") ?? "";
  });
  afterAll(() => demo?.remove());

  /** The rows speak of the tag "v1". */
  const named = (headers: Readonly<Record<string, string>>): [string, string][] => {
    const opaque = tag.slice(1, -1);
    return Object.entries(headers).map(([name, value]) => [
      name,
      value.replaceAll("v1", opaque).replaceAll("V1", opaque.toUpperCase()),
    ]);
  };
  const get = (headers: Readonly<Record<string, string>>, method = "GET"): Promise<WireResponse> =>
    exchange(port, method, path, named(headers));

  test("8.8 the file has a strong tag, and the date of the rows", async () => {
    const { headers } = await get({});
    expect(headers.get("etag")).toMatch(/^"[^"]*[a-z][^"]*"$/); // with a letter, so that another case is another tag
    expect(headers.get("last-modified")).toBe(MODIFIED);
  });

  test.each(RANGE_ROWS)("%s %s", async (_section, value, answer) => {
    checkRangeRow(await get({ range: value }), answer, host);
  });

  test.each(ROWS)("$section $method $headers is a $status", async ({ headers, status, method }) => {
    checkConditionRow(await get(headers, method), { status, method }, host);
  });

  test("two Range lines are one list, which is malformed", async () => {
    const lines = [
      ["range", "bytes=0-1"],
      ["range", "bytes=5-6"],
    ] as const;
    const response = await exchange(port, "GET", path, lines);
    expect(response.status).toBe(200);
    expect(response.body).toEqual(rowBytes(0, FILE_BYTES));
  });

  test("9.3.2 a HEAD has the headers of the 200 and no body", async () => {
    const [whole, head] = await Promise.all([get({}), get({}, "HEAD")]);
    // How the body would be framed belongs to the host: without a length, a HEAD says nothing of it.
    const told = ({ headers }: WireResponse): object =>
      Object.fromEntries([...headers].filter(([name]) => name !== "date" && name !== "transfer-encoding"));
    expect(told(head)).toEqual(told(whole));
    expect(head.body).toHaveLength(0);
    expect(whole.headers.get("transfer-encoding")).toBe(keepsLength ? undefined : "chunked");
  });

  test("15.4.5 a 304 has what guides a cache and nothing of the body", async () => {
    const { headers } = await get({ "if-none-match": '"v1"' });
    expect(headers.get("etag")).toBe(tag);
    expect(headers.get("cache-control")).toBe("max-age=0, must-revalidate");
    for (const name of [
      "content-type",
      "content-length",
      "last-modified",
      "content-range",
      "tailrace-content-length",
    ]) {
      expect(headers.has(name)).toBe(false);
    }
  });
});
