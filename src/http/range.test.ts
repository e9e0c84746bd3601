import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_DESCENTS, MAX_RANGE_CHARS, planRanges } from "./range.ts";

describe("planRanges()", () => {
  test("reads a field of MAX_RANGE_CHARS and ignores one that is longer", () => {
    const padded = (length: number): string => `bytes=${"0".repeat(length - "bytes=1-2".length)}1-2`;
    expect(padded(MAX_RANGE_CHARS)).toHaveLength(MAX_RANGE_CHARS);
    expect(planRanges(padded(MAX_RANGE_CHARS), 10)).toEqual({ kind: "parts", ranges: [{ start: 1, end: 3 }] });
    expect(planRanges(padded(MAX_RANGE_CHARS + 1), 10)).toEqual({ kind: "whole" });
  });

  test("takes MAX_DESCENTS steps back and not one more", () => {
    const descending = (count: number): string =>
      `bytes=${Array.from({ length: count }, (_, index) => `${900 - index * 10}-${900 - index * 10}`).join(",")}`;
    expect(planRanges(descending(MAX_DESCENTS + 1), 1_000).kind).toBe("parts");
    expect(planRanges(descending(MAX_DESCENTS + 2), 1_000).kind).toBe("whole");
  });

  test("takes maxRanges ranges and not one more", () => {
    expect(planRanges("bytes=0-0,2-2", 10, 2).kind).toBe("parts");
    expect(planRanges("bytes=0-0,2-2,4-4", 10, 2).kind).toBe("whole");
  });

  test("gives parts that lie inside, do not touch and hold exactly what was asked for", () => {
    const spec = fc.oneof(
      fc.tuple(fc.nat(40), fc.nat(40)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc.nat(40).map((from) => `${from}-`),
      fc.nat(40).map((length) => `-${length}`),
    );
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 30 }), (specs, size) => {
        const plan = planRanges(`bytes=${specs.join(",")}`, size);
        const wanted = new Set<number>();
        for (const each of specs) {
          const [from = "", to = ""] = each.split("-");
          const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
          const end = from === "" || to === "" ? size : Math.min(size, Number(to) + 1);
          for (let at = start; at < end; at++) wanted.add(at);
        }
        if (plan.kind === "unsatisfiable") expect(wanted.size).toBe(0);
        if (plan.kind === "whole") expect(specs.length).toBeGreaterThan(1);
        if (plan.kind !== "parts") return;
        const given = plan.ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
        expect(given.toSorted((a, b) => a - b)).toEqual([...wanted].toSorted((a, b) => a - b));
        const sorted = plan.ranges.toSorted((a, b) => a.start - b.start);
        sorted.forEach(({ start, end }, index) => {
          expect(start).toBeLessThan(end);
          expect(start).toBeGreaterThan(sorted[index - 1]?.end ?? -1);
        });
      }),
      { numRuns: 2_000 },
    );
  });

  test("never throws and answers at once, whatever the field holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.nat(100), (text, size) => {
        expect(["whole", "parts", "unsatisfiable"]).toContain(planRanges(`bytes=${text}`, size).kind);
      }),
    );
  });
});
