// The encoder: headers, columns, objects and arrays, line ends, what is refused.

import { describe, expect, test } from "vitest";
import { createCsvEncoder, type CsvOptions } from "./csv-encode.ts";

function encode<Row>(rows: readonly Row[], options: CsvOptions<Row> = {}): string {
  const encoder = createCsvEncoder<Row>(options);
  return encoder.open() + rows.map((row) => encoder.encode(row)).join("");
}

const refused = expect.objectContaining({ code: "encode_refused" });

describe("createCsvEncoder", () => {
  test("takes the columns from the first object", () => {
    expect(encode([{ a: 1, b: "x" }, { b: "y", a: 2 }, { a: 3 }])).toBe("a,b\r\n1,x\r\n2,y\r\n3,\r\n");
  });

  test("refuses a property that the first object did not have", () => {
    const encoder = createCsvEncoder();
    encoder.encode({ a: 1, b: 2 });
    for (const row of [{ a: 1, c: 2 }, { a: 1, b: 2, c: 3 }, { c: 3 }]) {
      expect(() => encoder.encode(row)).toThrow(
        expect.objectContaining({ code: "encode_refused", details: { column: "c" } }),
      );
    }
    expect(encode([{ a: 1 }, { a: 2, b: 3 }], { columns: ["a"] })).toBe("a\r\n1\r\n2\r\n");
  });

  test("takes columns by name, by key and by function", () => {
    const columns: CsvOptions<{ id: number; price: number }>["columns"] = [
      "id",
      { header: "Price, net", key: "price" },
      { header: "gross", value: (row) => row.price * 2 },
      { header: "none" },
    ];
    expect(encode([{ id: 1, price: 4 }], { columns })).toBe('id,"Price, net",gross,none\r\n1,4,8,\r\n');
  });

  test("takes the cells of an array, by their places", () => {
    expect(encode([[1, null, "a,b"], [2]])).toBe('1,,"a,b"\r\n2\r\n');
    const columns = ["a", { header: "sum", value: (row: readonly number[]) => row.length }, "c"];
    expect(encode([[1, 2, 3, 4]], { columns })).toBe("a,sum,c\r\n1,4,3\r\n");
    expect(encode([[1]], { columns: ["a", "b"], header: false })).toBe("1,\r\n");
  });

  test("writes the header at once if it knows it, and with the first row if not", () => {
    const known = createCsvEncoder({ columns: ["a"], bom: true });
    expect([known.open(), known.open(), known.encode({ a: 1 })]).toEqual(["\uFEFFa\r\n", "", "1\r\n"]);
    const unknown = createCsvEncoder({ bom: true });
    expect([unknown.open(), unknown.open(), unknown.encode({ a: 1 }), unknown.encode({ a: 2 })]).toEqual([
      "\uFEFF",
      "",
      "a\r\n1\r\n",
      "2\r\n",
    ]);
    expect(createCsvEncoder({ columns: ["a"], bom: true }).encode({ a: 1 })).toBe("\uFEFFa\r\n1\r\n");
    expect(createCsvEncoder({ bom: true }).encode({ a: 1 })).toBe("\uFEFFa\r\n1\r\n");
    expect(encode([], { columns: ["a"] })).toBe("a\r\n");
    expect(encode([], { columns: ["a"], header: false })).toBe("");
    expect(encode([{ a: 1 }], { header: false, bom: true })).toBe("\uFEFF1\r\n");
  });

  test("writes headers like cells, the guard too", () => {
    const names = ["=1+1", 'a"b', "a,b", "a\nb", "", " a", "-5", "__proto__", "constructor"];
    expect(encode([], { columns: names, guardFormulas: true })).toBe(
      '"\'=1+1","a""b","a,b","a\nb",""," a","\'-5",__proto__,constructor\r\n',
    );
    expect(encode([{ "=a": "=b" }], { guardFormulas: true })).toBe(`"'=a"\r\n"'=b"\r\n`);
  });

  test("reads a column of a hostile name from the row itself only", () => {
    const columns = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    expect(encode([{}, JSON.parse('{"__proto__":1,"toString":2}') as object], { columns, header: false })).toBe(
      ",,,\r\n1,,2,\r\n",
    );
    const rows = [JSON.parse('{"__proto__":1,"a":2}'), { a: 3 }] as object[];
    expect(encode(rows)).toBe("__proto__,a\r\n1,2\r\n,3\r\n");
    expect(encode([Object.assign(Object.create(null) as object, { a: 1 })])).toBe("a\r\n1\r\n");
  });

  test.each(["\r\n", "\n"] as const)("ends records with %j and quotes every line end in a cell", (lineEnd) => {
    const row = ["a\rb", "a\nb", "a\r\nb", "\n", "a\r"];
    expect(encode([row], { lineEnd })).toBe(`"a\rb","a\nb","a\r\nb","\n","a\r"${lineEnd}`);
  });

  test("writes no blank line for a table of one column", () => {
    for (const empty of [null, undefined, "", new Date(Number.NaN)]) {
      expect(encode([{ a: empty }])).toBe('a\r\n""\r\n');
      expect(encode([[empty]])).toBe('""\r\n');
      expect(encode([{ a: empty }], { columns: ["a"], bom: true, header: false })).toBe('\uFEFF""\r\n');
      expect(encode([{ a: empty }], { quoteAll: true, header: false })).toBe('""\r\n');
    }
    expect(encode([[null, null]])).toBe(",\r\n");
    expect(encode([{ "": null }])).toBe('""\r\n""\r\n');
  });

  test("keeps a byte-order mark that is part of the first cell", () => {
    expect(encode([["\uFEFFa", "\uFEFF"]])).toBe('"\uFEFFa","\uFEFF"\r\n');
    expect(encode([], { columns: ["\uFEFFid"] })).toBe('"\uFEFFid"\r\n');
  });

  test("hands the style on to the cells", () => {
    const row = { a: "=1", b: Uint8Array.of(255), c: null };
    expect(encode([row], { delimiter: ";", guardFormulas: true, quoteAll: true, bytes: "hex", lineEnd: "\n" })).toBe(
      '"a";"b";"c"\n"\'=1";"ff";\n',
    );
    const undefinedStyle = { delimiter: undefined, guardFormulas: undefined, quoteAll: undefined, bytes: undefined };
    expect(encode([row], undefinedStyle as object)).toBe("a,b,c\r\n=1,/w==,\r\n");
  });

  test("refuses rows that are none, of another kind than the first, or without cells", () => {
    for (const row of [null, undefined, 1, "a", () => 1]) expect(() => encode([row])).toThrow(refused);
    expect(() => encode<unknown>([{ a: 1 }, [1]])).toThrow(refused);
    expect(() => encode<unknown>([[1], { a: 1 }], { columns: ["a"] })).toThrow(refused);
    expect(() => encode([[]])).toThrow(refused);
    expect(() => encode([{}])).toThrow(refused);
    expect(() => encode([{ a: () => 1 }])).toThrow(refused);
  });

  test("begins with the next row when the first is refused", () => {
    const encoder = createCsvEncoder();
    expect(() => encoder.encode({ a: Symbol("a") })).toThrow(refused);
    expect(encoder.encode({ b: 1 })).toBe("b\r\n1\r\n");
  });

  test("refuses options that cannot be", () => {
    const invalid = (field: string) => expect.objectContaining({ code: "input_invalid", details: { field } });
    expect(() => createCsvEncoder({ columns: [] })).toThrow(invalid("columns"));
    expect(() => createCsvEncoder({ lineEnd: "\r" as never })).toThrow(invalid("lineEnd"));
    expect(() => createCsvEncoder({ delimiter: "ab" })).toThrow(invalid("delimiter"));
  });

  test("throws what the function of a column throws", () => {
    const value = () => {
      throw new RangeError("no");
    };
    expect(() => encode([{}], { columns: [{ header: "a", value }] })).toThrow(RangeError);
  });
});
