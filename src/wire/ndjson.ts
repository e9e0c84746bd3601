// Newline-delimited JSON, both ways: one JSON value and LF per row.

import { isTailraceError, TailraceError } from "../errors.ts";
import { createByteFeed, type ByteFeed } from "./byte-feed.ts";
import { jsonText } from "./json-text.ts";
import { isEndRecord, readRowsEnd, type RowsEnd } from "./ndjson-end.ts";
import { checkLimit, schemaFailed, tooMany } from "./row-limits.ts";
import { checkNow, type StandardSchema } from "./standard-schema.ts";

const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;

/** The default of {@link RowOptions.maxRowBytes}: 16 MiB. */
export const DEFAULT_MAX_ROW_BYTES = 16_777_216;
/** How much of a bad row is reported, in characters. */
const SHOWN_CHARS = 200;

/**
 * One row: the value as JSON, and LF.
 *
 * @throws TailraceError `encode_refused` for a value that JSON has no text for (undefined, function, symbol, bigint, cycle).
 */
export function encodeRow(value: unknown): string {
  return `${jsonText(value, "row")}\n`;
}

/** A row that was passed over. */
export interface BadRow {
  /** Its number, from 1, without blank lines. */
  readonly row: number;
  /** The number of its line, from 1, blank lines too. */
  readonly line: number;
  /** Its first 200 characters. */
  readonly text: string;
  /** `decode_failed`: no JSON, or refused by the schema. `limit_exceeded`: larger than `maxRowBytes`. */
  readonly error: TailraceError;
}

/** What of NDJSON is taken, and what is done about the rest. */
export interface RowOptions<T = unknown> {
  /**
   * The most bytes of one row, without the LF that ends it.
   * @default 16777216 (16 MiB)
   */
  readonly maxRowBytes?: number | undefined;
  /** The most bytes of the whole body. Default: no limit. */
  readonly maxTotalBytes?: number | undefined;
  /** The most rows, the bad ones counted. Default: no limit. */
  readonly maxRowCount?: number | undefined;
  /**
   * What a bad row does, one that is no JSON, is larger than `maxRowBytes` or is refused by the schema: `throw` ends the decoding with its
   * error, `skip` passes it over, `report` passes it over and tells `onBadRow`. A row that is too large is passed over without being held.
   * @default "throw"
   */
  readonly badRows?: "throw" | "skip" | "report" | undefined;
  /** Needed with `badRows: "report"`, and only called then. What it throws is treated as what `onRow` throws. */
  readonly onBadRow?: ((bad: BadRow) => void) | undefined;
  /** Called with the end record (PROTOCOL.md, section 3.1), which is no row. */
  readonly onEnd?: ((end: RowsEnd) => void) | undefined;
  /**
   * Whether an object whose only member is `$end` is the end record. `require`: yes, and rows without one were cut
   * (`truncated`). `accept`: yes, and rows without one are whole. `ignore`: no, it is a row.
   * @default "accept" with `onEnd`, else "ignore"
   */
  readonly endRecord?: "require" | "accept" | "ignore" | undefined;
  /** Checks each row, and gives what is delivered. It has to answer at once, without a promise. */
  readonly schema?: StandardSchema<T> | undefined;
}

/** What {@link createRowDecoder} calls, and its limits. */
export interface RowDecoderOptions<T = unknown> extends RowOptions<T> {
  readonly onRow: (value: T) => void;
}

/** Decodes the body of one response; make a new one for the next. */
export interface RowDecoder {
  /**
   * Takes the next bytes, split anywhere. `onRow` may throw: what else these bytes hold is still delivered, then `push` throws what was
   * thrown first. It may call `end()`, after which nothing is delivered, but not `push`.
   *
   * @throws TailraceError `decode_failed` at a row that is not JSON (details: `row`, counted from 1 without blank lines, and `line`, with
   * them), is refused by the schema or stands behind the end record; `limit_exceeded` one past a limit; `truncated` at an end record that
   * tells of another number of rows. Every later call throws the same again.
   * @throws TailraceError `closed` after `end()`.
   */
  push(bytes: Uint8Array): void;
  /**
   * Says that the body is over and delivers a last row without LF; throws as `push` does. With `endRecord: "require"` a row without LF was cut
   * and is not delivered, and without the record this throws `truncated`. May be called twice.
   */
  end(): void;
}

/** Makes a decoder of NDJSON. Throws `input_invalid` for a limit that is no positive number, and for `report` without `onBadRow`. */
export function createRowDecoder<T = unknown>(options: RowDecoderOptions<T>): RowDecoder {
  const { onRow, onBadRow, onEnd, schema, badRows = "throw", maxRowBytes = DEFAULT_MAX_ROW_BYTES } = options;
  const { maxTotalBytes = Infinity, maxRowCount = Infinity } = options;
  const { endRecord = onEnd === undefined ? "ignore" : "accept" } = options;
  const seesEnd = endRecord !== "ignore";
  checkLimit("maxTotalBytes", maxTotalBytes, "byte");
  checkLimit("maxRowCount", maxRowCount, "row");
  if (badRows === "report" && onBadRow === undefined) {
    throw new TailraceError("input_invalid", 'badRows: "report" needs an onBadRow to report to.');
  }
  /** The start of a row whose LF has not come: V8 joins it once, when the row is read, so growing it is linear. */
  let carry = "";
  let lineCount = 0;
  let rowCount = 0;
  let totalBytes = 0;
  let end: RowsEnd | undefined;

  function takeLine(line: string): void {
    lineCount++;
    if (isBlank(line)) return;
    let value: unknown;
    try {
      // A CR before the LF is white space to JSON.
      value = JSON.parse(line);
    } catch (cause) {
      if (countRow()) bad(line, notJson(rowCount, lineCount, cause));
      return;
    }
    if (seesEnd && isEndRecord(value)) takeEnd(value, line);
    else if (countRow()) takeValue(value, line);
  }

  /** Counts one row more, or fails and says false. */
  function countRow(): boolean {
    rowCount++;
    if (end !== undefined) feed.fail(badRow(rowCount, lineCount, "stands behind the end record"));
    else if (rowCount > maxRowCount) feed.fail(tooMany("maxRowCount", maxRowCount, "rows"));
    else return true;
    return false;
  }

  function takeValue(value: unknown, line: string): void {
    let row = value as T;
    try {
      if (schema !== undefined) row = checkNow(schema, value, `Row ${rowCount} (line ${lineCount})`);
    } catch (error) {
      if (!isTailraceError(error, "decode_failed")) feed.fail(schemaFailed(error));
      else
        bad(line, new TailraceError("decode_failed", error.message, { details: { row: rowCount, line: lineCount } }));
      return;
    }
    try {
      onRow(row);
    } catch (error) {
      feed.threw(error);
    }
  }

  function takeEnd(record: Parameters<typeof readRowsEnd>[0], line: string): void {
    const found = readRowsEnd(record);
    if (found === undefined) {
      if (countRow()) bad(line, badRow(rowCount, lineCount, "is an end record of no known form"));
    } else if (end !== undefined) {
      countRow();
    } else if (found.rows !== rowCount) {
      const message = `The end record tells of ${found.rows} rows, but ${rowCount} arrived: some were lost. Ask again.`;
      feed.fail(new TailraceError("truncated", message, { details: { rows: rowCount, announcedRows: found.rows } }));
    } else {
      end = found;
      try {
        onEnd?.(found);
      } catch (error) {
        feed.threw(error);
      }
    }
  }

  function bad(text: string, error: TailraceError): void {
    if (badRows === "throw") return feed.fail(error);
    if (badRows === "skip") return;
    try {
      onBadRow?.({ row: rowCount, line: lineCount, text: text.slice(0, SHOWN_CHARS), error });
    } catch (thrown) {
      feed.threw(thrown);
    }
  }

  function take(text: string): number {
    let start = 0;
    let rowStart = -1;
    // LF alone ends a row. U+2028 and U+2029 may stand in a JSON string as they are.
    for (let at = text.indexOf("\n"); at !== -1 && feed.live; at = text.indexOf("\n", start)) {
      const line = text.slice(start, at);
      start = rowStart = at + 1;
      if (carry === "") {
        takeLine(line);
      } else {
        const whole = carry + line;
        carry = "";
        takeLine(whole);
      }
    }
    if (start < text.length) carry += text.slice(start);
    return rowStart;
  }

  function overflow(error: TailraceError): boolean {
    if (badRows === "throw") return false;
    lineCount++;
    const text = badRows === "report" ? carry + feed.remainder() : "";
    carry = "";
    if (countRow()) bad(text, error);
    return true;
  }

  function finish(): void {
    const last = carry + feed.remainder();
    carry = "";
    if (endRecord === "require" && !isBlank(last) && !isRecordText(last)) feed.fail(truncated(rowCount));
    else takeLine(last);
    if (endRecord === "require" && end === undefined && feed.live) feed.fail(truncated(rowCount));
  }

  const feed: ByteFeed = createByteFeed({
    unit: "row",
    limitName: "maxRowBytes",
    maxBytes: maxRowBytes,
    take,
    finish,
    overflow,
  });

  function push(bytes: Uint8Array): void {
    const room = maxTotalBytes - totalBytes;
    if (bytes.length <= room) {
      totalBytes += bytes.length;
      feed.push(bytes);
      return;
    }
    totalBytes = maxTotalBytes;
    feed.push(bytes.subarray(0, room));
    if (!feed.live) return;
    const error = tooMany("maxTotalBytes", maxTotalBytes, "bytes");
    feed.fail(error);
    throw error;
  }

  return { push, end: feed.end };
}

function badRow(row: number, line: number, how: string, options: { readonly cause?: unknown } = {}): TailraceError {
  return new TailraceError("decode_failed", `Row ${row} (line ${line}) ${how}`, { ...options, details: { row, line } });
}

function notJson(row: number, line: number, cause: unknown): TailraceError {
  return badRow(row, line, `is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function truncated(rows: number): TailraceError {
  const message = `The rows were cut after ${rows}: their end record is missing. Ask again.`;
  return new TailraceError("truncated", message, { details: { rows } });
}

/** Whether a last line without LF is the end record: a row in its place may be the half of a longer one. */
function isRecordText(line: string): boolean {
  try {
    return isEndRecord(JSON.parse(line));
  } catch {
    return false;
  }
}

function isBlank(line: string): boolean {
  for (let index = 0; index < line.length; index++) {
    const code = line.charCodeAt(index);
    if (code !== SPACE && code !== TAB && code !== CR) return false;
  }
  return true;
}
