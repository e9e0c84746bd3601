// A record of CSV as the scanner gives it: cells, or what is wrong, and what both are measured in.

import type { ErrorCode } from "../errors.ts";

/** A cell that was read: a text, or null for one that was left bare. */
export type CsvCell = string | null;

/** What is wrong with a record, for a message that begins with its number. */
export interface RecordFault {
  readonly code: ErrorCode;
  readonly how: string;
  readonly details: Readonly<Record<string, number>>;
}

/** What the scanner is told. */
export interface ScanOptions {
  readonly delimiter: string;
  /** Whether a bare cell with nothing in it is null. */
  readonly emptyIsNull: boolean;
  readonly maxRecordBytes: number;
  readonly maxCellChars: number;
  readonly maxColumnCount: number;
  /** How many characters `recordText` gives; the start of an unfinished record is kept for it. */
  readonly shownChars: number;
  /** Takes a record, which begins on `line`. The cells are its own; with a fault there are none. */
  readonly onRecord: (cells: CsvCell[], line: number, fault: RecordFault | undefined) => void;
}

/** Scans one text. */
export interface Scanner {
  /** False once nothing more is to be delivered. */
  live: boolean;
  /** Takes the next piece; `isAscii` says that it has as many bytes as characters. */
  take(piece: string, isAscii: boolean): void;
  /** The text is over: delivers a last record without line end. The line on which a quoted cell was left open, else undefined. */
  finish(): number | undefined;
  /** What the record starts with that `onRecord` has just been given. */
  recordText(): string;
}

/** The most bytes that one UTF-16 code unit has in UTF-8. */
export const MOST_BYTES_PER_CHAR = 3;

/** The bytes that a part of a text has in UTF-8. */
export function utf8Length(text: string, from: number, to: number): number {
  let bytes = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    // Each half of a surrogate pair counts for two of its four.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : MOST_BYTES_PER_CHAR;
  }
  return bytes;
}

/** A quoted cell and text behind it. */
export const SPOILT_FAULT: RecordFault = {
  code: "decode_failed",
  how: "has a quoted cell with text behind it. A quote in a quoted cell is written twice.",
  details: {},
};

/** More cells than `maxColumnCount`. */
export function tooManyCells(maxColumnCount: number): RecordFault {
  const how = `has more than ${maxColumnCount} cells (maxColumnCount).`;
  return { code: "limit_exceeded", how, details: { maxColumnCount } };
}

/** A cell longer than `maxCellChars`. */
export function longCell(maxCellChars: number): RecordFault {
  const how = `has a cell of more than ${maxCellChars} characters (maxCellChars).`;
  return { code: "limit_exceeded", how, details: { maxCellChars } };
}

/** A record larger than `maxRecordBytes`. */
export function largeRecord(maxRecordBytes: number): RecordFault {
  const how = `is larger than ${maxRecordBytes} bytes (maxRecordBytes). Raise maxRecordBytes, or send smaller rows.`;
  return { code: "limit_exceeded", how, details: { maxRecordBytes } };
}
