import { describe, expect, test } from "vitest";
import { MAX_ACCEPT_ENCODING_CHARS } from "./accept-encoding.ts";
import { acceptedEncodings } from "./precompressed.ts";

const ALL = ["br", "zstd", "gzip"] as const;

describe("acceptedEncodings()", () => {
  test.each([
    [null, []],
    ["", []],
    ["gzip", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["GZIP, Br", ["br", "gzip"]],
    ["gzip, deflate, br, zstd", ["br", "zstd", "gzip"]],
    ["br;q=0.5, gzip", ["gzip", "br"]],
    ["br;q=0, gzip", ["gzip"]],
    ["br ; q=0.000", []],
    ["*", ["br", "zstd", "gzip"]],
    ["*;q=0.1, gzip", ["gzip", "br", "zstd"]],
    ["*;q=0, gzip", ["gzip"]],
    ["identity", []],
    ["identity, gzip;q=0.5", []],
    ["identity;q=0.5, gzip", ["gzip"]],
    ["identity;q=0, gzip;q=0.001", ["gzip"]],
    ["gzip;q=2, br", ["br"]],
    ["gzip;q=abc", []],
    ["gzip;x=1", []],
    ["deflate", []],
  ])("%s", (value, wanted) => {
    expect(acceptedEncodings(value, ALL)).toEqual(wanted);
  });

  test("looks at MAX_ACCEPT_ENCODING_CHARS and at nothing longer", () => {
    const padded = (length: number): string => `${" ".repeat(length - 4)}gzip`;
    expect(acceptedEncodings(padded(MAX_ACCEPT_ENCODING_CHARS), ALL)).toEqual(["gzip"]);
    expect(acceptedEncodings(padded(MAX_ACCEPT_ENCODING_CHARS + 1), ALL)).toEqual([]);
  });
});
