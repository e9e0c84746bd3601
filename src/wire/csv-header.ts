// From cells to an object: which cell is which property, by the names in the header.

import { TailraceError, type ErrorCode } from "../errors.ts";
import type { CsvCell } from "./csv-record.ts";

/** A row as an object, each cell under the name of its column. */
export type CsvObject = Record<string, CsvCell>;

/** A column that is read: its name in the header, or the name and the property that it becomes. */
export type CsvReadColumn = string | { readonly header: string; readonly key?: string | undefined };

/** Makes an object of the cells of a record. */
export type RowMaker = (cells: readonly CsvCell[]) => CsvObject;

/**
 * Makes the maker for a header. Without `columns` every cell is a property, and two of one name are refused; with them only those named, which
 * must all be there, once. The properties are the object's own, `__proto__` too.
 *
 * @throws TailraceError `code`, with details `column`
 */
export function rowMaker(
  names: readonly string[],
  columns: readonly CsvReadColumn[] | undefined,
  code: ErrorCode,
): RowMaker {
  const wanted: readonly CsvReadColumn[] = columns ?? names;
  const placeOf = new Map(names.map((name, place) => [name, place]));
  const isTwice = new Set(names.filter((name, place) => placeOf.get(name) !== place));
  const keys: string[] = [];
  const places: number[] = [];
  for (const column of wanted) {
    const { header: name, key = name } = typeof column === "string" ? { header: column } : column;
    const place = placeOf.get(name);
    if (place === undefined) throw refused(code, name, "is not in the header");
    if (isTwice.has(name)) throw refused(code, name, "stands in the header twice");
    keys.push(key);
    places.push(place);
  }
  if (new Set(keys).size < keys.length) throw refused(code, twiceIn(keys), "would be one property with another");
  // A copy of it has every property from the start, as its own: setting one never reaches a setter of the prototype.
  const template: CsvObject = Object.fromEntries(keys.map((key) => [key, null]));
  return (cells) => {
    const row = { ...template };
    for (let index = 0; index < keys.length; index++) {
      row[keys[index] as string] = cells[places[index] as number] as CsvCell;
    }
    return row;
  };
}

function twiceIn(keys: readonly string[]): string {
  return keys.find((key, index) => keys.indexOf(key) !== index) ?? "";
}

function refused(code: ErrorCode, column: string, how: string): TailraceError {
  const name = JSON.stringify(column.length > 100 ? `${column.slice(0, 100)}...` : column);
  const message = `The column ${name} ${how}. Choose others with columns, or read arrays with header: false.`;
  return new TailraceError(code, message, { details: { column } });
}
