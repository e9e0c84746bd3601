// The sender's deadlines: how long it may be silent, and how slow it may be. Only time spent waiting for it counts.

import type { Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";

/** The speed is judged over this much waiting, in milliseconds. */
const WINDOW_MS = 30_000;
/** The longest delay that timers take. */
const MAX_DELAY_MS = 2_147_483_647;

export interface PaceOptions {
  readonly clock: Clock;
  /** How long no bytes may come. */
  readonly idleMs: number;
  /** 0: any speed will do. */
  readonly minBytesPerSecond: number;
  /** Called once, with a `too_slow`. */
  readonly onTooSlow: (error: TailraceError) => void;
}

/** Watches one sender. A sink that is slow does not count against it. */
export class Pace {
  readonly #options: PaceOptions;
  readonly #quotaBytes: number;
  #waitingSinceMs: number | undefined;
  #windowWaitedMs = 0;
  #windowBytes = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#quotaBytes = (options.minBytesPerSecond * WINDOW_MS) / 1_000;
  }

  /** The next bytes are waited for from now on, or still. */
  wait(): void {
    this.#waitingSinceMs ??= this.#options.clock.now();
    // A timer that was set before fires no later than it must: it looks, and is set again.
    if (this.#cancel === undefined) this.#watch(0);
  }

  /** `bytes` came, which ends the wait if there was one. */
  arrived(bytes: number): void {
    this.#windowWaitedMs += this.#waitedMs();
    this.#waitingSinceMs = undefined;
    this.#windowBytes += bytes;
    // Enough for a whole window has come: a new one begins.
    if (this.#windowBytes >= this.#quotaBytes) this.#windowWaitedMs = this.#windowBytes = 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #waitedMs(): number {
    return this.#waitingSinceMs === undefined ? 0 : Math.max(0, this.#options.clock.now() - this.#waitingSinceMs);
  }

  #watch(waitedMs: number): void {
    if (this.#isClosed) return;
    const { idleMs } = this.#options;
    const inWindowMs = this.#quotaBytes > 0 ? WINDOW_MS - this.#windowWaitedMs - waitedMs : Infinity;
    const delayMs = Math.min(idleMs - waitedMs, inWindowMs, MAX_DELAY_MS);
    this.#cancel = this.#options.clock.after(Math.max(1, delayMs), this.#look);
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    if (this.#waitingSinceMs === undefined || this.#isClosed) return; // the next wait sets the timer
    const waitedMs = this.#waitedMs();
    const { idleMs, minBytesPerSecond } = this.#options;
    if (waitedMs >= idleMs) {
      this.#fail(`No bytes came for ${idleMs.toLocaleString("en")} ms; send again, faster.`, { idleMs });
    } else if (this.#quotaBytes > 0 && this.#windowWaitedMs + waitedMs >= WINDOW_MS) {
      const came = `${this.#windowBytes.toLocaleString("en")} bytes came in ${WINDOW_MS / 1_000} s of waiting`;
      this.#fail(`${came}, less than ${minBytesPerSecond.toLocaleString("en")} bytes/s; send again, faster.`, {
        minBytesPerSecond,
      });
    } else this.#watch(waitedMs);
  };

  #fail(message: string, details: Readonly<Record<string, unknown>>): void {
    this.close();
    this.#options.onTooSlow(new TailraceError("too_slow", message, { details }));
  }
}
