// Plain text from bytes: characters stay whole under every split.

import { describe, expect, test } from "vitest";
import { createTextDecoder } from "./text.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function decode(chunks: readonly Uint8Array[]): readonly string[] {
  const pieces: string[] = [];
  const decoder = createTextDecoder({ onText: (text) => pieces.push(text) });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  decoder.end();
  return pieces;
}

describe("createTextDecoder", () => {
  test("never splits a character, under every split", () => {
    const text = "a\u00e9\u3042\u{1f600}\ufeff\0\r\nz";
    const bytes = utf8(text);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const pieces = decode([bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]);
        expect(pieces.join("")).toBe(text);
        expect(pieces.every((piece) => piece !== "" && piece.isWellFormed())).toBe(true);
      }
    }
  });

  test("gives text as soon as it is there", () => {
    const pieces: string[] = [];
    const decoder = createTextDecoder({ onText: (text) => pieces.push(text) });
    decoder.push(Uint8Array.of(0x61, 0xe3, 0x81));
    expect(pieces).toEqual(["a"]);
    decoder.push(Uint8Array.of(0x82));
    expect(pieces).toEqual(["a", "\u3042"]);
  });

  test("flushes a character that was cut off", () => {
    expect(decode([Uint8Array.of(0x61, 0xe3, 0x81)])).toEqual(["a", "\ufffd"]);
  });

  test("drops one byte-order mark at the start", () => {
    expect(decode([Uint8Array.of(0xef), Uint8Array.of(0xbb), Uint8Array.of(0xbf, 0x61)]).join("")).toBe("a");
    expect(decode([utf8("\ufeff\ufeffa")]).join("")).toBe("\ufeffa");
  });

  test("calls nobody for nothing", () => {
    expect(decode([new Uint8Array(0)])).toEqual([]);
  });

  test("loses nothing when onText throws", () => {
    const pieces: string[] = [];
    const decoder = createTextDecoder({
      onText: (text) => {
        pieces.push(text);
        if (text === "a") throw new Error("mine");
      },
    });
    expect(() => decoder.push(Uint8Array.of(0x61, 0xe3, 0x81))).toThrow("mine");
    decoder.push(Uint8Array.of(0x82));
    expect(pieces).toEqual(["a", "\u3042"]);
  });

  test("refuses bytes after end()", () => {
    const decoder = createTextDecoder({ onText: () => undefined });
    decoder.end();
    expect(() => decoder.push(utf8("a"))).toThrow(expect.objectContaining({ code: "closed" }));
  });
});
