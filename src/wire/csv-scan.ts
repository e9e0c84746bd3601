// The grammar of CSV over text in pieces: cells, records, and where a broken record ends. RFC 4180, with the usual leniencies.

import {
  type CsvCell,
  largeRecord,
  longCell,
  MOST_BYTES_PER_CHAR,
  type RecordFault,
  type Scanner,
  type ScanOptions,
  SPOILT_FAULT,
  tooManyCells,
  utf8Length,
} from "./csv-record.ts";

const QUOTE = 0x22;
const LF = 0x0a;

/** Where in a record the scanner is. */
const CELL_START = 0;
const BARE = 1;
const QUOTED = 2;
/** Behind a quote in a quoted cell, which ends it or is the half of a doubled one. */
const BEHIND_QUOTE = 3;
/** In a bad cell: a quoted one with text behind it. */
const SPOILT = 4;

/** Makes a scanner; the limits are checked by the caller. */
export function createScanner(options: ScanOptions): Scanner {
  const { delimiter, emptyIsNull, maxRecordBytes, maxCellChars, maxColumnCount, shownChars, onRecord } = options;
  const delimiterCode = delimiter.charCodeAt(0);
  const nothing: CsvCell = emptyIsNull ? null : "";

  // The unfinished record.
  let isInRecord = false;
  let state: 0 | 1 | 2 | 3 | 4 = CELL_START;
  let cells: CsvCell[] = [];
  /** What the pieces before this one hold of the unfinished cell, with quotes still doubled. V8 joins it once, when it is read. */
  let held = "";
  let hasDoubled = false;
  /** With a fault nothing more of the record is kept. */
  let fault: RecordFault | undefined;
  let heldBytes = 0;
  let head = "";

  let line = 1;
  let recordLine = 1;
  /** Whether the last piece ended with a CR that ended a record: an LF belongs to it. */
  let skipsLf = false;

  // The present piece, and the next delimiter, quote, LF and CR in it, at or behind where the scan is: each is searched for once, so
  // that a piece without any is not searched for it again and again.
  let text = "";
  let size = 0;
  let bytesPerChar = 1;
  let recordStart = 0;
  let recordEnd = 0;
  let delimiterAt = -1;
  let quoteAt = -1;
  let lfAt = -1;
  let crAt = -1;

  function find(what: string, from: number): number {
    const at = text.indexOf(what, from);
    return at === -1 ? size : at;
  }

  /** The next line end at or behind `at`. */
  function lineEndFrom(at: number): number {
    if (lfAt < at) lfAt = find("\n", at);
    if (crAt < at) crAt = find("\r", at);
    return lfAt < crAt ? lfAt : crAt;
  }

  /** The index behind the line end at `end`. */
  function behindLineEnd(end: number): number {
    line++;
    if (end !== crAt) return end + 1;
    if (end + 1 === size) skipsLf = true;
    return end + 1 === lfAt ? end + 2 : end + 1;
  }

  function spoil(found: RecordFault): void {
    fault = found;
    cells = [];
    held = "";
  }

  function add(cell: CsvCell): void {
    if (fault !== undefined) return;
    if (cells.length === maxColumnCount) spoil(tooManyCells(maxColumnCount));
    else if (cell !== null && cell.length > maxCellChars) spoil(longCell(maxCellChars));
    else cells.push(cell);
  }

  /** Ends the cell whose last part is `text` from `from` to `to`. */
  function endCell(from: number, to: number): void {
    const last = text.slice(from, to);
    const whole = held === "" ? last : held + last;
    held = "";
    if (state === BARE) add(whole === "" ? nothing : whole);
    else if (state === BEHIND_QUOTE) add(hasDoubled ? whole.replaceAll('""', '"') : whole);
    hasDoubled = false;
    state = CELL_START;
  }

  /** The bytes that the unfinished record has in this piece, up to `end`; exact where it comes near the limit. */
  function bytesUpTo(end: number): number {
    const most = (end - recordStart) * bytesPerChar;
    return bytesPerChar === 1 || heldBytes + most <= maxRecordBytes ? most : utf8Length(text, recordStart, end);
  }

  function endRecord(end: number): void {
    // Over any other fault, so that the answer is the same for every split.
    if (heldBytes + bytesUpTo(end) > maxRecordBytes) spoil(largeRecord(maxRecordBytes));
    const given = cells;
    const found = fault;
    isInRecord = false;
    state = CELL_START;
    cells = [];
    fault = undefined;
    heldBytes = 0;
    recordEnd = end;
    onRecord(given, recordLine, found);
    head = "";
  }

  function textUpTo(end: number): string {
    return head + text.slice(recordStart, Math.min(end, recordStart + shownChars - head.length));
  }

  /** Keeps what the next piece needs of the unfinished record. */
  function keep(): void {
    heldBytes += bytesPerChar === 1 ? size - recordStart : utf8Length(text, recordStart, size);
    if (heldBytes > maxRecordBytes) spoil(largeRecord(maxRecordBytes));
    head = textUpTo(size);
  }

  function hold(part: string): void {
    if (fault === undefined) held += part;
  }

  function countLines(from: number, to: number): void {
    if (lfAt < from) lfAt = find("\n", from);
    while (lfAt < to) {
      line++;
      lfAt = find("\n", lfAt + 1);
    }
  }

  function takeLineEnd(end: number): number {
    const next = behindLineEnd(end);
    endRecord(end);
    return next;
  }

  /** Takes a bare cell, or what follows a bad one, from `from` on. */
  function takeBareCell(from: number): number {
    const lineEnd = lineEndFrom(from);
    if (delimiterAt < from) delimiterAt = find(delimiter, from);
    const end = delimiterAt < lineEnd ? delimiterAt : lineEnd;
    if (end === size) {
      if (state === BARE) hold(text.slice(from));
      return size;
    }
    endCell(from, end);
    return end === lineEnd ? takeLineEnd(end) : end + 1;
  }

  /** Takes what a quoted cell has from `from` on. */
  function takeQuotedCell(from: number): number {
    for (let at = from; ; at = quoteAt + 2) {
      if (quoteAt < at) quoteAt = find('"', at);
      countLines(at, quoteAt);
      const behind = quoteAt + 1;
      if (behind < size && text.charCodeAt(behind) === QUOTE) {
        hasDoubled = true;
        continue;
      }
      if (behind < size) return closeQuotedCell(from, quoteAt);
      hold(text.slice(from, quoteAt));
      if (quoteAt < size) state = BEHIND_QUOTE;
      return size;
    }
  }

  /** Takes what stands behind the last quote of the piece before. */
  function takeBehindQuote(at: number): number {
    if (text.charCodeAt(at) !== QUOTE) return closeQuotedCell(at, at);
    hold('""');
    hasDoubled = true;
    state = QUOTED;
    return at + 1;
  }

  /** Ends a quoted cell whose last part is `text` from `from` to `to`, by what stands behind its quote. */
  function closeQuotedCell(from: number, to: number): number {
    const at = text.charCodeAt(to) === QUOTE ? to + 1 : to;
    state = BEHIND_QUOTE;
    if (text.charCodeAt(at) === delimiterCode) {
      endCell(from, to);
      return at + 1;
    }
    if (lineEndFrom(at) === at) {
      endCell(from, to);
      return takeLineEnd(at);
    }
    if (fault === undefined) spoil(SPOILT_FAULT);
    state = SPOILT;
    return at;
  }

  /** Takes what a record has from `from` on, and gives the index behind its line end, or the size of the piece. */
  function takeRecord(from: number): number {
    let at = from;
    isInRecord = true;
    // oxlint-disable-next-line no-unmodified-loop-condition -- the calls in the loop end the record
    while (at < size && isInRecord) {
      if (state === QUOTED) at = takeQuotedCell(at);
      else if (state === BEHIND_QUOTE) at = takeBehindQuote(at);
      else if (state === CELL_START && text.charCodeAt(at) === QUOTE) {
        state = QUOTED;
        at++;
      } else {
        if (state === CELL_START) state = BARE;
        at = takeBareCell(at);
      }
    }
    if (isInRecord) keep();
    return at;
  }

  /** Takes the record from `from` to `end`, in which there is no quote: most records are such. */
  function takePlainRecord(from: number, end: number): number {
    const plain: CsvCell[] = [];
    for (let at = from; ; at = delimiterAt + 1) {
      if (delimiterAt < at) delimiterAt = find(delimiter, at);
      const to = delimiterAt < end ? delimiterAt : end;
      if (to - at > maxCellChars || plain.length === maxColumnCount) break;
      plain.push(to === at ? nothing : text.slice(at, to));
      if (to < end) continue;
      recordEnd = end;
      const next = behindLineEnd(end);
      onRecord(plain, recordLine, undefined);
      return next;
    }
    delimiterAt = -1;
    return takeRecord(from);
  }

  function take(piece: string, isAscii: boolean): void {
    text = piece;
    size = piece.length;
    bytesPerChar = isAscii ? 1 : MOST_BYTES_PER_CHAR;
    recordStart = 0;
    delimiterAt = quoteAt = lfAt = crAt = -1;
    let at = 0;
    if (skipsLf && size > 0) {
      skipsLf = false;
      if (piece.charCodeAt(0) === LF) at = 1;
    }
    if (isInRecord) at = takeRecord(at);
    while (at < size && scanner.live) {
      const end = lineEndFrom(at);
      if (end === at) {
        at = behindLineEnd(end); // a blank line
        continue;
      }
      recordStart = at;
      recordLine = line;
      if (quoteAt < at) quoteAt = find('"', at);
      if (end < size && end < quoteAt && (end - at) * bytesPerChar <= maxRecordBytes) {
        at = takePlainRecord(at, end);
      } else {
        at = takeRecord(at);
      }
    }
    text = "";
  }

  function finish(): number | undefined {
    if (!isInRecord || !scanner.live) return undefined;
    if (state === QUOTED) return recordLine;
    text = "";
    size = recordStart = 0;
    if (state === CELL_START) state = BARE;
    endCell(0, 0);
    endRecord(0);
    return undefined;
  }

  const scanner: Scanner = { live: true, take, finish, recordText: () => textUpTo(recordEnd) };
  return scanner;
}
