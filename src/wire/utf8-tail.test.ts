import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStrictText } from "./transform-text.ts";
import { unfinishedTail } from "./utf8-tail.ts";

describe("unfinishedTail()", () => {
  test.each([
    [[0x61], 0],
    [[0xc3], 1],
    [[0x61, 0xe2, 0x82], 2],
    [[0xf0, 0x9f, 0x99], 3],
    [[0xf0, 0x9f, 0x99, 0x82], 0],
    [[0xc0], 0],
    [[0xc1], 0],
    [[0xf5, 0x80], 0],
    [[0xff], 0],
    [[0x80, 0x80, 0x80], 0],
  ])("of %j is %i", (bytes, tail) => {
    expect(unfinishedTail(Uint8Array.from(bytes))).toBe(tail);
  });

  test("a cut there gives the same text as none, whatever the bytes", () => {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(12), (bytes, at) => {
        const head = bytes.slice(0, Math.min(at, bytes.length));
        const cut = head.length - unfinishedTail(head);
        expect(decoder.decode(bytes.slice(0, cut)) + decoder.decode(bytes.slice(cut))).toBe(decoder.decode(bytes));
      }),
      { numRuns: 5_000 },
    );
  });

  test("what can begin no character is refused at once, and not with the next byte", () => {
    for (const byte of [0xc0, 0xc1, 0xf5, 0xff]) {
      expect(() => createStrictText("refuse").push(Uint8Array.of(0x61, byte))).toThrow(/not UTF-8/);
    }
  });
});
