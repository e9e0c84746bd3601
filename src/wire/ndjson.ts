// Newline-delimited JSON, both ways: one JSON value and LF per row.

import { TailraceError } from "../errors.ts";
import { createByteFeed, type ByteFeed } from "./byte-feed.ts";
import { jsonText } from "./json-text.ts";

const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;

/** The default of {@link RowDecoderOptions.maxRowBytes}: 16 MiB. */
export const DEFAULT_MAX_ROW_BYTES = 16_777_216;

/**
 * One row: the value as JSON, and LF.
 *
 * @throws TailraceError `encode_refused` for a value that JSON has no text for (undefined, function, symbol, bigint, cycle).
 */
export function encodeRow(value: unknown): string {
  return `${jsonText(value, "row")}\n`;
}

/** What {@link createRowDecoder} calls, and its limits. */
export interface RowDecoderOptions {
  readonly onRow: (value: unknown) => void;
  /**
   * The most bytes of one row, without the LF that ends it.
   * @default 16777216 (16 MiB)
   */
  readonly maxRowBytes?: number | undefined;
}

/** Decodes the body of one response; make a new one for the next. */
export interface RowDecoder {
  /**
   * Takes the next bytes, split anywhere. `onRow` may throw: what else these bytes hold is still delivered, then `push` throws what was
   * thrown first. It may call `end()`, after which nothing is delivered, but not `push`.
   *
   * @throws TailraceError `decode_failed` at a row that is not JSON (details: `row`, counted from 1 without blank lines, and `line`, with
   * them) and `limit_exceeded` at one larger than `maxRowBytes`. Every later call throws the same again.
   * @throws TailraceError `closed` after `end()`.
   */
  push(bytes: Uint8Array): void;
  /** Says that the body is over and delivers a last row without LF; throws as `push` does. May be called twice. */
  end(): void;
}

/** Makes a decoder of NDJSON. Throws `input_invalid` when `maxRowBytes` is no positive number. */
export function createRowDecoder(options: RowDecoderOptions): RowDecoder {
  const { onRow, maxRowBytes = DEFAULT_MAX_ROW_BYTES } = options;
  /** The start of a row whose LF has not come: V8 joins it once, when the row is read, so growing it is linear. */
  let carry = "";
  let lineCount = 0;
  let rowCount = 0;

  function takeLine(line: string): void {
    lineCount++;
    if (isBlank(line)) return;
    rowCount++;
    let value: unknown;
    try {
      // A CR before the LF is white space to JSON.
      value = JSON.parse(line);
    } catch (cause) {
      feed.fail(badRow(rowCount, lineCount, cause));
      return;
    }
    try {
      onRow(value);
    } catch (error) {
      feed.threw(error);
    }
  }

  function take(text: string): number {
    let start = 0;
    let rowStart = -1;
    // LF alone ends a row. U+2028 and U+2029 may stand in a JSON string as they are.
    for (let end = text.indexOf("\n"); end !== -1 && feed.live; end = text.indexOf("\n", start)) {
      const line = text.slice(start, end);
      start = rowStart = end + 1;
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

  const feed: ByteFeed = createByteFeed({
    unit: "row",
    limitName: "maxRowBytes",
    maxBytes: maxRowBytes,
    take,
    finish: () => takeLine(carry + feed.remainder()),
  });
  return { push: feed.push, end: feed.end };
}

function badRow(row: number, line: number, cause: unknown): TailraceError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TailraceError("decode_failed", `Row ${row} (line ${line}) is not JSON: ${reason}`, {
    cause,
    details: { row, line },
  });
}

function isBlank(line: string): boolean {
  for (let index = 0; index < line.length; index++) {
    const code = line.charCodeAt(index);
    if (code !== SPACE && code !== TAB && code !== CR) return false;
  }
  return true;
}
