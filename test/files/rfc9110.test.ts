// RFC 9110 sections 8.8, 13 and 14 on the wire: raw sockets against node:http.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { file } from "../../src/reply/file.ts";
import { CONDITION_ROWS, type FileState, MODIFIED } from "./condition-rows.ts";
import { RANGE_ROWS } from "./range-rows.ts";
import {
  checkConditionRow,
  checkRangeRow,
  EMPTY_FILE_ROWS,
  ROW_BYTES,
  ROW_STATES,
  type RowHost,
} from "./row-checks.ts";
import { exchange, startWireServer, type WireResponse, type WireServer } from "./wire.ts";

const HOST: RowHost = { type: "text/plain", keepsLength: true };

let wire: WireServer;
beforeAll(async () => {
  wire = await startWireServer((request) => {
    const { pathname } = new URL(request.url);
    const state = decodeURIComponent(pathname.slice(1)) as FileState;
    return file(request, state in ROW_STATES ? ROW_BYTES : new Uint8Array(0), {
      ...ROW_STATES[state],
      type: "text/plain",
    });
  });
});
afterAll(() => wire.close());

const get = (headers: Readonly<Record<string, string>>, method = "GET", state = "strong"): Promise<WireResponse> =>
  exchange(wire.port, method, `/${encodeURIComponent(state)}`, Object.entries(headers));

describe("Range", () => {
  test.each(RANGE_ROWS)("%s %s", async (_section, value, answer) => {
    checkRangeRow(await get({ range: value }), answer, HOST);
  });

  test.each(EMPTY_FILE_ROWS)("14.1.2 %s of an empty file is a %i", async (value, status) => {
    const response = await get({ range: value }, "GET", "empty");
    expect(response.status).toBe(status);
    if (status === 416) expect(response.headers.get("content-range")).toBe("bytes */0");
    else expect(response.headers.get("content-length")).toBe("0");
  });

  test("two Range lines are one list, which is malformed", async () => {
    const lines = [
      ["range", "bytes=0-1"],
      ["range", "bytes=5-6"],
    ] as const;
    const response = await exchange(wire.port, "GET", "/strong", lines);
    expect(response.status).toBe(200);
  });
});

describe("preconditions", () => {
  test.each(CONDITION_ROWS)(
    "$section $method $state $headers is a $status",
    async ({ headers, status, method, state }) => {
      checkConditionRow(await get(headers, method, state), { status, method }, HOST);
    },
  );
});

describe("headers", () => {
  test("8.8 a 200 has both validators, the exact length and what says that ranges work", async () => {
    const { headers } = await get({});
    expect(Object.fromEntries(headers)).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "max-age=0, must-revalidate",
      "content-length": "1000",
      "content-type": "text/plain",
      etag: '"v1"',
      "last-modified": MODIFIED,
      "tailrace-content-length": "1000",
      "x-content-type-options": "nosniff",
    });
    for (const name of ["content-range", "content-disposition", "transfer-encoding", "vary"]) {
      expect(headers.has(name)).toBe(false);
    }
  });

  test("9.3.2 a HEAD has the headers of the 200 and no body", async () => {
    const [whole, head] = await Promise.all([get({}), get({}, "HEAD")]);
    const named = ({ headers }: WireResponse): object =>
      Object.fromEntries([...headers].filter(([name]) => name !== "date"));
    expect(named(head)).toEqual(named(whole));
    expect(head.body).toHaveLength(0);
  });

  test("15.3.7 a 206 has the validators too, and asks that nobody compresses it", async () => {
    const { headers } = await get({ range: "bytes=0-9" });
    expect(headers.get("etag")).toBe('"v1"');
    expect(headers.get("last-modified")).toBe(MODIFIED);
    expect(headers.get("cache-control")).toBe("max-age=0, must-revalidate, no-transform");
    expect(headers.get("tailrace-content-length")).toBe("10");
  });

  test("15.4.5 a 304 has what guides a cache and nothing of the body", async () => {
    const { headers } = await get({ "if-none-match": '"v1"' });
    expect(headers.get("etag")).toBe('"v1"');
    expect(headers.get("cache-control")).toBe("max-age=0, must-revalidate");
    expect(headers.has("date")).toBe(true);
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

  test("15.4.5 a 304 without a tag says when it was modified", async () => {
    const { headers } = await get({ "if-modified-since": MODIFIED }, "GET", "date only");
    expect(headers.get("last-modified")).toBe(MODIFIED);
  });

  test("15.5.13 a 412 is problem details", async () => {
    const { headers, body } = await get({ "if-match": '"v2"' });
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(JSON.parse(body.toString())).toMatchObject({ status: 412, code: "precondition_failed" });
  });

  test("8.8 a connection that is kept carries answer after answer", async () => {
    for (const [range, status] of Object.entries({
      "bytes=1-2": 206,
      "bytes=1000-": 416,
      "bytes=0-0,5-5": 206,
      none: 200,
      "bytes=0-0": 206,
    })) {
      const response = await fetch(`http://127.0.0.1:${wire.port}/strong`, { headers: { range } });
      expect(response.status).toBe(status);
      const { byteLength } = await response.arrayBuffer();
      if (status !== 416) expect(byteLength).toBe(Number(response.headers.get("content-length")));
    }
  });
});
