import { describe, expect, test } from "vitest";
import { addEncodingVary, MAX_ACCEPT_ENCODING_CHARS, parseAcceptEncoding } from "./accept-encoding.ts";

describe("parseAcceptEncoding()", () => {
  test.each<[value: string | null, gzip: number, zstd: number, plain: number, isPlainRefused: boolean]>([
    [null, 0, 0, 0, false],
    ["", 0, 0, 0, false],
    ["gzip", 1, 0, 0, false],
    ["x-gzip;q=0.25", 0.25, 0, 0, false],
    ["*;q=0.5, gzip", 1, 0.5, 0, false],
    ["*;q=0", 0, 0, 0, true],
    ["gzip, *;q=0", 1, 0, 0, true],
    ["identity;q=0", 0, 0, 0, true],
    ["identity;q=0.3, *;q=0", 0, 0, 0.3, false],
    ["gzip;q=1.5, zstd", 0, 1, 0, false],
  ])("%s", (value, gzip, zstd, plain, isPlainRefused) => {
    const preference = parseAcceptEncoding(value);
    expect([preference.weightOf("gzip"), preference.weightOf("zstd")]).toEqual([gzip, zstd]);
    expect([preference.plainWeight, preference.isPlainRefused]).toEqual([plain, isPlainRefused]);
  });

  test("looks at MAX_ACCEPT_ENCODING_CHARS and at nothing longer", () => {
    const padded = (length: number): string => `${" ".repeat(length - 4)}gzip`;
    expect(parseAcceptEncoding(padded(MAX_ACCEPT_ENCODING_CHARS)).weightOf("gzip")).toBe(1);
    expect(parseAcceptEncoding(padded(MAX_ACCEPT_ENCODING_CHARS + 1)).weightOf("gzip")).toBe(0);
  });
});

describe("addEncodingVary()", () => {
  test.each([
    [undefined, "accept-encoding"],
    ["origin", "origin, accept-encoding"],
    ["Origin,Accept-Encoding", "Origin,Accept-Encoding"],
    ["*", "*"],
  ])("%s", (given, wanted) => {
    const headers = new Headers(given === undefined ? {} : { vary: given });
    addEncodingVary(headers);
    expect(headers.get("vary")).toBe(wanted);
  });
});
