import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PIECE_BYTES, Utf8Pieces } from "./exports-pieces.ts";

describe("Utf8Pieces", () => {
  test("gives the bytes of all texts in order", () => {
    const texts = fc.array(
      fc.string({ unit: "binary", maxLength: 50 }).map((text) => text.repeat(1_500)),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(texts, (given) => {
        const pieces = new Utf8Pieces();
        const made = [...given.flatMap((text) => pieces.add(text)), ...pieces.rest(), ...pieces.rest()];
        const whole = Buffer.from(given.join(""));
        expect(Buffer.concat(made).equals(whole)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("gathers up to a piece, and gives one text that could be larger by itself", () => {
    const pieces = new Utf8Pieces();
    const most = Math.floor(PIECE_BYTES / 3);
    expect(pieces.add("€".repeat(most))).toEqual([]);
    const [full, ...none] = pieces.add("€");
    expect([full!.byteLength, none]).toEqual([most * 3, []]);
    const [before, alone] = pieces.add("x".repeat(most + 1));
    expect([before!.byteLength, alone!.byteLength]).toEqual([3, most + 1]);
    expect(pieces.rest()).toEqual([]);
  });
});
