// What a row's answer must be, on any host: its status, the bytes, and the headers that say which bytes they are.

import { expect } from "vitest";
import type { FileOptions } from "../../src/reply/file-options.ts";
import { type ConditionRow, type FileState, MODIFIED_MS } from "./condition-rows.ts";
import { FILE_BYTES, type RangeAnswer } from "./range-rows.ts";
import { readParts, type WireResponse } from "./wire.ts";

/** The rows' file. No byte is its neighbour's, and the period divides no power of ten: bytes from a wrong place show. */
export const ROW_BYTES: Uint8Array<ArrayBuffer> = Uint8Array.from(
  { length: FILE_BYTES },
  (_, index) => (index * 7) % 251,
);

/** What a row's file has, as options of `file`. */
export const ROW_STATES: Readonly<Record<FileState, FileOptions>> = {
  strong: { etag: '"v1"', lastModifiedMs: MODIFIED_MS },
  weak: { etag: 'W/"v1"', lastModifiedMs: MODIFIED_MS },
  "date only": { lastModifiedMs: MODIFIED_MS },
  nothing: {},
};

/** Ranges of a file without a byte, and what they come to. */
export const EMPTY_FILE_ROWS: readonly (readonly [value: string, status: 200 | 416])[] = [
  ["bytes=0-", 416],
  ["bytes=0-0", 416],
  ["bytes=1-", 416],
  ["bytes=-0", 416],
  ["bytes=-1", 200], // satisfiable by the letter of 14.1.2, with no byte that could be named
  ["bytes=0-0,-1", 200],
];

/** The file's bytes from `start` up to `end`. */
export function rowBytes(start: number, end: number): Buffer {
  return Buffer.from(ROW_BYTES.subarray(start, end));
}

/** How hosts differ, and may. */
export interface RowHost {
  /** Of the file. */
  readonly type: string;
  /** Whether `content-length` reaches the wire where the handler gave one. */
  readonly keepsLength: boolean;
}

function checkLength(response: WireResponse, bytes: number, host: RowHost): void {
  expect(response.headers.get("tailrace-content-length")).toBe(String(bytes));
  expect(response.headers.get("content-length")).toBe(host.keepsLength ? String(bytes) : undefined);
}

/** Checks the answer to a Range. */
export function checkRangeRow(response: WireResponse, answer: RangeAnswer, host: RowHost): void {
  const { status, headers, body, isWhole } = response;
  expect(isWhole).toBe(true);
  expect(headers.get("accept-ranges")).toBe("bytes");
  if (answer === "whole") {
    expect(status).toBe(200);
    expect(headers.has("content-range")).toBe(false);
    expect(body).toEqual(rowBytes(0, FILE_BYTES));
    checkLength(response, FILE_BYTES, host);
  } else if (answer === "none") {
    expect(status).toBe(416);
    expect(headers.get("content-range")).toBe(`bytes */${FILE_BYTES}`);
    expect(JSON.parse(body.toString())).toMatchObject({ code: "range_unsatisfiable", sizeBytes: FILE_BYTES });
  } else if (answer.length === 1) {
    const [[first, last] = [0, 0]] = answer;
    expect(status).toBe(206);
    expect(headers.get("content-range")).toBe(`bytes ${first}-${last}/${FILE_BYTES}`);
    expect(body).toEqual(rowBytes(first, last + 1));
    checkLength(response, last - first + 1, host);
  } else {
    expect(status).toBe(206);
    expect(headers.has("content-range")).toBe(false); // section 15.3.7.2
    checkLength(response, body.length, host);
    expect(readParts(response).map(({ type, range, bytes }) => [type, range, Buffer.from(bytes)] as const)).toEqual(
      answer.map(([first, last]) => [host.type, `bytes ${first}-${last}/${FILE_BYTES}`, rowBytes(first, last + 1)]),
    );
  }
}

/** Checks the answer to preconditions. */
export function checkConditionRow(
  response: WireResponse,
  { status, method }: Pick<ConditionRow, "status" | "method">,
  host: RowHost,
): void {
  expect(response.status).toBe(status);
  expect(response.isWhole).toBe(true);
  if (status === 200 && method !== "HEAD") expect(response.body).toEqual(rowBytes(0, FILE_BYTES));
  if (status === 206) expect(response.body).toEqual(rowBytes(0, 2));
  if (method === "HEAD" || status === 304) expect(response.body).toHaveLength(0);
  if (status === 200) checkLength(response, FILE_BYTES, host);
}
