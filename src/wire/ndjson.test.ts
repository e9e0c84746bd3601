// NDJSON both ways: every split, line ends, the last row, bad rows and limits.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRowDecoder, DEFAULT_MAX_ROW_BYTES, encodeRow, type RowDecoderOptions } from "./ndjson.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function decode(chunks: Iterable<Uint8Array>, options: Partial<RowDecoderOptions> = {}): readonly unknown[] {
  const rows: unknown[] = [];
  const decoder = createRowDecoder({ onRow: (row) => rows.push(row), ...options });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return rows;
}

function* splits(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
    }
  }
}

function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

describe("encodeRow", () => {
  test("writes one line", () => {
    expect(encodeRow({ a: "x\r\ny\u2028" })).toBe('{"a":"x\\r\\ny\u2028"}\n');
    expect(encodeRow(null)).toBe("null\n");
    expect(encodeRow("")).toBe('""\n');
  });

  test("refuses what JSON has no text for", () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    for (const value of [undefined, () => 1, Symbol("a"), 1n, { a: 1n }, cyclic, { toJSON: () => undefined }]) {
      expect(() => encodeRow(value)).toThrow(expect.objectContaining({ code: "encode_refused" }));
    }
  });
});

describe("createRowDecoder", () => {
  const cases: readonly (readonly [string, string | Uint8Array, readonly unknown[]])[] = [
    ["LF", '{"a":1}\n[2]\n', [{ a: 1 }, [2]]],
    ["CRLF", '{"a":1}\r\n[2]\r\n', [{ a: 1 }, [2]]],
    ["a last row without LF", '{"a":1}\n[2]', [{ a: 1 }, [2]]],
    ["a last row with CR", "1\n2\r", [1, 2]],
    ["null rows", "null\nnull\n", [null, null]],
    ["false, 0 and empty strings", 'false\n0\n""\n', [false, 0, ""]],
    ["blank lines", "\n\r\n1\n \t\n\n2\n\n", [1, 2]],
    ["a byte-order mark at the start", "\ufeff1\n", [1]],
    ["a byte-order mark inside a string", '"\ufeff"\n', ["\ufeff"]],
    ["U+2028 and U+2029 inside strings", '"a\u2028b\u2029c"\n2\n', ["a\u2028b\u2029c", 2]],
    ["characters of 2 to 4 bytes", '"\u00e9\u3042\u{1f600}"\n"\u3042"', ["\u00e9\u3042\u{1f600}", "\u3042"]],
    ["a CR between tokens", "[1,\r2]\n3\n", [[1, 2], 3]],
    ["invalid UTF-8 inside a string", Uint8Array.of(0x22, 0xff, 0xe3, 0x81, 0x22, 0x0a, 0x31), ["\ufffd\ufffd", 1]],
    ["nothing", "", []],
    ["blank lines alone", "\n\n \n", []],
  ];
  for (const [name, input, rows] of cases) {
    test(`${name}: same under every split`, () => {
      const bytes = typeof input === "string" ? utf8(input) : input;
      for (const chunks of splits(bytes)) expect(decode(chunks)).toEqual(rows);
    });
  }

  test("same rows for any values, cut anywhere", () => {
    fc.assert(
      fc.property(
        fc.array(fc.json()),
        fc.constantFrom("\n", "\r\n"),
        fc.integer({ min: 1, max: 700 }),
        (rows, end, size) => {
          const bytes = utf8(rows.map((row) => row + end).join(""));
          expect(decode(chunksOf(bytes, size))).toEqual(rows.map((row) => JSON.parse(row) as unknown));
        },
      ),
    );
  });

  test("reads back what encodeRow wrote", () => {
    const rows = [{ a: "x\ny" }, null, [1, "\u3042"], "\u2028"];
    expect(decode([utf8(rows.map(encodeRow).join(""))])).toEqual(rows);
  });

  test("stops at a bad row with its number, under every split", () => {
    for (const chunks of splits(utf8("1\n\n{bad\n3\n"))) {
      const rows: unknown[] = [];
      const decoder = createRowDecoder({ onRow: (row) => rows.push(row) });
      const failed: unknown = expect.objectContaining({ code: "decode_failed", details: { row: 2, line: 3 } });
      expect(() => {
        for (const chunk of chunks) decoder.push(chunk);
      }).toThrow(failed);
      expect(rows).toEqual([1]);
      expect(() => decoder.push(utf8("4\n"))).toThrow(failed);
      decoder.end();
      expect(rows).toEqual([1]);
    }
  });

  test("finds a row that was cut off at the end", () => {
    for (const chunks of splits(utf8('1\n{"a":'))) {
      expect(() => decode(chunks)).toThrow(
        expect.objectContaining({ code: "decode_failed", details: { row: 2, line: 2 } }),
      );
    }
  });

  test("a byte-order mark that is cut off at the end is a bad row", () => {
    for (const chunks of splits(Uint8Array.of(0xef, 0xbb))) {
      expect(() => decode(chunks)).toThrow(expect.objectContaining({ code: "decode_failed" }));
    }
    expect(decode([Uint8Array.of(0xef, 0xbb, 0xbf)])).toEqual([]);
  });

  test("a byte-order mark in the middle is a bad row", () => {
    expect(() => decode([utf8("1\n\ufeff2\n")])).toThrow(expect.objectContaining({ code: "decode_failed" }));
  });

  test("passes rows at the limit and refuses one past it, under every split", () => {
    for (const row of ['"123"', '"\u3042"', "1   \r"]) {
      expect(utf8(row)).toHaveLength(5);
      for (const chunks of splits(utf8(`1\n${row}\n${row}`))) {
        expect(decode(chunks, { maxRowBytes: 5 })).toHaveLength(3);
        const rows: unknown[] = [];
        expect(() => decode(chunks, { maxRowBytes: 4, onRow: (value) => rows.push(value) })).toThrow(
          expect.objectContaining({ code: "limit_exceeded", details: { maxRowBytes: 4 } }),
        );
        expect(rows).toEqual([1]);
      }
    }
  });

  test("takes one long row in small chunks, up to 16 MiB by default", () => {
    const row = `"${"x".repeat(DEFAULT_MAX_ROW_BYTES - 2)}"`;
    expect(decode(chunksOf(utf8(`${row}\n`), 16_384))).toHaveLength(1);
    expect(() => decode(chunksOf(utf8(`${row} \n`), 16_384))).toThrow(
      expect.objectContaining({ code: "limit_exceeded" }),
    );
  });

  test("delivers the rest when onRow throws, then throws", () => {
    const rows: unknown[] = [];
    const decoder = createRowDecoder({
      onRow: (row) => {
        rows.push(row);
        if (row === 1) throw new Error("mine");
      },
    });
    expect(() => decoder.push(utf8("1\n2\n3"))).toThrow("mine");
    decoder.end();
    expect(rows).toEqual([1, 2, 3]);
    expect(() => decoder.push(utf8("4\n"))).toThrow(expect.objectContaining({ code: "closed" }));
  });

  test("throws from end() what onRow threw for the last row", () => {
    const decoder = createRowDecoder({
      onRow: () => {
        throw new Error("mine");
      },
    });
    decoder.push(utf8("1"));
    expect(() => decoder.end()).toThrow("mine");
    decoder.end();
  });

  test("tells nothing after end() was called inside onRow", () => {
    const rows: unknown[] = [];
    const decoder = createRowDecoder({
      onRow: (row) => {
        rows.push(row);
        decoder.end();
      },
    });
    decoder.push(utf8("1\n2\n3"));
    decoder.end();
    expect(rows).toEqual([1]);
  });
});
