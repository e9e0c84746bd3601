// Comma-separated values, read: bytes in, rows out, split anywhere.

import { isTailraceError, TailraceError } from "../errors.ts";
import { unguarded } from "./csv-guard.ts";
import { type CsvObject, rowMaker, type RowMaker } from "./csv-header.ts";
import type { CsvCell, RecordFault } from "./csv-record.ts";
import { checkRules, type CsvRules } from "./csv-rules.ts";
import { createScanner } from "./csv-scan.ts";
import { schemaFailed, tooMany } from "./row-limits.ts";
import { checkNow } from "./standard-schema.ts";
import { unfinishedTail } from "./utf8-tail.ts";

/** How much of a bad row is reported, in characters. */
const SHOWN_CHARS = 200;
/** Bytes that are decoded at a time: a string has a limit, and a smaller one stays in the processor's cache. */
const PIECE_BYTES = 262_144;
const BOM = 0xfeff;
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What {@link createCsvDecoder} calls, and its rules. */
export interface CsvDecoderOptions<T = CsvObject> extends CsvRules<T> {
  readonly onRow: (row: T) => void;
}

/** The options with which rows are arrays. */
export interface AsArrays {
  readonly header: false;
  readonly schema?: undefined;
}

/** Decodes one body; make a new one for the next. */
export interface CsvDecoder {
  /**
   * Takes the next bytes, split anywhere. `onRow` may throw: what else these bytes hold is still delivered, then `push` throws what was
   * thrown first. It may call `end()`, after which nothing is delivered, but not `push`.
   *
   * @throws TailraceError `decode_failed` at a bad header or row (details: `row`, counted from 1 without the header and blank lines, and
   * `line`, on which it begins); `limit_exceeded` one past a limit. Every later call throws the same again.
   * @throws TailraceError `closed` after `end()`.
   */
  push(bytes: Uint8Array): void;
  /**
   * Says that the body is over and delivers a last row without line end; throws as `push` does, and `truncated` at a quoted cell that has
   * not ended. May be called twice.
   */
  end(): void;
}

/**
 * Makes a decoder of CSV: RFC 4180, and beyond it CR or LF as line ends, a last record without one, blank lines (passed over), a byte-order mark
 * (dropped), and quotes inside a bare cell (text). Cells are texts or null; a schema may make more of them. Invalid UTF-8 becomes U+FFFD.
 *
 * @throws TailraceError `input_invalid` for a limit that is no positive number, `report` without `onBadRow`, a delimiter or columns that cannot be.
 */
export function createCsvDecoder(options: CsvDecoderOptions<CsvCell[]> & AsArrays): CsvDecoder;
export function createCsvDecoder<T = CsvObject>(options: CsvDecoderOptions<T>): CsvDecoder;
export function createCsvDecoder<T>(options: CsvDecoderOptions<T>): CsvDecoder {
  const { onRow } = options;
  const rules = checkRules(options);
  const { onBadRow, schema, columns, header, delimiter, nulls, badRows, unguardFormulas } = rules;
  const { maxRecordBytes, maxCellChars, maxColumnCount, maxTotalBytes, maxRowCount } = rules;

  let isHeaderDue = header === true;
  /** How many cells a row has; undefined without a header. */
  let cellCount = typeof header === "object" ? header.length : undefined;
  let make: RowMaker | undefined = typeof header === "object" ? rowMaker(header, columns, "input_invalid") : undefined;
  let rowCount = 0;

  function takeHeader(cells: CsvCell[], line: number, fault: RecordFault | undefined): void {
    isHeaderDue = false;
    try {
      if (fault !== undefined) throw faultError("The header", line, undefined, fault);
      if (unguardFormulas) unguardAll(cells);
      make = rowMaker(
        cells.map((cell) => cell ?? ""),
        columns,
        "decode_failed",
      );
      cellCount = cells.length;
    } catch (error) {
      fail(error as TailraceError);
    }
  }

  function takeRecord(cells: CsvCell[], line: number, fault: RecordFault | undefined): void {
    if (isHeaderDue) return takeHeader(cells, line, fault);
    rowCount++;
    if (rowCount > maxRowCount) return fail(tooMany("maxRowCount", maxRowCount, "rows"));
    if (fault !== undefined) return bad(line, faultError(`Row ${rowCount}`, line, rowCount, fault));
    if (cellCount !== undefined && cells.length !== cellCount) {
      const how = `has ${cells.length} cells, and the header has ${cellCount}.`;
      const ragged: RecordFault = { code: "decode_failed", how, details: {} };
      return bad(line, faultError(`Row ${rowCount}`, line, rowCount, ragged));
    }
    if (unguardFormulas) unguardAll(cells);
    let row = (make === undefined ? cells : make(cells)) as T;
    try {
      if (schema !== undefined) row = checkNow(schema, row, `Row ${rowCount} (line ${line})`);
    } catch (error) {
      if (!isTailraceError(error, "decode_failed")) return fail(schemaFailed(error));
      const details = { row: rowCount, line };
      return bad(line, new TailraceError("decode_failed", error.message, { details }));
    }
    try {
      onRow(row);
    } catch (error) {
      thrown ??= { error };
    }
  }

  function bad(line: number, error: TailraceError): void {
    if (badRows === "throw") return fail(error);
    if (badRows === "skip") return;
    try {
      onBadRow?.({ row: rowCount, line, text: scanner.recordText(), error });
    } catch (caught) {
      thrown ??= { error: caught };
    }
  }

  const scanner = createScanner({
    delimiter,
    emptyIsNull: nulls === "empty",
    maxRecordBytes,
    maxCellChars,
    maxColumnCount,
    shownChars: badRows === "report" ? SHOWN_CHARS : 0,
    onRecord: takeRecord,
  });

  // Not the feed of the other decoders: that one finds the end of a record too large by its LF, which in a quoted cell is text.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The start of a character whose rest is still to come. */
  let rest: Uint8Array = NO_BYTES;
  let isStart = true;
  let totalBytes = 0;
  let isBusy = false;
  let failure: TailraceError | undefined;
  let thrown: { readonly error: unknown } | undefined;

  function fail(error: TailraceError): void {
    failure ??= error;
    scanner.live = false;
  }

  function decode(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const text = decoder.decode(bytes);
    // Invalid bytes become U+FFFD, one for one too, which has three bytes when it is written.
    const isAscii = text.length === bytes.length && !text.includes("\uFFFD");
    if (isStart && text.charCodeAt(0) === BOM) scanner.take(text.slice(1), isAscii);
    else scanner.take(text, isAscii);
    isStart = false;
  }

  function takePiece(piece: Uint8Array): void {
    let bytes = piece;
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + piece.length);
      bytes.set(rest);
      bytes.set(piece, rest.length);
    }
    const cut = bytes.length - unfinishedTail(bytes);
    if (cut === bytes.length) {
      if (rest.length > 0) rest = NO_BYTES;
      decode(bytes);
    } else {
      rest = bytes.slice(cut);
      decode(bytes.subarray(0, cut));
    }
  }

  /** Throws what the call that ends now has to throw, if anything. */
  function settle(): void {
    isBusy = false;
    if (thrown !== undefined) {
      const { error } = thrown;
      thrown = undefined;
      throw error;
    }
    if (failure !== undefined) throw failure;
  }

  return {
    push(bytes) {
      if (isBusy) {
        throw new TailraceError("input_invalid", "push() was called from inside a callback of the same decoder.");
      }
      if (!scanner.live) throw failure ?? new TailraceError("closed", "The decoder has ended. Make a new one.");
      isBusy = true;
      const size = Math.min(bytes.length, maxTotalBytes - totalBytes);
      for (let at = 0; at < size && scanner.live; at += PIECE_BYTES) {
        takePiece(bytes.subarray(at, Math.min(at + PIECE_BYTES, size)));
      }
      totalBytes += size;
      if (size < bytes.length && scanner.live) fail(tooMany("maxTotalBytes", maxTotalBytes, "bytes"));
      settle();
    },
    end() {
      if (!scanner.live) return;
      if (isBusy) {
        scanner.live = false;
        return;
      }
      isBusy = true;
      decode(rest);
      const openLine = scanner.finish();
      if (openLine !== undefined) fail(truncated(openLine));
      scanner.live = false;
      settle();
    },
  };
}

function unguardAll(cells: CsvCell[]): void {
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    if (typeof cell === "string") cells[index] = unguarded(cell);
  }
}

function faultError(what: string, line: number, row: number | undefined, fault: RecordFault): TailraceError {
  const details = { ...(row === undefined ? {} : { row }), line, ...fault.details };
  return new TailraceError(fault.code, `${what} (line ${line}) ${fault.how}`, { details });
}

function truncated(line: number): TailraceError {
  const message = `The body ended in a quoted cell of the record that begins on line ${line}. Ask again.`;
  return new TailraceError("truncated", message, { details: { line } });
}
