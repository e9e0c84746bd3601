// How fast bytes move, and how long the rest will take: a mean over the last seconds, in bounded memory.

import type { TransferSpeed } from "./transfer-types.ts";

/** The mean is taken over so long: 5,000 ms. */
const WINDOW_MS = 5000;
/** Samples nearer to each other than this are merged: 100 ms. So there are at most 51. */
const SPACING_MS = 100;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Measures one transfer. */
export class RateMeter {
  #samples: Sample[] = [];

  /** Begins at `bytes`, which were moved before and count for nothing. */
  reset(bytes: number, nowMs: number): void {
    this.#samples = [{ atMs: nowMs, bytes }];
  }

  /** Tells how many bytes have moved in all. */
  sample(bytes: number, nowMs: number): void {
    const last = this.#samples.at(-1);
    // A total that falls, or a clock that was set back, begins a new measurement.
    if (last === undefined || bytes < last.bytes || nowMs < last.atMs) return this.reset(bytes, nowMs);
    const before = this.#samples.at(-2);
    if (before !== undefined && nowMs - before.atMs < SPACING_MS) this.#samples.pop();
    this.#samples.push({ atMs: nowMs, bytes });
    // One sample from before the window stays, as the window's beginning.
    while ((this.#samples[1]?.atMs ?? nowMs) < nowMs - WINDOW_MS) this.#samples.shift();
  }

  /** The speed now, and the time that `leftBytes` will take (null: unknown). */
  speed(leftBytes: number | null, nowMs: number): TransferSpeed {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    const elapsedMs = first === undefined ? 0 : Math.max(nowMs, last?.atMs ?? 0) - first.atMs;
    if (first === undefined || last === undefined || elapsedMs <= 0) return { bytesPerSecond: 0, remainingMs: null };
    const bytesPerSecond = Math.round(((last.bytes - first.bytes) * 1000) / elapsedMs);
    const known = leftBytes !== null && bytesPerSecond > 0;
    return { bytesPerSecond, remainingMs: known ? Math.round((leftBytes * 1000) / bytesPerSecond) : null };
  }
}
