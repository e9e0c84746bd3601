// The row decoder's choices: bad rows, limits of the whole; each under every split.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BadRow, createRowDecoder, type RowOptions } from "./ndjson.ts";
import { chunksOf, decode, splits, utf8 } from "./ndjson.test-support.ts";

const CORPUS = '\ufeff{"a":"é\u2028"}\r\nnull\n\n{bad\n \t\r\n"a string that is long"\n"😀あ"\nfalse\n]\n[1,\r2]\n12';

describe("createRowDecoder and bad rows", () => {
  const good = [{ a: "é\u2028" }, null, "😀あ", false, [1, 2], 12];
  const bad = [
    { row: 3, line: 4, text: "{bad" },
    { row: 7, line: 9, text: "]" },
  ];

  test("skip passes them over, report tells of each, under every split", () => {
    const whole = [...good.slice(0, 2), "a string that is long", ...good.slice(2)];
    for (const chunks of splits(CORPUS)) {
      expect(decode(chunks, { badRows: "skip" })).toMatchObject({ rows: whole, bad: [], thrown: undefined });
      expect(decode(chunks, { badRows: "report" })).toMatchObject({ rows: whole, bad, thrown: undefined });
    }
  });

  test("a row that is too large is one of them, and what follows is read, under every split", () => {
    const large = { row: 4, line: 6, text: '"a string that ' };
    for (const chunks of splits(CORPUS)) {
      expect(decode(chunks, { badRows: "skip", maxRowBytes: 14 }).rows).toEqual(good);
      const outcome = decode(chunks, { badRows: "report", maxRowBytes: 14 });
      expect(outcome.rows).toEqual(good);
      expect(outcome.bad).toEqual([bad[0], large, bad[1]]);
      expect(outcome.codes).toEqual(["decode_failed", "limit_exceeded", "decode_failed"]);
    }
  });

  test("is the same as JSON.parse line by line, for any lines cut anywhere", () => {
    const line = fc.oneof(fc.json(), fc.string({ maxLength: 30 }), fc.constantFrom("", " ", "\r", "nul", '{"$end":1}'));
    fc.assert(
      fc.property(
        fc.array(line),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 60 }),
        (lines, size, max) => {
          const text = lines.map((each) => each.replaceAll("\n", "")).join("\n");
          const rows: unknown[] = [];
          const numbers: number[] = [];
          for (const [index, each] of text.split("\n").entries()) {
            if (/^[ \t\r]*$/.test(each) && each.length <= max) continue;
            try {
              if (utf8(each).length > max) throw new Error("too large");
              rows.push(JSON.parse(index === 0 ? each.replace(/^\ufeff/, "") : each));
            } catch {
              numbers.push(index + 1);
            }
          }
          fc.pre(!text.startsWith("\ufeff"));
          const outcome = decode(chunksOf(utf8(text), size), { badRows: "report", maxRowBytes: max });
          expect(outcome.thrown).toBeUndefined();
          expect(outcome.rows).toEqual(rows);
          expect(outcome.bad.map((each) => each.line)).toEqual(numbers);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("shows 200 characters of a bad row and not one more", () => {
    for (const length of [200, 201]) {
      const { bad: told } = decode([utf8(`${"x".repeat(length)}\n`)], { badRows: "report" });
      expect(told[0]?.text).toBe("x".repeat(200));
    }
  });

  test("holds nothing of a row of 64 MiB that is passed over", () => {
    const chunk = new Uint8Array(1_048_576).fill(0x78);
    const rows: unknown[] = [];
    const told: BadRow[] = [];
    const decoder = createRowDecoder({
      onRow: (row) => rows.push(row),
      badRows: "report",
      onBadRow: (each) => told.push(each),
      maxRowBytes: 1_000,
    });
    decoder.push(utf8('1\n"'));
    for (let count = 0; count < 64; count++) decoder.push(chunk);
    decoder.push(utf8("\n2\n"));
    decoder.end();
    expect(rows).toEqual([1, 2]);
    expect(told).toMatchObject([{ row: 2, line: 2, text: `"${"x".repeat(199)}`, error: { code: "limit_exceeded" } }]);
  });

  test("throws what onBadRow throws, behind the rows of the same chunk", () => {
    const rows: unknown[] = [];
    const decoder = createRowDecoder({
      onRow: (row) => rows.push(row),
      badRows: "report",
      onBadRow: () => {
        throw new Error("mine");
      },
    });
    expect(() => decoder.push(utf8("x\n1\n"))).toThrow("mine");
    decoder.push(utf8("2\n"));
    expect(rows).toEqual([1, 2]);
  });

  test("refuses report without onBadRow, and limits that are none", () => {
    for (const options of [{ badRows: "report" }, { maxRowCount: 0 }, { maxTotalBytes: Number.NaN }] as const) {
      expect(() => createRowDecoder({ onRow: () => undefined, ...options })).toThrow(
        expect.objectContaining({ code: "input_invalid" }),
      );
    }
  });
});

describe("createRowDecoder and the limits of the whole", () => {
  test("takes maxRowCount rows and refuses one more, under every split", () => {
    for (const chunks of splits('1\n\n2\nx\n{"$end":{"reason":"completed","rows":3}}\n')) {
      const options: RowOptions = { badRows: "skip", endRecord: "require" };
      expect(decode(chunks, { ...options, maxRowCount: 3 })).toMatchObject({ rows: [1, 2], thrown: undefined });
      expect(decode(chunks, { ...options, maxRowCount: 2 })).toMatchObject({
        rows: [1, 2],
        thrown: { code: "limit_exceeded", details: { maxRowCount: 2 } },
      });
    }
  });

  test("takes maxTotalBytes bytes and refuses one more, under every split", () => {
    for (const chunks of splits("1\n2\n3\n")) {
      expect(decode(chunks, { maxTotalBytes: 6 })).toMatchObject({ rows: [1, 2, 3], thrown: undefined });
      expect(decode(chunks, { maxTotalBytes: 5 })).toMatchObject({
        rows: [1, 2],
        thrown: { code: "limit_exceeded", details: { maxTotalBytes: 5 } },
      });
    }
    const decoder = createRowDecoder({ onRow: () => undefined, maxTotalBytes: 1 });
    expect(() => decoder.push(utf8("1\n"))).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
    expect(() => decoder.push(utf8("1\n"))).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
  });
});
