// How fast an amount grows (bytes, rows, whatever is counted), over the last seconds and in bounded memory.

/** The mean is taken over so long: 5,000 ms. */
const WINDOW_MS = 5_000;
/** So many samples make up a window: those nearer to each other are one. */
const MAX_SAMPLES = 50;
/** Rates over less than this are noise: the first chunks of an upload come all at once. */
const MIN_SPAN_MS = 200;

interface Sample {
  readonly atMs: number;
  readonly amount: number;
}

export interface RateWindowOptions {
  /** The mean is taken over so long; over the time between the last two samples if that is longer. Default 5,000. */
  readonly windowMs?: number | undefined;
  /** Before so much time has passed, no rate is told. Default 200. */
  readonly minSpanMs?: number | undefined;
}

/** A sliding window over a growing total. Holds at most `MAX_SAMPLES` samples and two more. */
export class RateWindow {
  readonly #windowMs: number;
  readonly #minSpanMs: number;
  #samples: Sample[] = [];
  #latest: Sample | undefined;

  constructor(options: RateWindowOptions = {}) {
    this.#windowMs = options.windowMs ?? WINDOW_MS;
    this.#minSpanMs = options.minSpanMs ?? MIN_SPAN_MS;
  }

  /** Notes that the total stood at `amount` at `atMs`. */
  add(atMs: number, amount: number): void {
    // A total that falls, or a clock that was set back, makes the old samples meaningless.
    if (this.#latest !== undefined && (atMs < this.#latest.atMs || amount < this.#latest.amount)) this.#samples = [];
    this.#latest = { atMs, amount };
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < this.#windowMs / MAX_SAMPLES) return;
    this.#samples.push(this.#latest);
    this.#drop(atMs);
  }

  /** Forgets all, and begins at `amount`. */
  restart(atMs: number, amount: number): void {
    this.#samples = [];
    this.#latest = undefined;
    this.add(atMs, amount);
  }

  /** The growth a second over the window that ends at `nowMs`; 0 where too little is known. */
  perSecond(nowMs: number): number {
    this.#drop(nowMs);
    const first = this.#samples[0];
    if (first === undefined || this.#latest === undefined) return 0;
    const spanMs = nowMs - first.atMs;
    if (spanMs <= 0 || spanMs < this.#minSpanMs) return 0;
    return ((this.#latest.amount - first.amount) / spanMs) * 1_000;
  }

  /** Lets go of what lies before the window, but for the one sample at its beginning. */
  #drop(nowMs: number): void {
    let from = 0;
    while (from + 1 < this.#samples.length && nowMs - this.#samples[from + 1]!.atMs >= this.#windowMs) from++;
    if (from > 0) this.#samples.splice(0, from);
  }
}
