// The newest of values that come more often than they are wanted.

import type { Clock } from "../clock.ts";

/** The least time between two values: 250 ms at first. */
const MIN_INTERVAL_MS = 250;
/** And the most, where a job runs for days: 10,000 ms. */
const MAX_INTERVAL_MS = 10_000;
/** The longer it goes on, the rarer: so a day of reports is some 16,000 values and not 345,600. */
const ELAPSED_PER_INTERVAL = 2_000;

/** Holds one value. Gives the first at once, later ones not before their time, and always the newest. */
export class Latest<T> {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #beganAtMs: number;
  #value: T | undefined;
  #takenAtMs = -Infinity;
  #isUrgent = false;
  #cancelTimer: (() => void) | undefined;

  /** @param onDue called when a value that was not due yet has become so */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
    this.#beganAtMs = clock.now();
  }

  /** Replaces what is held. */
  offer(value: T): void {
    this.#value = value;
  }

  /** What is held is due now, and no timer runs any more: the last one must not be left out. */
  hurry(): void {
    this.#isUrgent = true;
    this.release();
  }

  /** Gives the value if it is due. If it is not, `onDue` is called when it is. */
  take(): T | undefined {
    if (this.#value === undefined) return undefined;
    const waitMs = this.#isUrgent ? 0 : this.#waitMs();
    if (waitMs > 0) {
      this.#cancelTimer ??= this.#clock.after(waitMs, () => {
        this.#cancelTimer = undefined;
        this.#onDue();
      });
      return undefined;
    }
    const value = this.#value;
    this.#value = undefined;
    this.#takenAtMs = this.#clock.now();
    return value;
  }

  release(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #waitMs(): number {
    const nowMs = this.#clock.now();
    const sinceMs = nowMs - this.#takenAtMs;
    if (sinceMs < 0) return 0; // a clock that was set back must not silence the job
    const rareMs = (nowMs - this.#beganAtMs) / ELAPSED_PER_INTERVAL;
    return Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, rareMs)) - sinceMs;
  }
}
