import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RateWindow } from "./rate-window.ts";

describe("RateWindow", () => {
  test("perSecond() is the mean of the last window", () => {
    const rate = new RateWindow({ windowMs: 10_000 });
    for (let ms = 0; ms <= 20_000; ms += 1_000) rate.add(ms, ms);
    expect(rate.perSecond(20_000)).toBe(1_000);
    for (let ms = 21_000; ms <= 30_000; ms += 1_000) rate.add(ms, 20_000);
    expect(rate.perSecond(30_000)).toBe(0);
  });

  test("perSecond() tells nothing before minSpanMs, and something at it", () => {
    const rate = new RateWindow({ minSpanMs: 200 });
    rate.add(0, 0);
    rate.add(199, 100);
    expect([rate.perSecond(199), rate.perSecond(200)]).toEqual([0, 500]);
  });

  test("perSecond() of steps further apart than the window is the rate of the last step", () => {
    const rate = new RateWindow({ windowMs: 5_000 });
    for (const [ms, amount] of [
      [0, 0],
      [20_000, 1],
      [40_000, 3],
    ] as const)
      rate.add(ms, amount);
    expect(rate.perSecond(40_000)).toBeCloseTo(0.1);
  });

  test("a total that falls, a clock that is set back, and restart() begin anew", () => {
    const rate = new RateWindow({ minSpanMs: 0 });
    rate.add(0, 1_000);
    rate.add(1_000, 5_000);
    rate.add(2_000, 10);
    rate.add(3_000, 20);
    expect(rate.perSecond(3_000)).toBe(10);
    rate.add(100, 30);
    rate.add(1_100, 130);
    expect(rate.perSecond(1_100)).toBe(100);
    rate.restart(2_000, 130);
    expect(rate.perSecond(2_000)).toBe(0);
  });

  test("perSecond() is that of an amount that grows evenly, however often it is told", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 2, maxLength: 300 }), (steps) => {
        const rate = new RateWindow({ minSpanMs: 0 });
        let ms = 0;
        for (const step of steps) rate.add((ms += step), ms * 7);
        expect(rate.perSecond(ms)).toBeCloseTo(7_000, 3);
      }),
    );
  });
});
