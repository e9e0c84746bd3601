// The decoder: the grammar in every split, line ends, headers, nulls, the shape of rows.

import { describe, expect, test } from "vitest";
import { createCsvDecoder } from "./csv-decode.ts";
import { decode, type DecodeOptions, splits, utf8 } from "./csv.test-support.ts";

const arrays: DecodeOptions = { header: false };

type Case = readonly [
  what: string,
  body: string | Uint8Array,
  rows: readonly (readonly (string | null)[])[],
  options?: DecodeOptions,
];

describe("createCsvDecoder, in every split,", () => {
  const cases: readonly Case[] = [
    [
      "CRLF",
      "a,b\r\nc,d\r\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "LF",
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "CR",
      "a,b\rc,d\r",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["all three", "a\r\nb\nc\rd", [["a"], ["b"], ["c"], ["d"]]],
    [
      "no last line end",
      "a,b\r\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["blank lines", "\r\n\na\n\r\n\r\rb\n\n", [["a"], ["b"]]],
    ["an empty body", "", []],
    ["a byte-order mark alone", "\uFEFF", []],
    ["a byte-order mark before a quoted cell", '\uFEFF"a",b\n', [["a", "b"]]],
    ["a second byte-order mark", "\uFEFF\uFEFFa\n\uFEFFb\n", [["\uFEFFa"], ["\uFEFFb"]]],
    ["a quoted byte-order mark", '"\uFEFFa"\n', [["\uFEFFa"]]],
    [
      "bare cells with nothing in them",
      ",\n,,\na,\n,a",
      [
        [null, null],
        [null, null, null],
        ["a", null],
        [null, "a"],
      ],
    ],
    ["quoted cells with nothing in them", '""\n"",""\n,"",\n', [[""], ["", ""], [null, "", null]]],
    ["nulls: never", ',""\n', [["", ""]], { nulls: "never" }],
    [
      "quoted cells",
      '"a","b"\r\n"c","d"',
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "quoted and bare cells",
      'a,"b",c\n"d",e,"f"\n',
      [
        ["a", "b", "c"],
        ["d", "e", "f"],
      ],
    ],
    ["delimiters and line ends in quotes", '"a,b","c\r\nd","e\nf","g\rh"\n', [["a,b", "c\r\nd", "e\nf", "g\rh"]]],
    ["doubled quotes", '"a""b","""","""""",""""""\n', [['a"b', '"', '""', '""']]],
    ["doubled quotes at the ends", '"""a""","""",x\n', [['"a"', '"', "x"]]],
    ["quotes in the middle of a bare cell", 'a"b,c""d, "e"\nx"\n', [['a"b', 'c""d', ' "e"'], ['x"']]],
    ["quotes over a line end that stand in a bare cell", 'a"\nb"\n', [['a"'], ['b"']]],
    ["spaces, which are text", " a , b \n", [[" a ", " b "]]],
    [
      "characters of 2 to 4 bytes",
      '\u00e9,\u3042\n"\u{1f600},",x\u00e9',
      [
        ["\u00e9", "\u3042"],
        ["\u{1f600},", "x\u00e9"],
      ],
    ],
    ["NUL, U+2028, vertical tab", "a\0b,c\u2028d,e\vf\n", [["a\0b", "c\u2028d", "e\vf"]]],
    [
      "bytes that are no UTF-8",
      Uint8Array.of(0x61, 0xff, 0x2c, 0xe3, 0x81, 0x0a, 0xc3),
      [["a\uFFFD", "\uFFFD"], ["\uFFFD"]],
    ],
    [
      "another delimiter",
      'a;b,c\n"d;e";f\n',
      [
        ["a", "b,c"],
        ["d;e", "f"],
      ],
      { delimiter: ";" },
    ],
    ["TAB as delimiter", "a\tb c\n", [["a", "b c"]], { delimiter: "\t" }],
    ["a delimiter of two bytes", "a\u00a7b\n", [["a", "b"]], { delimiter: "\u00a7" }],
    ["a last cell with nothing in it", "a,b,\n", [["a", "b", null]]],
    ["a last delimiter at the end", "a,", [["a", null]]],
    ["a last quoted cell at the end", 'a,"b"', [["a", "b"]]],
  ];
  test.each(cases.map(([what, ...rest]) => [what, rest] as const))("reads %s", (_what, [body, rows, options]) => {
    const bytes = typeof body === "string" ? utf8(body) : body;
    for (const chunks of splits(bytes)) {
      expect(decode(chunks, { ...arrays, ...options })).toEqual({ rows, thrown: undefined });
    }
  });

  test("gives objects by the header", () => {
    const bytes = utf8('\uFEFFid,"na,me","",=x\r\n1,"a\r\nb",,"y"\r\n');
    for (const chunks of splits(bytes)) {
      expect(decode(chunks)).toEqual({
        rows: [{ id: "1", "na,me": "a\r\nb", "": null, "=x": "y" }],
        thrown: undefined,
      });
    }
  });
});

describe("createCsvDecoder", () => {
  test("makes every name of the header an own property, hostile ones too", () => {
    const { rows } = decode([utf8("__proto__,constructor,toString,a\n1,2,3,4\n,,,\n")]);
    expect(rows.map((row) => Object.entries(row as object))).toEqual([
      [
        ["__proto__", "1"],
        ["constructor", "2"],
        ["toString", "3"],
        ["a", "4"],
      ],
      [
        ["__proto__", null],
        ["constructor", null],
        ["toString", null],
        ["a", null],
      ],
    ]);
    for (const row of rows) expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  test("takes the names from a list, and all records as rows then", () => {
    expect(decode([utf8("1,2\n3,4\n")], { header: ["a", "b"] }).rows).toEqual([
      { a: "1", b: "2" },
      { a: "3", b: "4" },
    ]);
  });

  test("keeps the columns that are asked for, under the names that are asked for", () => {
    const body = [utf8("id,x,name,x\n1,2,n,3\n")];
    expect(decode(body, { columns: ["name", { header: "id", key: "key" }] }).rows).toEqual([{ name: "n", key: "1" }]);
    expect(decode(body, { header: ["a", "b", "c", "d"], columns: [{ header: "d" }] }).rows).toEqual([
      { d: "x" },
      { d: "3" },
    ]);
  });

  test.each<readonly [string, string, DecodeOptions, string]>([
    ["a name that comes twice", "a,b,a\n", {}, "a"],
    ["two without a name", "a,,\n", {}, ""],
    ["a column that is not there", "a,b\n", { columns: ["c"] }, "c"],
    ["a column that comes twice", "a,a\n", { columns: ["a"] }, "a"],
    ["two columns of one key", "a,b\n", { columns: ["a", { header: "b", key: "a" }] }, "a"],
  ])("refuses a header with %s, whatever bad rows do", (_what, body, options, column) => {
    for (const badRows of ["throw", "skip"] as const) {
      const { rows, thrown } = decode([utf8(`${body}1,2\n`)], { badRows, ...options });
      expect(rows).toEqual([]);
      expect(thrown).toMatchObject({ code: "decode_failed", details: { column } });
    }
  });

  test("names the column that is refused, but not all of a long one", () => {
    const long = "x".repeat(10_000);
    const { thrown } = decode([utf8(`${long},${long}\n`)]);
    expect((thrown as Error).message.length).toBeLessThan(300);
  });

  test("takes off what the guard has put on, in the header too", () => {
    const body = [utf8(`'=h,b\n"'=1+1",'-5\n"''@x",''\n'a,\n`)];
    expect(decode(body, { unguardFormulas: true }).rows).toEqual([
      { "=h": "=1+1", b: "-5" },
      { "=h": "'@x", b: "''" },
      { "=h": "'a", b: null },
    ]);
    expect(decode(body).rows).toContainEqual({ "'=h": "'=1+1", b: "'-5" });
  });

  test("delivers the rest of the bytes behind an onRow that throws, then throws the first", () => {
    const seen: unknown[] = [];
    const decoder = createCsvDecoder({
      header: false,
      onRow([cell]) {
        seen.push(cell);
        if (cell !== "c") throw new Error(cell ?? "");
      },
    });
    expect(() => decoder.push(utf8("a\nb\nc\n"))).toThrow("a");
    expect(seen).toEqual(["a", "b", "c"]);
    decoder.push(utf8("d"));
    expect(() => decoder.end()).toThrow("d");
    decoder.end();
  });

  test("end() inside onRow ends the delivery, and push() inside it is refused", () => {
    const seen: unknown[] = [];
    const decoder = createCsvDecoder({
      header: false,
      onRow([cell]) {
        seen.push(cell);
        expect(() => decoder.push(utf8("x\n"))).toThrow(expect.objectContaining({ code: "input_invalid" }));
        if (cell === "b") decoder.end();
      },
    });
    decoder.push(utf8('a\nb\nc\n"d'));
    expect(seen).toEqual(["a", "b"]);
    expect(() => decoder.push(utf8("e\n"))).toThrow(expect.objectContaining({ code: "closed" }));
    decoder.end();
    expect(seen).toHaveLength(2);
  });

  test("reads chunks larger than a piece, and keeps no piece of the caller's buffer", () => {
    const row = `${"\u00e9".repeat(999)},"${"x,".repeat(1000)}"\n`;
    const bytes = utf8(row.repeat(300));
    const { rows, thrown } = decode([bytes], arrays);
    expect(thrown).toBeUndefined();
    expect(rows).toHaveLength(300);
    for (const cells of rows) expect(cells).toEqual(["\u00e9".repeat(999), "x,".repeat(1000)]);

    const seen: unknown[] = [];
    const decoder = createCsvDecoder({ header: false, onRow: (cells) => seen.push(cells) });
    const buffer = new Uint8Array(4);
    for (const part of ["\u00e9,\u3042"[0] as string, ",", "\u3042"]) {
      for (const byte of utf8(part)) {
        buffer.fill(byte);
        decoder.push(buffer.subarray(0, 1));
      }
    }
    buffer.fill(0);
    decoder.end();
    expect(seen).toEqual([["\u00e9", "\u3042"]]);
  });

  test("refuses options that cannot be", () => {
    const invalid = expect.objectContaining({ code: "input_invalid" });
    const make = (options: DecodeOptions) => () => createCsvDecoder({ onRow: () => undefined, ...options });
    for (const limit of [0, -1, Number.NaN]) {
      expect(make({ maxRecordBytes: limit })).toThrow(invalid);
      expect(make({ maxCellChars: limit })).toThrow(invalid);
      expect(make({ maxColumnCount: limit })).toThrow(invalid);
      expect(make({ maxTotalBytes: limit })).toThrow(invalid);
      expect(make({ maxRowCount: limit })).toThrow(invalid);
    }
    expect(make({ badRows: "report" })).toThrow(invalid);
    expect(make({ delimiter: '"' })).toThrow(invalid);
    expect(make({ header: false, columns: ["a"] })).toThrow(invalid);
    expect(make({ header: ["a", "a"] })).toThrow(invalid);
    expect(make({ header: ["a"], columns: ["b"] })).toThrow(invalid);
  });
});
