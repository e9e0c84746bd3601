// RFC 9110 sections 8.8, 13 and 14 on the wire: raw sockets against node:http.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { file } from "../../src/reply/file.ts";
import type { FileOptions } from "../../src/reply/file-options.ts";
import { CONDITION_ROWS, type FileState, MODIFIED, MODIFIED_MS } from "./condition-rows.ts";
import { FILE_BYTES, RANGE_ROWS } from "./range-rows.ts";
import { exchange, readParts, startWireServer, type WireResponse, type WireServer } from "./wire.ts";

// No byte is its neighbour's, and the period divides no power of ten: bytes from a wrong place show.
const BYTES = Uint8Array.from({ length: FILE_BYTES }, (_, index) => (index * 7) % 251);
const expected = (start: number, end: number): Buffer => Buffer.from(BYTES.subarray(start, end));

const STATES: Readonly<Record<FileState, FileOptions>> = {
  strong: { etag: '"v1"', lastModifiedMs: MODIFIED_MS },
  weak: { etag: 'W/"v1"', lastModifiedMs: MODIFIED_MS },
  "date only": { lastModifiedMs: MODIFIED_MS },
  nothing: {},
};

let wire: WireServer;
beforeAll(async () => {
  wire = await startWireServer((request) => {
    const { pathname } = new URL(request.url);
    const state = decodeURIComponent(pathname.slice(1)) as FileState;
    return file(request, state in STATES ? BYTES : new Uint8Array(0), { ...STATES[state], type: "text/plain" });
  });
});
afterAll(() => wire.close());

const get = (headers: Readonly<Record<string, string>>, method = "GET", state = "strong"): Promise<WireResponse> =>
  exchange(wire.port, method, `/${encodeURIComponent(state)}`, Object.entries(headers));

function expectPart(response: WireResponse, first: number, last: number): void {
  expect(response.status).toBe(206);
  expect(response.headers.get("content-range")).toBe(`bytes ${first}-${last}/${FILE_BYTES}`);
  expect(response.headers.get("content-length")).toBe(String(last - first + 1));
  expect(response.body).toEqual(expected(first, last + 1));
}

describe("Range", () => {
  test.each(RANGE_ROWS)("%s %s", async (_section, value, answer) => {
    const response = await get({ range: value });
    expect(response.isWhole).toBe(true);
    expect(response.headers.get("accept-ranges")).toBe("bytes");
    if (answer === "whole") {
      expect(response.status).toBe(200);
      expect(response.headers.has("content-range")).toBe(false);
      expect(response.body).toEqual(expected(0, FILE_BYTES));
    } else if (answer === "none") {
      expect(response.status).toBe(416);
      expect(response.headers.get("content-range")).toBe(`bytes */${FILE_BYTES}`);
      expect(JSON.parse(response.body.toString())).toMatchObject({
        code: "range_unsatisfiable",
        sizeBytes: FILE_BYTES,
      });
    } else if (answer.length === 1) {
      const [[first, last] = [0, 0]] = answer;
      expectPart(response, first, last);
    } else {
      expect(response.status).toBe(206);
      expect(response.headers.has("content-range")).toBe(false); // section 15.3.7.2
      expect(readParts(response).map(({ type, range, bytes }) => [type, range, Buffer.from(bytes)] as const)).toEqual(
        answer.map(([first, last]) => [
          "text/plain",
          `bytes ${first}-${last}/${FILE_BYTES}`,
          expected(first, last + 1),
        ]),
      );
    }
  });

  test.each([
    ["bytes=0-", 416],
    ["bytes=0-0", 416],
    ["bytes=1-", 416],
    ["bytes=-0", 416],
    ["bytes=-1", 200], // satisfiable by the letter of 14.1.2, with no byte that could be named
    ["bytes=0-0,-1", 200],
  ])("14.1.2 %s of an empty file is a %i", async (value, status) => {
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
      const response = await get(headers, method, state);
      expect(response.status).toBe(status);
      expect(response.isWhole).toBe(true);
      if (status === 200 && method !== "HEAD") expect(response.body).toEqual(expected(0, FILE_BYTES));
      if (status === 206) expect(response.body).toEqual(expected(0, 2));
      if (method === "HEAD" || status === 304) expect(response.body).toHaveLength(0);
      if (status === 200) expect(response.headers.get("content-length")).toBe(String(FILE_BYTES));
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
