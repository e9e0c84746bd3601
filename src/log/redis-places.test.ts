// Places among items whose numbers leap: there and back, and what is a gap.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { offsetOf } from "./offset.ts";
import { checkPlace, countTo, leapsOf, sequenceAt, type Stretch } from "./redis-places.ts";

/** Stretches of items with leaps between them, as the scripts make them. */
const stretches = fc
  .array(
    fc.record({ items: fc.integer({ min: 1, max: 5 }), by: fc.integer({ min: 2, max: 9 }), isLoss: fc.boolean() }),
    {
      maxLength: 5,
    },
  )
  .map((parts): { stretch: Stretch; numbers: number[] } => {
    const numbers: number[] = [];
    const leaps = [];
    let tail = 100;
    for (const { items, by, isLoss } of parts) {
      for (let count = 0; count < items; count++) numbers.push(++tail);
      leaps.push({ from: tail, to: tail + by, isLoss });
      tail += by;
    }
    numbers.push(++tail);
    return { stretch: { start: 100, tail, leaps }, numbers };
  });

describe("sequenceAt() and countTo()", () => {
  test("find each item by its place, and its place by its number", () => {
    fc.assert(
      fc.property(stretches, ({ stretch, numbers }) => {
        expect(numbers.map((_, index) => sequenceAt(stretch, index + 1))).toEqual(numbers);
        expect(numbers.map((sequence) => countTo(stretch, sequence))).toEqual(numbers.map((_, index) => index + 1));
        expect(sequenceAt(stretch, 0)).toBe(stretch.start);
      }),
    );
  });
});

describe("checkPlace()", () => {
  test("takes every place but one within a leap, or before what is known to be lost", () => {
    fc.assert(
      fc.property(stretches, ({ stretch }) => {
        for (let sequence = stretch.start - 1; sequence <= stretch.tail + 1; sequence++) {
          const leap = stretch.leaps.find(({ from, to }) => from <= sequence && sequence < to);
          const isThere = sequence >= stretch.start && sequence <= stretch.tail;
          const isGap = !isThere || (leap !== undefined && (leap.isLoss || leap.from < sequence));
          const check = (): number => checkPlace("s", offsetOf(sequence), stretch);
          if (!isGap) expect(check()).toBe(sequence);
          else {
            const earliest = offsetOf(leap?.to ?? stretch.start);
            const details = { asked: offsetOf(sequence), earliest, latest: offsetOf(stretch.tail) };
            expect(check).toThrow(expect.objectContaining({ code: "gap", details }));
          }
        }
      }),
    );
  });

  test("is a gap for what is no offset", () => {
    const stretch = { start: 1, tail: 9, leaps: leapsOf("3-5! 7-8") };
    expect(() => checkPlace("s", "zz", stretch)).toThrow(expect.objectContaining({ code: "gap" }));
  });
});

test("leapsOf() reads what the scripts write", () => {
  expect(leapsOf(undefined)).toEqual([]);
  expect(leapsOf("")).toEqual([]);
  expect(leapsOf("3-5! 7-8")).toEqual([
    { from: 3, to: 5, isLoss: true },
    { from: 7, to: 8, isLoss: false },
  ]);
});
