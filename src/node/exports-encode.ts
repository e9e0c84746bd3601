// The text of an export in its format, also of one that goes on in the middle: then what a first row decided is given.

import { RowsEndWriter } from "../reply/rows-end.ts";
import { csvType } from "../reply/csv.ts";
import { createCsvEncoder, type CsvColumn, type CsvOptions } from "../wire/csv-encode.ts";
import { encodeRowsEnd } from "../wire/ndjson-end.ts";
import { encodeRow } from "../wire/ndjson.ts";

export interface ExportEncoder<Row> {
  /** The media type of the file. */
  readonly type: string;
  /** How the file is written, as text: of two that differ, one cannot go on with what the other has begun. */
  readonly shape: string;
  readonly endRecord: boolean;
  /** The columns that the first row gave, if it was asked. */
  readonly columns: readonly string[] | undefined;
  /** What stands before the rows. */
  open(): string;
  /** Instead of `open`, behind rows that were written before: `columns` is what they gave. */
  resume(columns: readonly string[] | undefined): void;
  encode(row: Row): string;
  /** What stands behind `rows` rows. */
  close(rows: number): string;
}

export function csvExport<Row>(given: CsvOptions<Row>): ExportEncoder<Row> {
  const options: CsvOptions<Row> = { guardFormulas: true, ...given };
  const encoder = createCsvEncoder<Row>(options);
  let columns: readonly string[] | undefined;
  let asksFirstRow = options.columns === undefined;
  return {
    type: csvType(options),
    shape: JSON.stringify(["csv", { ...options, columns: options.columns?.map(columnShape) }]),
    endRecord: false,
    get columns() {
      return columns;
    },
    open: () => encoder.open(),
    resume(known) {
      asksFirstRow = false;
      columns = known;
      // What it would begin with stands in the file already.
      encoder.open();
      if (known !== undefined) encoder.encode(Object.fromEntries(known.map((name) => [name, null])) as Row);
    },
    encode(row) {
      if (asksFirstRow) {
        asksFirstRow = false;
        if (!Array.isArray(row) && typeof row === "object" && row !== null) columns = Object.keys(row);
      }
      return encoder.encode(row);
    },
    close: () => "",
  };
}

export function ndjsonExport<Row>(endRecord: boolean): ExportEncoder<Row> {
  const checker = endRecord ? new RowsEndWriter() : undefined;
  return {
    type: "application/x-ndjson; charset=utf-8",
    shape: JSON.stringify(["ndjson", { endRecord }]),
    endRecord,
    columns: undefined,
    open: () => "",
    resume: () => undefined,
    encode: checker === undefined ? encodeRow : (row) => checker.row(encodeRow(row)),
    close: (rows) => (endRecord ? encodeRowsEnd({ reason: "completed", rows }) : ""),
  };
}

/** A column that is a function stands for its header: what it does cannot be told. */
function columnShape<Row>(column: CsvColumn<Row>): unknown {
  return typeof column === "string" ? column : [column.header, column.key ?? null];
}
