// From what a task says it has done to a percentage, a rate and the time that is left.

import { RateWindow } from "../bytes/rate-window.ts";
import type { Clock } from "../clock.ts";
import type { JobProgress } from "../wire/job-items.ts";

/** Longer than for bytes: a task may report a step every few seconds. 30,000 ms. */
const WINDOW_MS = 30_000;

/** Keeps the newest report of one job. */
export class ProgressMeter {
  readonly #clock: Clock;
  readonly #rate: RateWindow = new RateWindow({ windowMs: WINDOW_MS });
  #done = 0;
  #total: number | undefined;
  #note: string | undefined;
  #atMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a report; a total or a note that is left out stays. False if it says nothing: `done` is no number. */
  add(done: number, total?: number, note?: string): boolean {
    if (!Number.isFinite(done)) return false;
    this.#done = done;
    if (total !== undefined && Number.isFinite(total) && total >= 0) this.#total = total;
    if (note !== undefined) this.#note = note;
    this.#atMs = this.#clock.now();
    this.#rate.add(this.#atMs, done);
    return true;
  }

  readonly read = (): JobProgress => {
    const done = this.#done;
    const total = this.#total;
    const note = this.#note;
    const ratePerSecond = this.#rate.perSecond(this.#clock.now());
    const left = total === undefined ? undefined : Math.max(0, total - done);
    const remainingMs =
      left === 0 ? 0 : left && ratePerSecond > 0 ? Math.ceil((left / ratePerSecond) * 1_000) : undefined;
    return {
      done,
      ...(total === undefined ? {} : { total, ...share(done, total) }),
      // Three digits are more than anybody reads, and keep the item short.
      ratePerSecond: Number(ratePerSecond.toPrecision(3)),
      ...(remainingMs === undefined ? {} : { remainingMs }),
      ...(note === undefined ? {} : { note }),
      atMs: this.#atMs,
    };
  };
}

function share(done: number, total: number): { readonly fraction: number; readonly percent: number } {
  const fraction = total === 0 ? 1 : Math.min(1, Math.max(0, done / total));
  return { fraction, percent: Math.floor(fraction * 100) };
}
