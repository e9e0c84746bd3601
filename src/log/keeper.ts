// Keeps the runs of this process alive by its lease, hands them the wish to stop, and ends the runs of dead owners.

import type { Clock } from "../clock.ts";
import { report } from "../trace.ts";
import type { Store } from "./store.ts";

/** A run that this process writes. */
interface KeptRun {
  finish(end: { readonly reason: "stopped" | "interrupted" }): void;
  lose(): void;
  readonly settled: Promise<void>;
}

/**
 * One lease for all runs of a process: one small write per beat, however many runs there are. Nothing ticks while the process
 * neither writes nor follows a stream.
 */
export class Keeper {
  /** Names this process as an owner. */
  readonly owner: string = crypto.randomUUID();
  readonly leaseMs: number;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #runs = new Map<string, KeptRun>();
  #isUsed = false;
  #cancelTick: (() => void) | undefined;

  constructor(store: Store, leaseMs: number, clock: Clock) {
    this.#store = store;
    this.leaseMs = leaseMs;
    this.#clock = clock;
  }

  get runCount(): number {
    return this.#runs.size;
  }

  add(name: string, run: KeptRun): void {
    this.#runs.set(name, run);
  }

  remove(name: string): void {
    this.#runs.delete(name);
  }

  owns(name: string): boolean {
    return this.#runs.has(name);
  }

  stop(name: string): void {
    this.#runs.get(name)?.finish({ reason: "stopped" });
  }

  /** Ticks while streams are written or followed here. */
  setUsed(isUsed: boolean): void {
    this.#isUsed = isUsed;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    if (isUsed) this.#arm();
  }

  /** Ends every run of this process as `interrupted`, now. */
  async interruptAll(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const run of runs) run.finish({ reason: "interrupted" });
    await Promise.all(runs.map((run) => run.settled));
  }

  #arm(): void {
    // Four beats per lease: three may fail before it runs out.
    this.#cancelTick = this.#clock.after(this.leaseMs / 4, () => {
      this.#cancelTick = undefined;
      void this.#tick().finally(() => {
        if (this.#isUsed && this.#cancelTick === undefined) this.#arm();
      });
    });
  }

  async #tick(): Promise<void> {
    try {
      // Our own lease first: a process that has slept must not take its own runs for orphans.
      if (this.#runs.size > 0) await this.#beat();
      await this.#store.reap();
    } catch (error) {
      report("lease", error);
    }
  }

  async #beat(): Promise<void> {
    const before = [...this.#runs.keys()];
    const { owned, stopRequested } = await this.#store.beat(this.owner, this.leaseMs);
    for (const name of stopRequested) this.stop(name);
    const still = new Set(owned);
    for (const name of before) if (!still.has(name)) this.#runs.get(name)?.lose();
  }
}
