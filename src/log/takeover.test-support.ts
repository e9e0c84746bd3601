// What the tests of carrying on stand on: one place, its clock, and as many processes over it as a test wants.

import { afterTurn, type Clock } from "../clock.ts";
import type { Store } from "./store.ts";
import { Streams } from "./streams.ts";

export const LEASE_MS = 4_000;
export const WITHIN_MS = 60_000;

interface JumpingClock extends Clock {
  jump(ms: number): void;
}

export class Ground {
  readonly store: Store;
  readonly streams: Streams;
  readonly #clock: JumpingClock;
  readonly #open: () => Store;
  readonly #others: Streams[] = [];

  /** @param open gives a store over the place */
  constructor(clock: JumpingClock, open: () => Store) {
    this.#clock = clock;
    this.#open = open;
    this.store = open();
    this.streams = this.#process(this.store);
  }

  /** A second owner over the same place, as another process is. */
  otherProcess(): Streams {
    // A memory store is in one process: there, two owners share the object.
    const other = this.#process(this.store.kind === "memory" ? this.store : this.#open());
    this.#others.push(other);
    return other;
  }

  /** A run of a process that is dead: it has written 1, 2, 3, and its lease has run out. */
  async leaveOrphan(name: string, kind = "k"): Promise<void> {
    await this.store.claim(name, "nobody", LEASE_MS, {}, { kind, withinMs: WITHIN_MS });
    await this.store.append(name, ["1", "2", "3"], { epoch: 1 });
    this.#clock.jump(LEASE_MS);
  }

  async valuesOf(name: string): Promise<unknown[]> {
    return (await this.streams.read(name)).entries.map((entry) => entry.value);
  }

  async endOf(name: string): Promise<string | undefined> {
    return (await this.store.head(name))?.end?.reason;
  }

  /** Waits for the end without following: that would make the process look at the stream. */
  async ended(name: string): Promise<string> {
    for (;;) {
      const reason = await this.endOf(name);
      if (reason !== undefined) return reason;
      await new Promise<void>((resolve) => afterTurn(resolve));
    }
  }

  async close(): Promise<void> {
    for (const each of [...this.#others, this.streams]) await each.close();
  }

  #process(store: Store): Streams {
    return new Streams({ store, clock: this.#clock, leaseMs: LEASE_MS }, () => undefined);
  }
}

/** Gives `values` and then nothing more, until it is told to go. */
export async function* giveAndWait(values: readonly number[], signal: AbortSignal): AsyncGenerator<number> {
  yield* values;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve());
  await promise;
}
