// What an export is asked for: the same in a query, in a body and in a job.

import type { CsvColumn } from "tailrace/wire";
import { asChoice, asObject, invalid } from "./input.ts";
import type { SampleQuery, SampleRow } from "./sample/source.ts";
import { TABLES, type SampleTable, type TableName } from "./sample/tables.ts";

export const FORMATS = ["csv", "ndjson"] as const;
export type Format = (typeof FORMATS)[number];

export interface ExportInput {
  readonly format: Format;
  readonly table: TableName;
  readonly rows: number;
  /** The value of the column that the table can be narrowed by. */
  readonly filter?: string | undefined;
}

const DEFAULT_ROWS = 1_000;
const TABLE_NAMES = TABLES.map(({ name }) => name);

/** Reads the fields of a query or a body. @throws {TailraceError} `input_invalid` */
export function readExportInput(given: unknown): ExportInput {
  const fields = asObject(given);
  const format = asChoice(fields["format"] ?? "csv", "format", FORMATS);
  const name = asChoice(fields["table"] ?? "events", "table", TABLE_NAMES);
  const table = tableOf(name);
  const rows = rowsOf(fields["rows"], table.rowCount);
  const { filter } = fields;
  if (filter === undefined || filter === "") return { format, table: name, rows };
  return { format, table: name, rows, filter: asChoice(filter, "filter", table.filter.values) };
}

function rowsOf(given: unknown, max: number): number {
  if (given === undefined) return DEFAULT_ROWS;
  // In a query a number is text; only digits are taken for one.
  const rows = typeof given === "string" && /^\d{1,9}$/.test(given) ? Number(given) : given;
  if (typeof rows === "number" && Number.isSafeInteger(rows) && rows >= 0 && rows <= max) return rows;
  throw invalid("rows", `is a whole number from 0 to ${max.toLocaleString("en")}`);
}

export function tableOf(name: TableName): SampleTable {
  return TABLES.find((table) => table.name === name)!;
}

export function queryOf({ table: name, rows, filter }: ExportInput): SampleQuery {
  const table = tableOf(name);
  return {
    table,
    rowCount: rows,
    filter: filter === undefined ? undefined : { column: table.filter.column, value: filter },
  };
}

/** The columns of a CSV file. SQLite keeps flags as numbers. */
export function columnsOf(table: SampleTable): readonly CsvColumn<SampleRow>[] {
  return table.columns.map(({ name, type }, index) =>
    type === "flag" ? { header: name, value: (row: SampleRow) => Boolean(row[index]) } : name,
  );
}

/** A row as an object, for NDJSON. */
export function objectOf(table: SampleTable, row: SampleRow): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [index, { name, type }] of table.columns.entries()) {
    object[name] = type === "flag" ? Boolean(row[index]) : row[index];
  }
  return object;
}

export function filenameOf({ table, format }: ExportInput): string {
  return `${table}.${format}`;
}
