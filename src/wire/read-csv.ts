// A body of CSV as an iteration: what `for await` needs around the decoder, in browsers and on servers.

import { type AsArrays, createCsvDecoder } from "./csv-decode.ts";
import type { CsvObject } from "./csv-header.ts";
import type { CsvCell } from "./csv-record.ts";
import type { CsvRules } from "./csv-rules.ts";
import { type RowBody, type Rows, rowsOf } from "./row-body.ts";

/** Options of {@link readCsv}. */
export interface ReadCsvOptions<T = CsvObject> extends CsvRules<T> {
  /** Ends the reading: the body is cancelled, and the iteration throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads CSV from a body, as far as the loop asks for it. Leaving the loop cancels the body. Rows before an error are given before it is thrown.
 * Rows are objects by the header's names, or arrays with `header: false`; what a `schema` makes of them, with one.
 *
 * The iteration throws, beside what the decoder throws: `connection_failed` for a body that breaks off, `input_invalid` for options that cannot be,
 * and a body that is no bytes, was read already, or is read twice; and the reason of `signal`. A cut behind a whole record looks like the end where
 * the host made a clean end of it: a count of rows or a digest tells.
 */
export function readCsv(body: RowBody, options: ReadCsvOptions<CsvCell[]> & AsArrays): Rows<CsvCell[]>;
export function readCsv<T = CsvObject>(body: RowBody, options?: ReadCsvOptions<T>): Rows<T>;
export function readCsv<T>(body: RowBody, options: ReadCsvOptions<T> = {}): Rows<T> {
  return rowsOf<T>(body, options.signal, (onRow) => createCsvDecoder<T>({ ...options, onRow }));
}
