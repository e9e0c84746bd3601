// Says in the log that this process lives, for as long as it stands in lines: a run, whose lease others can see.

import { systemClock, type Clock } from "../../clock.ts";
import { report } from "../../trace.ts";
import type { Streams } from "../../log/streams.ts";

/** A process that stands in lines. */
export interface Living {
  /** The run that says that it lives. */
  readonly name: string;
  /** Aborts when the log takes this process for dead: its places belong to others then. */
  readonly signal: AbortSignal;
  /** One place is given up. Called once for each `join`. */
  leave(): void;
  /** The log cannot be told that a place is given up: all places of this process are given up. */
  end(): void;
}

/** How long it goes on saying so with no place in any line: chunks of one upload follow each other faster. */
const LINGER_MS = 1_000;

/** Begun with the first place, ended a second after the last one. Then nothing ticks. */
export class LineLife {
  readonly #streams: Streams;
  readonly #prefix: string;
  readonly #clock: Clock;
  #run: LifeRun | undefined;

  constructor(streams: Streams, prefix: string, clock: Clock = systemClock) {
    this.#streams = streams;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  /** @throws {TailraceError} a fault of the store */
  async join(): Promise<Living> {
    if (this.#run === undefined || this.#run.isOver) {
      this.#run = new LifeRun(this.#streams, `${this.#prefix}${crypto.randomUUID()}`, this.#clock);
    }
    const run = this.#run;
    run.join();
    try {
      await run.begun;
    } catch (error) {
      run.end();
      throw error;
    }
    return run;
  }
}

class LifeRun implements Living {
  readonly name: string;
  readonly begun: Promise<void>;
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  readonly #enough = Promise.withResolvers<void>();
  #count = 0;
  #isOver = false;
  #cancelLinger: (() => void) | undefined;

  constructor(streams: Streams, name: string, clock: Clock) {
    this.#streams = streams;
    this.name = name;
    this.#clock = clock;
    this.begun = this.#begin();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  join(): void {
    this.#count++;
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
  }

  leave(): void {
    this.#count--;
    if (this.#count > 0 || this.#isOver) return;
    this.#cancelLinger ??= this.#clock.after(LINGER_MS, () => this.#conclude());
  }

  end(): void {
    this.#lost.abort();
    this.#conclude();
  }

  async #begin(): Promise<void> {
    await this.#streams.run(this.name, ({ signal }) => this.#live(signal));
  }

  /** Gives nothing, for as long as it lasts. */
  async #live(signal: AbortSignal): Promise<readonly never[]> {
    const lose = (): void => {
      if (this.#isOver) return;
      this.#lost.abort();
      this.#conclude();
    };
    signal.addEventListener("abort", lose, { once: true });
    if (signal.aborted) lose();
    await this.#enough.promise;
    signal.removeEventListener("abort", lose);
    return [];
  }

  #conclude(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelLinger?.();
    this.#enough.resolve();
    // Nobody looks at it any more, but for those who wait for its end, which its going is as well.
    if (this.#count === 0) this.#streams.delete(this.name).catch((error: unknown) => report("upload line", error));
  }
}
