import { describe, expect, test } from "vitest";
import { RateMeter } from "./transfer-rate.ts";

describe("RateMeter", () => {
  test("speed() is the mean of the last 5 s, and the rest follows from it", () => {
    const meter = new RateMeter();
    meter.reset(1000, 0);
    for (let second = 1; second <= 10; second += 1) meter.sample(1000 + second * 500, second * 1000);
    expect(meter.speed(2000, 10_000)).toEqual({ bytesPerSecond: 500, remainingMs: 4000 });
    for (let second = 11; second <= 20; second += 1) meter.sample(6000 + (second - 10) * 100, second * 1000);
    expect(meter.speed(null, 20_000)).toEqual({ bytesPerSecond: 100, remainingMs: null });
  });

  test("speed() falls while nothing comes", () => {
    const meter = new RateMeter();
    meter.reset(0, 0);
    meter.sample(1000, 1000);
    expect(meter.speed(1000, 4000).bytesPerSecond).toBe(250);
  });

  test("speed() cannot be told before anything moved", () => {
    const meter = new RateMeter();
    expect(meter.speed(10, 0)).toEqual({ bytesPerSecond: 0, remainingMs: null });
    meter.sample(5, 100);
    expect(meter.speed(10, 100)).toEqual({ bytesPerSecond: 0, remainingMs: null });
    meter.sample(5, 1100);
    expect(meter.speed(10, 1100)).toEqual({ bytesPerSecond: 0, remainingMs: null });
  });

  test("sample() begins anew when the total falls or the clock is set back", () => {
    const meter = new RateMeter();
    meter.reset(0, 0);
    meter.sample(1000, 1000);
    meter.sample(10, 1100);
    meter.sample(20, 1200);
    expect(meter.speed(null, 1200).bytesPerSecond).toBe(100);
    meter.sample(1020, 200);
    meter.sample(2020, 1200);
    expect(meter.speed(null, 1200).bytesPerSecond).toBe(1000);
  });

  test("sample() merges what comes close together without changing the mean", () => {
    const meter = new RateMeter();
    meter.reset(0, 0);
    for (let ms = 1; ms <= 4000; ms += 1) meter.sample(ms * 10, ms);
    expect(meter.speed(null, 4000).bytesPerSecond).toBe(10_000);
  });
});
