// Silence by the clock on the wall: while all goes well, while the reader is slow, and over a sleep of the machine.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startWatchdog } from "./watchdog.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("startWatchdog()", () => {
  test("calls after idleMs of silence, once, and not a millisecond before", () => {
    const onIdle = vi.fn();
    const watch = startWatchdog(45_000, onIdle);
    vi.advanceTimersByTime(30_000);
    watch.touch();
    vi.advanceTimersByTime(44_999);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(200_000);
    expect(onIdle).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a machine that has slept is noticed within five seconds of being awake", () => {
    const onIdle = vi.fn();
    startWatchdog(45_000, onIdle);
    vi.advanceTimersByTime(1_000);
    // The clock goes on while it sleeps, the timers do not.
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(4_000);
    expect(onIdle).toHaveBeenCalledOnce();
  });

  test("rests while the reader is slow, and stops", () => {
    const onIdle = vi.fn();
    const watch = startWatchdog(1_000, onIdle);
    watch.rest();
    vi.advanceTimersByTime(60_000);
    expect(onIdle).not.toHaveBeenCalled();
    watch.touch();
    vi.advanceTimersByTime(999);
    watch.stop();
    vi.advanceTimersByTime(60_000);
    expect(onIdle).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("Infinity sets no timer", () => {
    startWatchdog(Infinity, () => undefined);
    expect(vi.getTimerCount()).toBe(0);
  });
});
