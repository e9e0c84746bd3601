// Comma-separated values, written: RFC 4180, with a stated text for every kind of value and a guard against formulas.

import { TailraceError } from "../errors.ts";
import { cellWriter, type CellStyle } from "./csv-cell.ts";

/** A column: a name, or more than that. */
export type CsvColumn<Row> =
  | string
  | {
      /** What stands in the header. */
      readonly header: string;
      /** The property of a row that is an object. Default: `header`. */
      readonly key?: string | undefined;
      /** Makes the cell's value from the whole row instead. */
      readonly value?: ((row: Row) => unknown) | undefined;
    };

/** How a table is written. */
export interface CsvOptions<Row = unknown> extends Partial<CellStyle> {
  /**
   * Which cells a record has, in their order. Of a row that is an array each column takes the cell at its own place. Default: the
   * properties of the first row, which later rows may lack but not add to; for rows that are arrays, all cells.
   */
  readonly columns?: readonly CsvColumn<Row>[] | undefined;
  /** Whether the first record names the columns. Default true; rows that are arrays have a header only where `columns` names it. */
  readonly header?: boolean | undefined;
  /** What ends each record. Default CR LF (RFC 4180, section 2). */
  readonly lineEnd?: "\r\n" | "\n" | undefined;
  /** Begin with a byte-order mark, by which Excel knows UTF-8. Default false. */
  readonly bom?: boolean | undefined;
}

/** Writes one table. */
export interface CsvEncoder<Row> {
  /** What stands before the first record, as far as it is known without a row: the byte-order mark and the header. */
  open(): string;
  /** One record with its line end; before the first one, what `open` could not know. */
  encode(row: Row): string;
}

const BOM = "\uFEFF";

/**
 * Makes an encoder of rows that are objects or arrays.
 *
 * | value | cell |
 * |---|---|
 * | `null`, `undefined`, an invalid `Date` | nothing; `""` in a record of one cell, as a blank line is no record to most readers |
 * | `""` | `""`, in quotes, so that it is not null |
 * | text | as it is; in quotes, with each `"` doubled, if it holds the delimiter, `"`, CR or LF, or begins or ends with a space, or begins with U+FEFF |
 * | number, bigint | in digits, with a point; `NaN` and `Infinity` as JavaScript writes them |
 * | boolean | `true`, `false` |
 * | `Date` | ISO 8601 in UTC, as `2026-11-20T12:00:00.000Z` |
 * | bytes (`Uint8Array`, `ArrayBuffer`) | base64, or hex |
 * | any other object, array | JSON; but the text itself of one whose JSON is a text (a decimal, a URL, a Temporal date) |
 *
 * @throws TailraceError `input_invalid` for a delimiter or a line end that cannot be one, and for no columns. `encode` throws `encode_refused` for
 * functions, symbols, what JSON has no text for, a row that is neither object nor array or not of the first one's kind, a row without cells, and,
 * without `columns`, a property that the first row did not have.
 */
export function createCsvEncoder<Row = unknown>(options: CsvOptions<Row> = {}): CsvEncoder<Row> {
  const { columns, header = true, lineEnd = "\r\n", bom = false, delimiter = "," } = options;
  const { guardFormulas = false, quoteAll = false, bytes = "base64" } = options;
  if (lineEnd !== "\r\n" && lineEnd !== "\n") throw invalid("lineEnd", "A record ends with CR LF or with LF.");
  if (columns?.length === 0) throw invalid("columns", "A table has at least one column; these columns are none.");
  const cell = cellWriter({ delimiter, guardFormulas, quoteAll, bytes });
  let plan: Plan<Row> | undefined;
  let isBomDue = bom;
  let isHeaderDue = header;

  function opening(names: readonly string[] | undefined): string {
    const head = isHeaderDue && names !== undefined ? names.map(cell).join(delimiter) + lineEnd : "";
    const text = isBomDue ? BOM + head : head;
    isBomDue = false;
    if (names !== undefined) isHeaderDue = false;
    return text;
  }

  function encode(row: Row): string {
    if (typeof row !== "object" || row === null) throw notARow(row);
    if (plan === undefined) {
      // Not before the cells: a first row that is refused is followed by another first row.
      const made = planOf(row, columns);
      const record = recordOf(row, made);
      plan = made;
      return opening(made.names) + record;
    }
    return recordOf(row, plan);
  }

  function recordOf(row: Row & object, { isArray, read, keys }: Plan<Row>): string {
    if (Array.isArray(row) !== isArray) throw otherKind(isArray);
    if (keys !== undefined) checkKeys(row, keys);
    let text: string;
    let count: number;
    if (read !== undefined) {
      count = read.length;
      text = cell((read[0] as Read<Row>)(row));
      for (let index = 1; index < count; index++) text += delimiter + cell((read[index] as Read<Row>)(row));
    } else {
      const source = row as Record<string | number, unknown>;
      count = keys === undefined ? (row as unknown as readonly unknown[]).length : keys.length;
      if (count === 0) throw new TailraceError("encode_refused", "A row has no cells, which would be a blank line.");
      text = cell(source[keys === undefined ? 0 : (keys[0] as string)]);
      for (let index = 1; index < count; index++) {
        text += delimiter + cell(source[keys === undefined ? index : (keys[index] as string)]);
      }
    }
    return (count === 1 && text === "" ? '""' : text) + lineEnd;
  }

  return { open: () => opening(columns?.map(headerOf)), encode };
}

type Read<Row> = (row: Row) => unknown;

/** How rows are read; all rows of a table are of one kind. */
interface Plan<Row> {
  readonly isArray: boolean;
  /** What stands in the header. */
  readonly names: readonly string[] | undefined;
  /** What makes each cell, where it is not the property of `keys`, or the next of an array. */
  readonly read: readonly Read<Row>[] | undefined;
  /** The properties of an object, where no columns are named. */
  readonly keys: readonly string[] | undefined;
}

function planOf<Row>(row: Row & object, columns: readonly CsvColumn<Row>[] | undefined): Plan<Row> {
  const isArray = Array.isArray(row);
  if (columns !== undefined) {
    const read = columns.map((column, index) => readerOf(column, isArray ? index : undefined));
    return { isArray, names: columns.map(headerOf), read, keys: undefined };
  }
  if (isArray) return { isArray, names: undefined, read: undefined, keys: undefined };
  const keys = Object.keys(row);
  const read = keys.some(isInherited) ? keys.map((key) => readerOf<Row>(key, undefined)) : undefined;
  return { isArray, names: keys, read, keys };
}

function readerOf<Row>(column: CsvColumn<Row>, place: number | undefined): Read<Row> {
  if (typeof column === "object" && column.value !== undefined) return column.value;
  const key = place ?? (typeof column === "string" ? column : (column.key ?? column.header));
  if (isInherited(key)) return (row) => (Object.hasOwn(row as object, key) ? cellAt(row, key) : undefined);
  return (row) => cellAt(row, key);
}

/** Whether every object has it: a column named `constructor` is no question about the row's class. */
function isInherited(key: string | number): boolean {
  return key in Object.prototype;
}

function cellAt(row: unknown, key: string | number): unknown {
  return (row as Record<string | number, unknown>)[key];
}

function headerOf<Row>(column: CsvColumn<Row>): string {
  return typeof column === "string" ? column : column.header;
}

/** Refuses what would be left out without a word: a property that the first row did not have. */
function checkKeys(row: object, keys: readonly string[]): void {
  const own = Object.keys(row);
  let index = 0;
  while (index < own.length && own[index] === keys[index]) index++;
  for (; index < own.length; index++) {
    const key = own[index] as string;
    if (keys.includes(key)) continue;
    const message = `A row has ${JSON.stringify(key)}, which the first row did not have. Name all columns in the option columns.`;
    throw new TailraceError("encode_refused", message, { details: { column: key } });
  }
}

function notARow(row: unknown): TailraceError {
  const kind = row === null ? "null" : `of type ${typeof row}`;
  return new TailraceError("encode_refused", `A row of a table is an object or an array; this one is ${kind}.`);
}

function otherKind(isArray: boolean): TailraceError {
  const [first, other] = isArray ? ["an array", "an object"] : ["an object", "an array"];
  return new TailraceError("encode_refused", `The first row of this table was ${first}, and this one is ${other}.`);
}

function invalid(field: string, message: string): TailraceError {
  return new TailraceError("input_invalid", message, { details: { field } });
}
