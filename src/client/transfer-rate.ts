// How fast bytes move, and how long the rest will take.

import { RateWindow } from "../bytes/rate-window.ts";
import type { TransferSpeed } from "./transfer-types.ts";

/** Measures one transfer: a mean over the last 5 s. */
export class RateMeter {
  readonly #rate: RateWindow = new RateWindow({ minSpanMs: 0 });

  /** Begins at `bytes`, which were moved before and count for nothing. */
  reset(bytes: number, nowMs: number): void {
    this.#rate.restart(nowMs, bytes);
  }

  /** Tells how many bytes have moved in all. */
  sample(bytes: number, nowMs: number): void {
    this.#rate.add(nowMs, bytes);
  }

  /** The speed now, and the time that `leftBytes` will take (null: unknown). */
  speed(leftBytes: number | null, nowMs: number): TransferSpeed {
    const bytesPerSecond = Math.round(this.#rate.perSecond(nowMs));
    const known = leftBytes !== null && bytesPerSecond > 0;
    return { bytesPerSecond, remainingMs: known ? Math.round((leftBytes * 1000) / bytesPerSecond) : null };
  }
}
