import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLineDecoder } from "./lines.ts";
import { cutAt, oneAndTwoCuts, TEXT_CORPUS } from "./transform.test-support.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function linesOf(chunks: Iterable<Uint8Array>, maxLineBytes?: number): string[] {
  const lines: string[] = [];
  const decoder = createLineDecoder({ onLine: (line) => lines.push(line), maxLineBytes });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return lines;
}

describe("createLineDecoder()", () => {
  test.each([
    ["", []],
    ["\n", [""]],
    ["a", ["a"]],
    ["a\n", ["a"]],
    ["a\r\nb\n\nc\r", ["a", "b", "", "c"]],
    ["a\rb\u2028c\u2029d\n", ["a\rb\u2028c\u2029d"]],
    ["\uFEFFa\n\uFEFFb", ["a", "\uFEFFb"]],
  ])("createLineDecoder() cuts %j", (text, lines) => {
    expect(linesOf([encode(text)])).toEqual(lines);
  });

  test("createLineDecoder() gives the same for every one and two cuts", () => {
    const bytes = encode(TEXT_CORPUS);
    const whole = ["aé", "水\u2028x\u2029", "", "😀e\u0301\r", "\uFEFFend ß"];
    for (const chunks of oneAndTwoCuts(bytes)) expect(linesOf(chunks)).toEqual(whole);
  });

  test("createLineDecoder() gives what split() gives, however the bytes are cut", () => {
    const text = fc.array(fc.constantFrom("\n", "\r\n", "\r", "a", "é", "水", "😀")).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.array(fc.nat(60)), (body, cuts) => {
        const bytes = encode(body);
        const lines = body.split("\n").map((line) => line.replace(/\r$/, ""));
        if (body === "" || body.endsWith("\n")) lines.pop();
        const places = cuts.map((cut) => Math.min(cut, bytes.length));
        expect(linesOf(cutAt(bytes, places))).toEqual(lines);
      }),
    );
  });

  test("createLineDecoder() takes a line of maxLineBytes, and refuses one byte more", () => {
    expect(linesOf([encode("é234\nab")], 5)).toEqual(["é234", "ab"]);
    expect(() => linesOf([encode("é2345\n")], 5)).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
    expect(() => linesOf([encode("ab\né2345")], 5)).toThrow(/One line is larger than 5 bytes \(maxLineBytes\)/);
    expect(() => createLineDecoder({ onLine: () => undefined, maxLineBytes: 0 })).toThrow(/maxLineBytes/);
  });

  test("createLineDecoder() delivers the other lines when onLine throws, and throws then", () => {
    const lines: string[] = [];
    const decoder = createLineDecoder({
      onLine(line) {
        lines.push(line);
        if (line === "b") throw new Error("no b");
      },
    });
    expect(() => decoder.push(encode("a\nb\nc\n"))).toThrow("no b");
    expect(lines).toEqual(["a", "b", "c"]);
    decoder.end();
    expect(() => decoder.push(encode("d"))).toThrow(expect.objectContaining({ code: "closed" }));
  });
});
