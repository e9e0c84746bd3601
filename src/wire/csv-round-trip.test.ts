// What the encoder writes, the decoder reads: any rows, every option, every split.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCsvEncoder, type CsvOptions } from "./csv-encode.ts";
import { decode, utf8 } from "./csv.test-support.ts";

const hostile = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.string({ unit: fc.constantFrom('"', ",", "\r", "\n", " ", "'", "=", "a", "\uFEFF"), maxLength: 8 }),
  },
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom(
      "\0",
      "\t",
      ";",
      "|",
      "-",
      "+",
      "@",
      "1",
      ".",
      "\u00e9",
      "\u3042",
      "\u{1f600}",
      "\u2028",
      "\uff1d",
      "\uff0d",
      "\u00a7",
    ),
    maxLength: 8,
  }),
  fc.stringMatching(/^'{0,3}[=+@-][0-9.]{0,3}x?$/),
);
const value = fc.oneof(
  { weight: 4, arbitrary: hostile },
  fc.constantFrom(null, undefined, "", true, false),
  fc.double(),
  fc.bigInt(),
  fc.date(),
  fc.uint8Array({ maxLength: 6 }),
  fc.dictionary(hostile, hostile, { maxKeys: 2 }),
  fc.array(hostile, { maxLength: 3 }),
);
const style = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "|", "1", ".", "-", "'", "=", "T", "\u00a7"),
  lineEnd: fc.constantFrom("\r\n" as const, "\n" as const),
  bom: fc.boolean(),
  header: fc.boolean(),
  quoteAll: fc.boolean(),
  guardFormulas: fc.boolean(),
  bytes: fc.constantFrom("base64" as const, "hex" as const),
});

/** The stated rule: what a cell is when it is read back. */
function expected(given: unknown, bytes: "base64" | "hex", isOnly: boolean): string | null {
  if (given === null || given === undefined) return isOnly ? "" : null;
  if (given instanceof Date) {
    if (Number.isNaN(given.getTime())) return isOnly ? "" : null;
    return given.toISOString();
  }
  if (given instanceof Uint8Array) return Buffer.from(given).toString(bytes);
  if (typeof given === "object") return JSON.stringify(given);
  return (given as string | number | bigint | boolean).toString().toWellFormed();
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const place of places) {
    const to = Math.min(from + place, bytes.length);
    chunks.push(bytes.slice(from, to));
    from = to;
  }
  return [...chunks, bytes.subarray(from)];
}

function write<Row>(rows: readonly Row[], options: CsvOptions<Row>): Uint8Array {
  const encoder = createCsvEncoder<Row>(options);
  return utf8(encoder.open() + rows.map((row) => encoder.encode(row)).join(""));
}

describe("createCsvEncoder and createCsvDecoder", () => {
  const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
    fc.record({
      names: fc.uniqueArray(fc.oneof(hostile, fc.constantFrom("__proto__", "constructor", "2", "id")), {
        minLength: width,
        maxLength: width,
        selector: (name) => name.toWellFormed(),
      }),
      rows: fc.array(fc.array(value, { minLength: width, maxLength: width }), { maxLength: 6 }),
      style,
      places: fc.array(fc.nat(9), { maxLength: 200 }),
    }),
  );

  test("give arrays back", () => {
    fc.assert(
      fc.property(table, ({ names, rows, style: how, places }) => {
        const bytes = write(rows, { ...how, columns: names });
        const read = decode(cut(bytes, places), {
          header: how.header ? true : names.map((name) => name.toWellFormed()),
          delimiter: how.delimiter,
          unguardFormulas: how.guardFormulas,
        });
        const isOnly = names.length === 1;
        expect(read.thrown).toBeUndefined();
        expect(read.rows.map((row) => Object.entries(row as object).toSorted(byName))).toEqual(
          rows.map((row) =>
            row
              .map((cell, index) => [names[index]?.toWellFormed() ?? "", expected(cell, how.bytes, isOnly)] as const)
              .toSorted(byName),
          ),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  test("give objects back, and their columns, with nothing said", () => {
    fc.assert(
      fc.property(table, ({ names, rows, style: { delimiter: _d, header: _h, ...how }, places }) => {
        const objects = rows.map((row) =>
          Object.fromEntries(row.map((cell, index) => [names[index]?.toWellFormed() ?? "", cell])),
        );
        const read = decode(cut(write(objects, how), places), { unguardFormulas: how.guardFormulas });
        const isOnly = names.length === 1;
        expect(read.thrown).toBeUndefined();
        expect(read.rows.map((row) => Object.entries(row as object))).toEqual(
          objects.map((row) => Object.entries(row).map(([name, cell]) => [name, expected(cell, how.bytes, isOnly)])),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("any bytes give the same rows and errors for every split, and end", () => {
    const soup = fc.array(fc.constantFrom('"', '"', ",", "\r", "\n", "a", "\u00e9", "\u{1f600}", "\uFEFF", "bc"), {
      maxLength: 40,
    });
    const limits = fc.record({
      maxRecordBytes: fc.integer({ min: 1, max: 30 }),
      maxCellChars: fc.integer({ min: 1, max: 12 }),
      maxColumnCount: fc.integer({ min: 1, max: 4 }),
    });
    const places = fc.array(fc.nat(4), { maxLength: 60 });
    const broken = fc.uint8Array({ maxLength: 3 });
    fc.assert(
      fc.property(soup, broken, soup, limits, places, fc.boolean(), (before, bytes, behind, rules, cuts, hasHeader) => {
        const body = Uint8Array.of(...utf8(before.join("")), ...bytes, ...utf8(behind.join("")));
        const read = (chunks: readonly Uint8Array[]) => {
          const events: unknown[] = [];
          const { thrown } = decode(chunks, {
            header: hasHeader,
            badRows: "report",
            onRow: (row) => events.push(row),
            onBadRow: ({ row, line, text, error }) => events.push([row, line, text, error.message]),
            ...rules,
          });
          return { events, thrown: thrown instanceof Error ? thrown.message : thrown };
        };
        const whole = read([body]);
        expect(read(cut(body, cuts))).toEqual(whole);
        expect(read(Array.from(body, (byte) => Uint8Array.of(byte)))).toEqual(whole);
      }),
      { numRuns: 1_500 },
    );
  });
});

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
