import { describe, expect, test } from "vitest";
import { formatHttpDate, parseHttpDate } from "./http-date.ts";

const NOW_MS = Date.UTC(2026, 10, 20);

describe("parseHttpDate()", () => {
  test.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777],
    ["Sun Nov  6 08:49:37 1994", 784_111_777],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799],
    ["Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800], // a leap second
    ["Mon, 01 Jan 0099 00:00:00 GMT", Date.parse("0099-01-01T00:00:00Z") / 1_000],
    // A two-digit year is of this century unless that is more than 50 years ahead (RFC 9110 section 5.6.7).
    ["Friday, 20-Nov-26 00:00:00 GMT", Date.UTC(2026, 10, 20) / 1_000],
    ["Friday, 20-Nov-76 00:00:00 GMT", Date.UTC(2076, 10, 20) / 1_000],
    ["Saturday, 20-Nov-77 00:00:00 GMT", Date.UTC(1977, 10, 20) / 1_000],
  ])("reads %s", (text, seconds) => {
    expect(parseHttpDate(text, NOW_MS)).toBe(seconds);
  });

  test.each(["", "Tue, 29 Feb 2001 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:61 GMT", " Thu, 01 Jan 1970 00:00:00 GMT"])(
    "refuses %j",
    (text) => {
      expect(parseHttpDate(text, NOW_MS)).toBeUndefined();
    },
  );

  test("reads what formatHttpDate writes", () => {
    for (const seconds of [0, 1, 784_111_777, 4_102_444_800]) {
      expect(parseHttpDate(formatHttpDate(seconds))).toBe(seconds);
    }
    expect(formatHttpDate(784_111_777)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  });
});
