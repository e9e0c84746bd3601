// The end record of NDJSON (PROTOCOL.md, section 3.1): what a reply's rows carry so that a cut is never taken for an end.

import { TailraceError } from "../errors.ts";
import type { EndReason } from "./format.ts";

/** The header that announces what stands between the rows. */
export const ROWS_HEADER = "tailrace-rows";
/** The token in {@link ROWS_HEADER} that announces the end record. */
export const END_RECORD = "end-record";

/** The only member of an end record. */
const END_KEY = "$end";

/** The end that a server wrote behind its rows. */
export interface RowsEnd {
  readonly reason: EndReason;
  /** How many rows stand before the record. */
  readonly rows: number;
  /** With `failed` and `interrupted`: a code of the closed set. */
  readonly code?: string | undefined;
}

/** The end record and its LF. */
export function encodeRowsEnd(end: RowsEnd): string {
  const { reason, code, rows } = end;
  return `${JSON.stringify({ [END_KEY]: { reason, code, rows } })}\n`;
}

/** Whether the headers say that the rows end with a record. */
export function announcesEnd(headers: Headers): boolean {
  const tokens = (headers.get(ROWS_HEADER) ?? "").split(",");
  return tokens.some((token) => token.trim().toLowerCase() === END_RECORD);
}

/** Whether `value` is an object with `$end` alone, which is no row where there is an end record. */
export function isEndRecord(value: unknown): value is Readonly<Record<typeof END_KEY, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(value, END_KEY) &&
    !Array.isArray(value) &&
    Object.keys(value).length === 1
  );
}

/** The end that a record tells; undefined when it is none that the protocol knows. */
export function readRowsEnd(record: Readonly<Record<typeof END_KEY, unknown>>): RowsEnd | undefined {
  const end = record[END_KEY];
  if (typeof end !== "object" || end === null) return undefined;
  const { reason, rows, code } = end as Readonly<Record<string, unknown>>;
  if (reason !== "completed" && reason !== "stopped" && reason !== "failed" && reason !== "interrupted") {
    return undefined;
  }
  if (typeof rows !== "number" || !Number.isSafeInteger(rows) || rows < 0) return undefined;
  return typeof code === "string" ? { reason, rows, code } : { reason, rows };
}

/** What a reader throws that was told of an end which is none: undefined for a whole one. */
export function failureOf(end: RowsEnd): TailraceError | undefined {
  if (end.reason === "completed" || end.reason === "stopped") return undefined;
  const how = end.reason === "failed" ? "failed" : "were interrupted";
  return new TailraceError("source_failed", `The rows ${how} after ${end.rows}; what came before is good.`, {
    details: { ...end },
  });
}
