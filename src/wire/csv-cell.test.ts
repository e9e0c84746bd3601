// Cells: the text of every kind of value, quotes, delimiters, the guard.

import { describe, expect, test } from "vitest";
import { cellWriter, type CellStyle } from "./csv-cell.ts";
import { isGuarded, unguarded } from "./csv-guard.ts";

function cell(value: unknown, style: Partial<CellStyle> = {}): string {
  return cellWriter({ delimiter: ",", guardFormulas: false, quoteAll: false, bytes: "base64", ...style })(value);
}

const refused = expect.objectContaining({ code: "encode_refused" });

describe("cellWriter", () => {
  test.each<readonly [string, unknown, string]>([
    ["null", null, ""],
    ["undefined", undefined, ""],
    ["the empty text", "", '""'],
    ["a text", "a b", "a b"],
    ["a comma", "a,b", '"a,b"'],
    ["a quote", 'a"b', '"a""b"'],
    ["quotes alone", '""', '""""""'],
    ["CR", "a\rb", '"a\rb"'],
    ["LF", "a\nb", '"a\nb"'],
    ["CRLF", "a\r\nb", '"a\r\nb"'],
    ["a space first", " a", '" a"'],
    ["a space last", "a ", '"a "'],
    ["a space alone", " ", '" "'],
    ["a byte-order mark first", "\uFEFFa", '"\uFEFFa"'],
    ["a byte-order mark later", "a\uFEFF", "a\uFEFF"],
    ["other delimiters", "a;b\tc|d", "a;b\tc|d"],
    ["other scripts", "\u00e9\u3042\u{1f600}", "\u00e9\u3042\u{1f600}"],
    ["an integer", 42, "42"],
    ["a negative number", -5, "-5"],
    ["a fraction", 0.1, "0.1"],
    ["a large number", 1e21, "1e+21"],
    ["minus zero", -0, "0"],
    ["NaN", Number.NaN, "NaN"],
    ["Infinity", -Infinity, "-Infinity"],
    ["a bigint", -9007199254740993n, "-9007199254740993"],
    ["true", true, "true"],
    ["false", false, "false"],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["a date that is none", new Date(Number.NaN), ""],
    ["bytes", Uint8Array.of(1, 2, 255), "AQL/"],
    ["a buffer", Uint8Array.of(1, 2, 255).buffer, "AQL/"],
    ["no bytes", new Uint8Array(0), '""'],
    ["an array", [1, "a"], '"[1,""a""]"'],
    ["an object", { a: null }, '"{""a"":null}"'],
    ["an object that writes itself as a text", { toJSON: () => "12.50" }, "12.50"],
    ["an object that writes itself as a hard text", { toJSON: () => 'a,"b"\n' }, '"a,""b""\n"'],
    ["an object that writes itself as nothing", { toJSON: () => "" }, '""'],
    ["a URL", new URL("http://test/?a=1,2"), '"http://test/?a=1,2"'],
  ])("writes %s", (_what, value, expected) => {
    expect(cell(value)).toBe(expected);
  });

  test("writes bytes as hex, and many bytes", () => {
    expect(cell(Uint8Array.of(0, 10, 255), { bytes: "hex" })).toBe("000aff");
    expect(cell(Uint8Array.of(0, 10, 255).buffer, { bytes: "hex" })).toBe("000aff");
    const many = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    expect(cell(many)).toBe(Buffer.from(many).toString("base64"));
  });

  test("finds what needs quotes at every place of a short and of a long text", () => {
    for (const size of [1, 2, 47, 48, 49, 200]) {
      for (const hard of [",", "\r", "\n"]) {
        for (const at of new Set([0, size >> 1, size - 1])) {
          const text = `${"x".repeat(at)}${hard}${"x".repeat(size - 1 - at)}`;
          expect(cell(text)).toBe(`"${text}"`);
        }
      }
      expect(cell("x".repeat(size))).toBe("x".repeat(size));
      expect(cell(`${"x".repeat(size)}"`)).toBe(`"${"x".repeat(size)}"""`);
    }
  });

  test.each([
    ";",
    "\t",
    "|",
    ":",
    ".",
    "-",
    "+",
    "1",
    "e",
    "T",
    "^",
    "]",
    "\\",
    "'",
    "=",
    "\u0001",
    "\u00a7",
    "\u3001",
  ])("quotes what holds the delimiter %j", (delimiter) => {
    expect(cell(`a${delimiter}b`, { delimiter })).toBe(`"a${delimiter}b"`);
    expect(cell("x,y", { delimiter })).toBe("x,y");
    for (const value of [-1.5, 1e21, 11n, true, new Date(0), [1]]) {
      const bare = cell(value, { delimiter: "\u0002" });
      const isBare = !bare.includes(delimiter) || bare.startsWith('"');
      expect(cell(value, { delimiter })).toBe(isBare ? bare : `"${bare}"`);
    }
  });

  test.each(["", ",,", '"', "\r", "\n", " ", "\uFEFF", "\ud83d", "\u{1f600}"])(
    "refuses the delimiter %j",
    (delimiter) => {
      expect(() => cell("a", { delimiter })).toThrow(
        expect.objectContaining({ code: "input_invalid", details: { field: "delimiter" } }),
      );
    },
  );

  test("quotes every cell but null with quoteAll", () => {
    const values = [null, undefined, "", "a", 1, 2n, true, new Date(0), [1], Uint8Array.of(1)];
    expect(values.map((value) => cell(value, { quoteAll: true })).join()).toBe(
      ',,"","a","1","2","true","1970-01-01T00:00:00.000Z","[1]","AQ=="',
    );
  });

  test("refuses what there is no text for", () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const throwing = {
      toJSON() {
        throw new Error("no");
      },
    };
    for (const value of [() => 1, Symbol("a"), cyclic, throwing, { a: 1n }, { toJSON: () => undefined }]) {
      expect(() => cell(value)).toThrow(refused);
    }
  });
});

describe("the guard against formulas", () => {
  const guarded = { guardFormulas: true };
  const signs = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20"];

  test.each(signs)("puts an apostrophe before a text that begins with %j, in quotes", (sign) => {
    expect(cell(`${sign}cmd|' /C calc'!A0`, guarded)).toBe(`"'${sign}cmd|' /C calc'!A0"`);
    expect(cell(sign, guarded)).toBe(`"'${sign}"`);
    expect(cell(`'${sign}1a`, guarded)).toBe(`"''${sign}1a"`);
    expect(cell(`a${sign === "\r" || sign === "\n" ? "" : sign}`, guarded)).not.toContain("'");
    expect(cell(`${sign}1a`)).not.toContain("'");
  });

  test("leaves numbers and dates alone, and texts that are a negative number if it is asked to", () => {
    const kept = { guardFormulas: "keep-numbers" } as const;
    for (const value of [-5, -0.5, -5n, -1e-7, -Infinity, new Date(-1e15)]) {
      expect(cell(value, guarded)).toBe(value instanceof Date ? value.toISOString() : String(value));
    }
    for (const text of ["-5", "-12.50", "-1e3", "-1.5E-3"]) {
      expect(cell(text, guarded)).toBe(`"'${text}"`);
      expect(cell(text, kept)).toBe(text);
    }
    for (const text of [
      "-",
      "--5",
      "-5-3",
      "-5+1",
      "-.5",
      "-5.",
      "-1e",
      "-5 ",
      "-5\n",
      "-0x1",
      "+5",
      "=-5",
      "-\u0661",
    ]) {
      expect(cell(text, guarded)).toMatch(/^"'/);
      expect(cell(text, kept)).toMatch(/^"'/);
    }
  });

  test("holds for texts that are made: bytes, JSON", () => {
    expect(cell({ toJSON: () => "=1+1" }, guarded)).toBe(`"'=1+1"`);
    expect(cell(Uint8Array.of(0xfb, 0xef, 0xbe), guarded)).toBe(`"'++++"`);
    expect(cell({ toJSON: () => "-12.50" }, { guardFormulas: "keep-numbers" })).toBe("-12.50");
  });

  test("leaves apostrophes alone that stand before no formula", () => {
    for (const text of ["'", "''", "'s-Hertogenbosch", "'tis"]) expect(cell(text, guarded)).toBe(text);
  });

  test("unguarded takes off what the guard put on, and nothing else", () => {
    const bodies = ["", "a", "'", "''", "=1", "-5", "-5x", "'=1", "''=1", "'-5", "''-5x", "\t", "'\u0000", "\uff1d"];
    for (const guard of [true, "keep-numbers"] as const) {
      for (const text of bodies) expect(unguarded(isGuarded(text, guard) ? `'${text}` : text)).toBe(text);
    }
    expect(unguarded("=1")).toBe("=1");
  });
});
