// What the decoder does about bad rows and at its limits: one answer for every split, and none that takes a row from the next record.

import { describe, expect, test, vi } from "vitest";
import { isTailraceError } from "../errors.ts";
import { createCsvDecoder, type CsvDecoderOptions } from "./csv-decode.ts";
import { decode, type DecodeOptions, splits, utf8 } from "./csv.test-support.ts";
import type { BadRow } from "./ndjson.ts";
import type { StandardSchema } from "./standard-schema.ts";

function report(chunks: readonly Uint8Array[], options: DecodeOptions = {}): unknown[] {
  const events: unknown[] = [];
  const onBadRow = ({ row, line, text, error }: BadRow) => events.push([row, line, text, error.code]);
  const decoder = createCsvDecoder<unknown>({
    onRow: (row) => events.push(Array.isArray(row) ? row.join("|") : row),
    badRows: "report",
    onBadRow,
    ...options,
  });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return events;
}

const arrays: DecodeOptions = { header: false };

describe("createCsvDecoder with bad rows", () => {
  test.each<readonly [string, string, DecodeOptions, unknown[]]>([
    ["text behind a quoted cell", 'a\n"b"x,"c\nd"\ne\n', arrays, ["a", [2, 2, '"b"x,"c\nd"', "decode_failed"], "e"]],
    ["a space behind a quoted cell", '"b" ,c\ne', arrays, [[1, 1, '"b" ,c', "decode_failed"], "e"]],
    ["quotes behind a quoted cell", '"b"x"y,z"\ne', arrays, [[1, 1, '"b"x"y,z"', "decode_failed"], "e"]],
    ["a bad last row", 'e\n"b"x', arrays, ["e", [2, 2, '"b"x', "decode_failed"]]],
    [
      "fewer and more cells than the header",
      "a,b\r\n1,2\r\n\r\n3\r\n4,5,6\r\n7,8\r\n",
      {},
      [{ a: "1", b: "2" }, [2, 4, "3", "decode_failed"], [3, 5, "4,5,6", "decode_failed"], { a: "7", b: "8" }],
    ],
    [
      "lines in quotes, which count",
      'a\r\n"1\r\n\r\n2"\r\n3,3\r\n',
      {},
      [{ a: "1\r\n\r\n2" }, [2, 5, "3,3", "decode_failed"]],
    ],
  ])("goes on behind %s, in every split", (_what, body, options, events) => {
    for (const chunks of splits(utf8(body))) expect(report(chunks, options)).toEqual(events);
    const skipped = decode([utf8(body)], { badRows: "skip", ...options });
    expect(skipped.thrown).toBeUndefined();
    expect(skipped.rows).toHaveLength(events.filter((event) => !Array.isArray(event)).length);
    const { rows, thrown } = decode([utf8(body)], options);
    const firstBad = events.findIndex((event) => Array.isArray(event));
    expect(rows).toHaveLength(firstBad);
    const [row, line] = events[firstBad] as [number, number];
    expect(thrown).toMatchObject({ code: "decode_failed", details: { row, line } });
    expect((thrown as Error).message).toMatch(new RegExp(`^Row ${row} \\(line ${line}\\) has `));
  });

  test("shows the first 200 characters of a bad row", () => {
    const body = utf8(`"${"\u3042".repeat(300)}"x\n`);
    for (const size of [1, 7, 100, 10_000]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < body.length; at += size) chunks.push(body.subarray(at, at + size));
      expect(report(chunks, arrays)).toEqual([[1, 1, `"${"\u3042".repeat(199)}`, "decode_failed"]]);
    }
  });

  test("throws truncated at a quoted cell that never ends, whatever bad rows do", () => {
    for (const body of ['a\n"b', 'a\n"b,c\nd\n', 'a\n"b""', 'a\n"', `a\nx,"${"y\n".repeat(50)}`]) {
      for (const options of [{}, { badRows: "skip" }, { badRows: "skip", maxRecordBytes: 20 }] as const) {
        const { rows, thrown } = decode([utf8(body)], { ...arrays, ...options });
        expect(rows).toEqual([["a"]]);
        expect(thrown).toMatchObject({ code: "truncated", details: { line: 2 } });
      }
    }
  });

  test("throws at a bad header, whatever bad rows do", () => {
    for (const [body, options, code] of [
      ['"a"x\nb\n', {}, "decode_failed"],
      ["aaaa\nb\n", { maxRecordBytes: 3 }, "limit_exceeded"],
      ["a,b,c\nb\n", { maxColumnCount: 2 }, "limit_exceeded"],
    ] as const) {
      const { rows, thrown } = decode([utf8(body)], { badRows: "skip", ...options });
      expect(rows).toEqual([]);
      expect(thrown).toMatchObject({ code, details: { line: 1 } });
    }
  });

  test("throws the same error again, and onBadRow's when the call is done", () => {
    const decoder = createCsvDecoder({ onRow: () => undefined });
    const thrown: unknown[] = [];
    for (const part of ["a\n1,2\n", "3\n", "4\n"]) {
      try {
        decoder.push(utf8(part));
      } catch (error) {
        thrown.push(error);
      }
    }
    expect(thrown).toHaveLength(3);
    expect(new Set(thrown).size).toBe(1);
    decoder.end();
    const onBadRow = () => {
      throw new Error("stop");
    };
    const { rows, thrown: stopped } = decode([utf8("a\n1,2\n3\n")], { badRows: "report", onBadRow });
    expect(rows).toEqual([{ a: "3" }]);
    expect(stopped).toEqual(new Error("stop"));
  });
});

describe("createCsvDecoder with a schema", () => {
  const schema: StandardSchema<number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(row) {
        const { id } = row as { id: string };
        if (id === "throw") throw new RangeError("schema");
        return /^\d+$/.test(id) ? { value: Number(id) } : { issues: [{ message: "id is no number" }] };
      },
    },
  };

  test("delivers what the schema makes, and treats what it refuses as a bad row", () => {
    expect(report([utf8('id\n1\n"x"\n2\n')], { schema })).toEqual([1, [2, 3, '"x"', "decode_failed"], 2]);
    const { thrown } = decode([utf8("id\nx\n")], { schema });
    expect(thrown).toMatchObject({
      code: "decode_failed",
      details: { row: 1, line: 2 },
      message: "Row 1 (line 2) was refused by the schema: id is no number",
    });
  });

  test("ends at what the schema throws, whatever bad rows do", () => {
    const { rows, thrown } = decode([utf8("id\n1\nthrow\n2\n")], { schema, badRows: "skip" });
    expect(rows).toEqual([1]);
    expect(isTailraceError(thrown, "decode_failed") && thrown.cause).toBeInstanceOf(RangeError);
    const later: StandardSchema = {
      "~standard": { version: 1, vendor: "test", validate: async () => ({ value: 1 }) },
    };
    expect(decode([utf8("id\n1\n")], { schema: later, badRows: "skip" }).thrown).toMatchObject({
      code: "input_invalid",
    });
  });
});

describe("createCsvDecoder at its limits, in every split,", () => {
  const bad = (text: string) => [2, 2, text, "limit_exceeded"];
  test.each<readonly [string, string, string, DecodeOptions]>([
    ["maxRecordBytes: a bare record", "abc,de", "abc,def", { maxRecordBytes: 6 }],
    ["maxRecordBytes: a quoted record", '"a\nb"', '"a\nb",', { maxRecordBytes: 5 }],
    ["maxRecordBytes: a quoted record, LF in it behind the limit", '"ab"', '"ab\n1\n2\n"', { maxRecordBytes: 4 }],
    ["maxRecordBytes: characters of 3 bytes", "\u3042\u3042", "\u3042\u3042a", { maxRecordBytes: 6 }],
    ["maxRecordBytes: characters of 4 bytes", "\u{1f600}a", "\u{1f600}\u00e9", { maxRecordBytes: 5 }],
    ["maxRecordBytes over text behind a quoted cell", '"a"', '"a"x', { maxRecordBytes: 3 }],
    ["maxCellChars: a bare cell", "abc,d", "abcd,e", { maxCellChars: 3 }],
    ["maxCellChars: a quoted cell, its quotes not counted", '"a""b"', '"a""bc"', { maxCellChars: 3 }],
    ["maxColumnCount: bare cells", "a,b", "a,b,", { maxColumnCount: 2 }],
    ["maxColumnCount: quoted cells", '"a","b"', '"a","b","c"', { maxColumnCount: 2 }],
  ])("keeps to %s", (_what, within, beyond, options) => {
    for (const end of ["\n", "\r\n"]) {
      const body = utf8(`${[within, beyond, within].join(end)}${end}`);
      const line = 2 + (within.split("\n").length - 1);
      const rest = decode([utf8(within)], arrays).rows.map((row) => (row as string[]).join("|"))[0];
      const event = [2, line, bad(beyond)[2], "limit_exceeded"];
      for (const chunks of splits(body)) {
        expect(report(chunks, { ...arrays, ...options })).toEqual([rest, event, rest]);
      }
      const { rows, thrown } = decode([body], { ...arrays, ...options });
      expect(rows).toHaveLength(1);
      const [name, limit] = Object.entries(options)[0] as [string, number];
      expect(thrown).toMatchObject({ code: "limit_exceeded", details: { row: 2, [name]: limit } });
    }
  });

  test("keeps to maxRowCount and maxTotalBytes, whatever bad rows do", () => {
    const body = utf8("a\n1\nx,y\n3\n");
    for (const chunks of splits(body)) {
      const three = decode(chunks, { badRows: "skip", maxRowCount: 3, maxTotalBytes: body.length });
      expect(three).toEqual({ rows: [{ a: "1" }, { a: "3" }], thrown: undefined });
      const two = decode(chunks, { badRows: "skip", maxRowCount: 2 });
      expect(two.rows).toEqual([{ a: "1" }]);
      expect(two.thrown).toMatchObject({ code: "limit_exceeded", details: { maxRowCount: 2 } });
      const short = decode(chunks, { badRows: "skip", maxTotalBytes: body.length - 1 });
      expect(short.rows).toEqual([{ a: "1" }]);
      expect(short.thrown).toMatchObject({ code: "limit_exceeded", details: { maxTotalBytes: body.length - 1 } });
    }
  });

  test("holds no more than the limit of a record that has no end", () => {
    const onRow = vi.fn<CsvDecoderOptions["onRow"]>();
    const decoder = createCsvDecoder({ onRow, badRows: "skip", maxRecordBytes: 1_000_000 });
    const chunk = utf8(`${'x,""'.repeat(16_000)}\n`);
    decoder.push(utf8("a\n"));
    decoder.push(utf8('"'));
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 2_000; count++) decoder.push(chunk);
    // 192 MB have gone through. What of them is not collected yet depends on the machine.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(120_000_000);
    decoder.push(utf8('"\nb\n'));
    decoder.end();
    expect(onRow).toHaveBeenCalledExactlyOnceWith({ a: "b" });
  });
});
