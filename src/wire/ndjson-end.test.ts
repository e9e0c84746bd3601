// The row decoder with an end record and with a schema, under every split.

import { describe, expect, expectTypeOf, test } from "vitest";
import { createRowDecoder, encodeRow } from "./ndjson.ts";
import { encodeRowsEnd, type RowsEnd } from "./ndjson-end.ts";
import { decode, splits, utf8 } from "./ndjson.test-support.ts";
import type { StandardSchema } from "./standard-schema.ts";

describe("createRowDecoder and the end record", () => {
  const whole = `1\n2\n${encodeRowsEnd({ reason: "completed", rows: 2 })}`;

  test("tells of it and does not give it as a row, under every split", () => {
    for (const text of [whole, `${whole}\n \r\n`, whole.trimEnd()]) {
      for (const chunks of splits(text)) {
        for (const endRecord of ["require", "accept"] as const) {
          const outcome = decode(chunks, { endRecord });
          expect(outcome).toMatchObject({ rows: [1, 2], thrown: undefined });
          expect(outcome.end).toEqual({ reason: "completed", rows: 2 });
        }
      }
    }
  });

  test("is a row where nobody asked for it", () => {
    expect(decode([utf8(whole)]).rows).toEqual([1, 2, { $end: { reason: "completed", rows: 2 } }]);
    const seen: RowsEnd[] = [];
    const decoder = createRowDecoder({ onRow: () => undefined, onEnd: (end) => seen.push(end) });
    decoder.push(utf8(whole));
    expect(seen).toEqual([{ reason: "completed", rows: 2 }]);
  });

  test("finds every cut of the body, and gives no half of a row", () => {
    const text = `12345\n67890\n${encodeRowsEnd({ reason: "completed", rows: 2 })}`;
    for (let size = 0; size < text.length - 1; size++) {
      const { rows, thrown } = decode([utf8(text.slice(0, size))], { endRecord: "require" });
      expect(thrown).toMatchObject({ code: "truncated" });
      expect(rows).toEqual([12345, 67890].slice(0, Math.floor(size / 6)));
    }
    expect(decode([utf8("1\n2\n")], { endRecord: "accept" })).toMatchObject({ rows: [1, 2], thrown: undefined });
  });

  test("finds rows that were lost on the way, under every split", () => {
    const text = `1\n${encodeRowsEnd({ reason: "completed", rows: 2 })}`;
    for (const chunks of splits(text)) {
      expect(decode(chunks, { endRecord: "accept" })).toMatchObject({
        rows: [1],
        end: undefined,
        thrown: { code: "truncated", details: { rows: 1, announcedRows: 2 } },
      });
    }
  });

  test("refuses rows behind it, and a second one", () => {
    for (const more of ["3\n", "x\n", encodeRowsEnd({ reason: "completed", rows: 2 })]) {
      for (const chunks of splits(whole + more)) {
        const { rows, thrown } = decode(chunks, { endRecord: "require", badRows: "skip" });
        expect(rows).toEqual([1, 2]);
        expect(thrown).toMatchObject({ code: "decode_failed" });
      }
    }
  });

  test("reads each reason with its code, and takes what has no known form as a bad row", () => {
    for (const end of [
      { reason: "stopped", rows: 0 },
      { reason: "failed", code: "source_failed", rows: 0 },
      { reason: "interrupted", code: "source_failed", rows: 0 },
    ] as const) {
      expect(decode([utf8(encodeRowsEnd(end))], { endRecord: "require" }).end).toEqual(end);
    }
    for (const text of [
      "1",
      '{"reason":"done","rows":0}',
      '{"reason":"completed"}',
      '{"reason":"completed","rows":-1}',
    ]) {
      const { thrown, rows } = decode([utf8(`{"$end":${text}}\n`)], { endRecord: "accept" });
      expect(thrown).toMatchObject({ code: "decode_failed", details: { row: 1, line: 1 } });
      expect(rows).toEqual([]);
    }
    const others = [{ $end: 1, more: 2 }, { end: 1 }, ["$end"], "$end", null];
    expect(decode([utf8(others.map(encodeRow).join(""))], { endRecord: "accept" }).rows).toEqual(others);
  });
});

describe("createRowDecoder with a schema", () => {
  const even: StandardSchema<{ readonly half: number }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) =>
        typeof value === "number" && value % 2 === 0
          ? { value: { half: value / 2 } }
          : { issues: [{ message: "odd" }] },
    },
  };

  test("gives what it makes of each row, typed", () => {
    const rows: { readonly half: number }[] = [];
    const decoder = createRowDecoder({
      schema: even,
      onRow: (row) => {
        expectTypeOf(row).toEqualTypeOf<{ readonly half: number }>();
        rows.push(row);
      },
    });
    decoder.push(utf8("2\n4\n"));
    expect(rows).toEqual([{ half: 1 }, { half: 2 }]);
    expect(() => decoder.push(utf8("5\n"))).toThrow(
      expect.objectContaining({ code: "decode_failed", message: "Row 3 (line 3) was refused by the schema: odd" }),
    );
  });

  test("a row that it refuses is a bad row", () => {
    const outcome = decode([utf8("2\n3\n4\n")], { schema: even, badRows: "report" });
    expect(outcome.rows).toEqual([{ half: 1 }, { half: 2 }]);
    expect(outcome.bad).toEqual([{ row: 2, line: 2, text: "3" }]);
  });

  test("one that throws or answers later ends the decoding, whatever the policy", () => {
    const make = (validate: StandardSchema["~standard"]["validate"]): StandardSchema => ({
      "~standard": { version: 1, vendor: "test", validate },
    });
    const later = make(async (value) => ({ value }));
    const broken = make(() => {
      throw new Error("mine");
    });
    expect(decode([utf8("1\n")], { schema: later, badRows: "skip" }).thrown).toMatchObject({ code: "input_invalid" });
    expect(decode([utf8("1\n")], { schema: broken, badRows: "skip" }).thrown).toMatchObject({ code: "decode_failed" });
  });
});
