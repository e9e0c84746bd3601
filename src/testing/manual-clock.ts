// A clock that stands still until it is told to move: for tests of leases, heartbeats and expiry.

import type { Clock } from "../clock.ts";

/** A {@link Clock} for tests. */
export interface ManualClock extends Clock {
  /** Moves on by `ms` and calls the timers that come due, in order. */
  advance(ms: number): void;
  /** Jumps, forwards or backwards, without calling any timer: what a clock that is set anew does. */
  jump(ms: number): void;
  /** How many timers are pending. */
  readonly timerCount: number;
}

/** Begins at `startMs`, by default 1,800,000,000,000 (in January 2027). */
export function createManualClock(startMs: number = 1_800_000_000_000): ManualClock {
  let nowMs = startMs;
  let elapsedMs = 0;
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
  return {
    now: () => nowMs,
    after(delayMs, callback) {
      const timer = { dueMs: elapsedMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const untilMs = elapsedMs + ms;
      for (;;) {
        const [next] = [...timers].filter((timer) => timer.dueMs <= untilMs).toSorted((a, b) => a.dueMs - b.dueMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs += next.dueMs - elapsedMs;
        elapsedMs = next.dueMs;
        next.callback();
      }
      nowMs += untilMs - elapsedMs;
      elapsedMs = untilMs;
    },
    jump(ms) {
      nowMs += ms;
    },
    get timerCount() {
      return timers.size;
    },
  };
}
