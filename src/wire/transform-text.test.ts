import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createStrictText } from "./transform-text.ts";
import { cutAt, oneAndTwoCuts, TEXT_CORPUS } from "./transform.test-support.ts";

function textOf(chunks: Iterable<Uint8Array>, invalidText: "refuse" | "replace"): string {
  const decoder = createStrictText(invalidText);
  let text = "";
  for (const chunk of chunks) text += decoder.push(chunk);
  return text + decoder.end();
}

describe("createStrictText()", () => {
  test("createStrictText() gives the text without its first byte-order mark, for every one and two cuts", () => {
    const bytes = new TextEncoder().encode(TEXT_CORPUS);
    for (const chunks of oneAndTwoCuts(bytes)) expect(textOf(chunks, "refuse")).toBe(TEXT_CORPUS.slice(1));
  });

  test("createStrictText() never gives half a character", () => {
    const decoder = createStrictText("refuse");
    const bytes = new TextEncoder().encode("😀é");
    expect(Array.from(bytes, (byte) => decoder.push(Uint8Array.of(byte)))).toEqual(["", "", "", "😀", "", "é"]);
  });

  const bytes = fc
    .array(
      fc.constantFrom(
        [0x61],
        [0xc3, 0xa9],
        [0xe6, 0xb0, 0xb4],
        [0xf0, 0x9f, 0x98, 0x80],
        [0x80],
        [0xc3],
        [0xf0, 0x9f],
        [0xef, 0xbb, 0xbf],
        [0xff],
      ),
    )
    .map((parts) => Uint8Array.from(parts.flat()));

  test("createStrictText() replaces as TextDecoder does, however the bytes are cut", () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(40)), (body, cuts) => {
        const places = cuts.map((cut) => Math.min(cut, body.length));
        expect(textOf(cutAt(body, places), "replace")).toBe(new TextDecoder().decode(body));
      }),
    );
  });

  test("createStrictText() refuses exactly what a fatal TextDecoder refuses, however the bytes are cut", () => {
    const strictly = (work: () => string): string => {
      try {
        return work();
      } catch {
        return "refused";
      }
    };
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(40)), (body, cuts) => {
        const places = cuts.map((cut) => Math.min(cut, body.length));
        const wanted = strictly(() => new TextDecoder("utf-8", { fatal: true }).decode(body));
        expect(strictly(() => textOf(cutAt(body, places), "refuse"))).toBe(wanted);
      }),
    );
  });

  test("createStrictText() keeps nothing of the bytes that it was given", () => {
    const decoder = createStrictText("refuse");
    const bytes = Buffer.from(Uint8Array.of(0x61, 0xc3).buffer);
    expect(decoder.push(bytes)).toBe("a");
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] }); // as an upload's memory is given back
    expect(decoder.push(Uint8Array.of(0xa9))).toBe("é");
  });

  test("createStrictText() says where the bytes are that it refuses", () => {
    const decoder = createStrictText("refuse");
    decoder.push(new Uint8Array(10).fill(0x61));
    expect(() => decoder.push(Uint8Array.of(0xff, 0x61))).toThrow(
      expect.objectContaining({ code: "decode_failed", status: 400, details: { fromByte: 10, toByte: 11 } }),
    );
    const cut = createStrictText("refuse");
    expect(cut.push(Uint8Array.of(0xe6, 0xb0))).toBe("");
    expect(() => cut.end()).toThrow(expect.objectContaining({ code: "decode_failed" }));
  });
});
