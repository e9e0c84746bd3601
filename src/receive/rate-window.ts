// How fast bytes come, over the last seconds and in bounded memory.

const WINDOW_MS = 5_000;
/** Samples nearer to each other than this are one. */
const GRAIN_MS = 100;
/** Rates over less than this are noise: the first chunks of an upload come all at once. */
const MIN_SPAN_MS = 200;

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

/** A sliding window over a growing total. Holds at most `WINDOW_MS / GRAIN_MS` samples. */
export class RateWindow {
  #samples: Sample[] = [];
  #latest: Sample | undefined;

  /** Notes that the total stood at `bytes` at `atMs`. */
  add(atMs: number, bytes: number): void {
    const last = this.#samples.at(-1);
    // A clock that was set back makes the old samples meaningless.
    if (this.#latest !== undefined && atMs < this.#latest.atMs) this.#samples = [];
    this.#latest = { atMs, bytes };
    if (last !== undefined && this.#samples.length > 0 && atMs - last.atMs < GRAIN_MS) return;
    this.#samples.push(this.#latest);
    this.#drop(atMs);
  }

  /** Forgets all, and begins at `bytes`. */
  restart(atMs: number, bytes: number): void {
    this.#samples = [];
    this.#latest = undefined;
    this.add(atMs, bytes);
  }

  /** Bytes a second over the window that ends at `nowMs`; 0 where too little is known. */
  bytesPerSecond(nowMs: number): number {
    this.#drop(nowMs);
    const first = this.#samples[0];
    if (first === undefined || this.#latest === undefined) return 0;
    const spanMs = nowMs - first.atMs;
    return spanMs < MIN_SPAN_MS ? 0 : Math.max(0, ((this.#latest.bytes - first.bytes) / spanMs) * 1_000);
  }

  /** Lets go of what lies before the window, but for the one sample at its beginning. */
  #drop(nowMs: number): void {
    let from = 0;
    while (from + 1 < this.#samples.length && nowMs - (this.#samples[from + 1]?.atMs ?? nowMs) >= WINDOW_MS) from++;
    if (from > 0) this.#samples.splice(0, from);
  }
}
