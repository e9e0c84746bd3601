import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_RETRY_AFTER_MS, parseRetryAfterMs, retryDelayMs } from "./retry-delay.ts";

const NOW = Date.UTC(2026, 10, 20, 10, 0, 0);

describe("retryDelayMs", () => {
  test("retryDelayMs() stays within its limits for any attempt, base and random number", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.nat(1e6),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, base, r) => {
          const ms = retryDelayMs(n, base, { minDelayMs: 500, maxDelayMs: 30_000 }, r);
          expect(ms).toBeGreaterThanOrEqual(500);
          expect(ms).toBeLessThanOrEqual(30_000);
        },
      ),
    );
  });

  test("retryDelayMs() spreads over the whole range", () => {
    const limits = { minDelayMs: 500, maxDelayMs: 30_000 };
    expect(retryDelayMs(3, 1000, limits, 0)).toBe(500);
    expect(retryDelayMs(3, 1000, limits, 0.5)).toBe(4250);
    expect(retryDelayMs(3, 1000, limits, 1)).toBe(8000);
  });
});

describe("parseRetryAfterMs", () => {
  test("parseRetryAfterMs() reads seconds", () => {
    expect(parseRetryAfterMs("2", null, NOW)).toBe(2000);
    expect(parseRetryAfterMs("0", null, NOW)).toBe(0);
  });

  test("parseRetryAfterMs() is capped, at the limit and past it", () => {
    expect(parseRetryAfterMs(String(MAX_RETRY_AFTER_MS / 1000), null, NOW)).toBe(MAX_RETRY_AFTER_MS);
    expect(parseRetryAfterMs(String(MAX_RETRY_AFTER_MS / 1000 + 1), null, NOW)).toBe(MAX_RETRY_AFTER_MS);
    expect(parseRetryAfterMs("9".repeat(400), null, NOW)).toBe(MAX_RETRY_AFTER_MS);
  });

  test.each([["Fri, 20 Nov 2026 10:00:30 GMT"], ["Friday, 20-Nov-26 10:00:30 GMT"], ["Fri Nov 20 10:00:30 2026"]])(
    "parseRetryAfterMs() reads the date %s",
    (date) => {
      expect(parseRetryAfterMs(date, null, NOW)).toBe(30_000);
    },
  );

  test("parseRetryAfterMs() measures a date against the server's own clock", () => {
    const served = "Fri, 20 Nov 2026 09:00:00 GMT";
    expect(parseRetryAfterMs("Fri, 20 Nov 2026 09:00:10 GMT", served, NOW)).toBe(10_000);
  });

  test("parseRetryAfterMs() takes a date in the past as now", () => {
    expect(parseRetryAfterMs("Fri, 20 Nov 2026 09:59:00 GMT", null, NOW)).toBe(0);
  });

  test.each([[null], [""], ["-1"], ["1.5"], ["soon"], ["2026-11-20T10:00:30Z"], ["Fri, 99 Nov 2026 10:00:30 GMT"]])(
    "parseRetryAfterMs() ignores %j",
    (value) => {
      expect(parseRetryAfterMs(value, null, NOW)).toBeUndefined();
    },
  );
});
