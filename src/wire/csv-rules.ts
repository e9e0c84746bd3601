// What of CSV is taken, and what is done about the rest: the rules of reading, and whether they can be kept.

import { TailraceError } from "../errors.ts";
import { checkDelimiter } from "./csv-delimiter.ts";
import type { CsvObject, CsvReadColumn } from "./csv-header.ts";
import type { BadRow } from "./ndjson.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** The default of {@link CsvRules.maxRecordBytes}: 16 MiB. */
export const DEFAULT_MAX_RECORD_BYTES = 16_777_216;
/** The default of {@link CsvRules.maxColumnCount}, as many as Excel has: 16,384 columns. */
export const DEFAULT_MAX_COLUMN_COUNT = 16_384;
/** What of CSV is taken, and what is done about the rest. */
export interface CsvRules<T = CsvObject> {
  /**
   * Where the names of the columns come from: the first record, or a list, with which all records are rows. `false`: there are none, rows
   * are arrays, and each may have as many cells as it likes.
   * @default true
   */
  readonly header?: boolean | readonly string[] | undefined;
  /** The columns that are kept, in this order; a header without one of them is refused. Those of the encoder may be given. Default: all. */
  readonly columns?: readonly CsvReadColumn[] | undefined;
  /** What stands between two cells: one character other than `"`, CR, LF and space. Default `,`. */
  readonly delimiter?: string | undefined;
  /** `empty`: a bare cell with nothing in it is null, and `""` the empty text. `never`: both are the empty text. Default `empty`. */
  readonly nulls?: "empty" | "never" | undefined;
  /** Take off the `'` that the encoder's `guardFormulas` has put before a text. Default false. */
  readonly unguardFormulas?: boolean | undefined;
  /**
   * What a bad row does: one with text behind a quoted cell, with more or fewer cells than the header, larger than a limit, or refused by
   * the schema. `throw` ends the decoding with its error, `skip` passes it over, `report` passes it over and tells `onBadRow`. The decoder goes
   * on behind the end of that record. A bad header, and a quoted cell that never ends, always throw.
   * @default "throw"
   */
  readonly badRows?: "throw" | "skip" | "report" | undefined;
  /** Needed with `badRows: "report"`, and only called then. What it throws is treated as what `onRow` throws. */
  readonly onBadRow?: ((bad: BadRow) => void) | undefined;
  /** Checks each row, and gives what is delivered. It has to answer at once, without a promise. */
  readonly schema?: StandardSchema<T> | undefined;
  /**
   * The most bytes of one record, without its line end.
   * @default 16777216 (16 MiB)
   */
  readonly maxRecordBytes?: number | undefined;
  /** The most UTF-16 code units of one cell. Default: no limit but that of the record. */
  readonly maxCellChars?: number | undefined;
  /** The most cells of one record. @default 16384 */
  readonly maxColumnCount?: number | undefined;
  /** The most bytes of the whole body. Default: no limit. */
  readonly maxTotalBytes?: number | undefined;
  /** The most rows, the bad ones counted and the header not. Default: no limit. */
  readonly maxRowCount?: number | undefined;
}

/** The rules that have no default. */
type Undecided = "columns" | "onBadRow" | "schema";

/** The rules, each with its default. */
export type CheckedRules<T> = {
  readonly [Rule in Exclude<keyof CsvRules, Undecided>]-?: Exclude<CsvRules[Rule], undefined>;
} & { readonly [Rule in Undecided]: CsvRules<T>[Rule] };

/** Fills in the defaults. @throws TailraceError `input_invalid` for rules that cannot be kept */
export function checkRules<T>(rules: CsvRules<T>): CheckedRules<T> {
  const { header = true, columns, badRows = "throw", onBadRow } = rules;
  const checked: CheckedRules<T> = {
    header,
    columns,
    badRows,
    onBadRow,
    schema: rules.schema,
    delimiter: rules.delimiter ?? ",",
    nulls: rules.nulls ?? "empty",
    unguardFormulas: rules.unguardFormulas ?? false,
    maxRecordBytes: limitOf("maxRecordBytes", rules.maxRecordBytes, DEFAULT_MAX_RECORD_BYTES, "byte"),
    maxCellChars: limitOf("maxCellChars", rules.maxCellChars, Infinity, "character"),
    maxColumnCount: limitOf("maxColumnCount", rules.maxColumnCount, DEFAULT_MAX_COLUMN_COUNT, "column"),
    maxTotalBytes: limitOf("maxTotalBytes", rules.maxTotalBytes, Infinity, "byte"),
    maxRowCount: limitOf("maxRowCount", rules.maxRowCount, Infinity, "row"),
  };
  checkDelimiter(checked.delimiter);
  if (badRows === "report" && onBadRow === undefined) {
    throw new TailraceError("input_invalid", 'badRows: "report" needs an onBadRow to report to.');
  }
  if (header === false && columns !== undefined) {
    throw new TailraceError("input_invalid", "columns need a header to be found in; give its names as header.");
  }
  return checked;
}

function limitOf(name: string, limit: number | undefined, otherwise: number, unit: string): number {
  if (limit === undefined) return otherwise;
  if (limit >= 1) return limit;
  throw new TailraceError("input_invalid", `${name} must be a number of at least 1 ${unit}, not ${String(limit)}.`);
}
