import { beforeEach, describe, expect, test } from "vitest";
import type { TailraceError } from "../errors.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { Pace } from "./pace.ts";

let clock: ManualClock;
let errors: TailraceError[];

beforeEach(() => {
  clock = createManualClock();
  errors = [];
});

function pace(options: { idleMs?: number; minBytesPerSecond?: number } = {}): Pace {
  const { idleMs = 10_000, minBytesPerSecond = 100 } = options;
  return new Pace({ clock, idleMs, minBytesPerSecond, onTooSlow: (error) => errors.push(error) });
}

describe("Pace", () => {
  test("Pace ends a silent sender at idleMs and not before", () => {
    const watched = pace();
    watched.wait();
    clock.advance(9_999);
    expect(errors).toHaveLength(0);
    clock.advance(1);
    expect(errors[0]).toMatchObject({ code: "too_slow", status: 408, details: { idleMs: 10_000 } });
    expect(clock.timerCount).toBe(0);
  });

  test("Pace lets a sender be that brings the minimum in 30 s, and ends one that brings less", () => {
    const run = (bytesPerStep: number): number => {
      errors = [];
      const watched = pace();
      for (let step = 0; step < 60 && errors.length === 0; step++) {
        watched.wait();
        clock.advance(1_000);
        watched.arrived(bytesPerStep);
      }
      watched.close();
      return errors.length;
    };
    // 30 arrivals make a window; the last of them is a moment late for it.
    expect(run(104)).toBe(0);
    expect(run(103)).toBe(1);
    expect(errors[0]).toMatchObject({ code: "too_slow", details: { minBytesPerSecond: 100 } });
  });

  test("Pace ends a sender that trickles one byte just before each idle deadline", () => {
    const watched = pace();
    let steps = 0;
    for (; errors.length === 0 && steps < 100; steps++) {
      watched.wait();
      clock.advance(9_999);
      watched.arrived(1);
    }
    expect(steps).toBe(4); // at 30 s of waiting
    watched.close();
  });

  test("Pace does not count the time that the sink takes", () => {
    const watched = pace();
    for (let step = 0; step < 20; step++) {
      watched.wait();
      clock.advance(10);
      watched.arrived(1);
      clock.advance(600_000);
    }
    expect(errors).toHaveLength(0);
    watched.close();
    expect(clock.timerCount).toBe(0);
  });

  test("Pace takes any speed with minBytesPerSecond 0, and no idle limit with Infinity", () => {
    const watched = pace({ minBytesPerSecond: 0, idleMs: Infinity });
    watched.wait();
    clock.advance(10_000_000_000);
    expect(errors).toHaveLength(0);
    watched.close();
    expect(clock.timerCount).toBe(0);
  });

  test("Pace calls once", () => {
    const watched = pace();
    watched.wait();
    clock.advance(100_000);
    watched.wait();
    clock.advance(100_000);
    expect(errors).toHaveLength(1);
  });
});
