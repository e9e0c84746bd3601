// Keeps the runs of this process alive by its lease, hands them the wish to stop, and ends the runs of dead owners.

import type { Clock } from "../clock.ts";
import { isTailraceError } from "../errors.ts";
import { report } from "../trace.ts";
import type { Store } from "./store.ts";

/** A run that this process writes. */
interface KeptRun {
  /** Whether another process may carry it on, so that it is given up rather than ended when this one goes away. */
  readonly canBeReleased: boolean;
  finish(end: { readonly reason: "stopped" | "interrupted" }): void;
  release(): void;
  lose(): void;
  readonly settled: Promise<void>;
}

/**
 * One lease for all runs of a process: one small write per beat, however many runs there are. Nothing ticks while the process
 * neither writes nor follows a stream, nor looks for runs that it can carry on.
 */
export class Keeper {
  /** Names this process as an owner. */
  readonly owner: string = crypto.randomUUID();
  readonly leaseMs: number;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #runs = new Map<string, KeptRun>();
  /** Runs that could not be written any more although they were ours, with their epochs: to be given up when the store answers. */
  readonly #forsaken = new Map<string, number>();
  /** The claims that are under way. */
  readonly #claims = new Set<{ readonly name: string }>();
  /** Runs that the last beat named although nobody writes them here. */
  #strays: ReadonlySet<string> = new Set();
  #isUsed = false;
  #look: (() => Promise<void>) | undefined;
  #cancelTick: (() => void) | undefined;
  #ticking: Promise<void> | undefined;
  #tickAgain = false;

  constructor(store: Store, leaseMs: number, clock: Clock) {
    this.#store = store;
    this.leaseMs = leaseMs;
    this.#clock = clock;
  }

  get runCount(): number {
    return this.#runs.size;
  }

  add(name: string, run: KeptRun): void {
    // A run of that name from before: its epoch is over, or this process could not have been given the run again.
    this.#runs.get(name)?.lose();
    this.#forsaken.delete(name);
    this.#runs.set(name, run);
  }

  remove(name: string, run: KeptRun): void {
    if (this.#runs.get(name) === run) this.#runs.delete(name);
  }

  /** A claim of `name` is under way, until the result is called: the store may hold us to be its writer already. */
  await(name: string): () => void {
    const claim = { name };
    this.#claims.add(claim);
    return () => this.#claims.delete(claim);
  }

  /** The store holds this process to be writing `name`, but it does not any more: the next tick gives the run up. */
  forsake(name: string, epoch: number): void {
    this.#forsaken.set(name, epoch);
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
    this.#rearm();
  }

  /** Ticks, and looks with each tick, while `look` is given. */
  setLook(look: (() => Promise<void>) | undefined): void {
    this.#look = look;
    this.#rearm();
  }

  /** Resolves when no tick is under way. */
  async idle(): Promise<void> {
    await this.#ticking;
  }

  /** Gives up, or ends as `interrupted`, every run of this process, now. */
  async leaveAll(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const run of runs) {
      if (run.canBeReleased) run.release();
      else run.finish({ reason: "interrupted" });
    }
    await Promise.all(runs.map((run) => run.settled));
  }

  /** Beats, reaps and looks, now; while that is under way already, once more after it. */
  tick(): Promise<void> {
    this.#tickAgain = true;
    this.#ticking ??= this.#tickAll().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  #rearm(): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    if (this.#isUsed || this.#look !== undefined) this.#arm();
  }

  #arm(): void {
    // Four beats per lease: three may fail before it runs out.
    this.#cancelTick = this.#clock.after(this.leaseMs / 4, () => {
      this.#cancelTick = undefined;
      void this.tick().finally(() => {
        if ((this.#isUsed || this.#look !== undefined) && this.#cancelTick === undefined) this.#arm();
      });
    });
  }

  async #tickAll(): Promise<void> {
    while (this.#tickAgain) {
      this.#tickAgain = false;
      try {
        // Our own lease first: a process that has slept must not take its own runs for orphans.
        if (this.#runs.size > 0) await this.#beat();
        await this.#giveUpForsaken();
        await this.#store.reap();
        await this.#look?.();
      } catch (error) {
        report("lease", error);
      }
    }
  }

  async #beat(): Promise<void> {
    const before = [...this.#runs];
    const { owned, stopRequested } = await this.#store.beat(this.owner, this.leaseMs);
    for (const name of stopRequested) this.stop(name);
    const still = new Set(owned);
    for (const [name, run] of before) if (!still.has(name)) run.lose();
    await this.#findStrays(owned);
  }

  /**
   * Runs that the store holds to be ours and that nobody writes here: their end was lost with a store that failed over, or the answer to
   * their claim never came. One that two beats name is given up, for our lease would keep it alive for ever.
   */
  async #findStrays(owned: readonly string[]): Promise<void> {
    const isStray = (name: string): boolean =>
      !this.#runs.has(name) && !this.#forsaken.has(name) && ![...this.#claims].some((claim) => claim.name === name);
    const strays = owned.filter(isStray);
    for (const name of strays) {
      if (!this.#strays.has(name)) continue;
      const run = (await this.#store.head(name))?.run;
      if (run?.owner === this.owner && isStray(name)) this.forsake(name, run.epoch);
    }
    this.#strays = new Set(strays);
  }

  /** Our lease goes on for the sake of other runs, so these would never be missed. */
  async #giveUpForsaken(): Promise<void> {
    for (const [name, epoch] of this.#forsaken) {
      try {
        await this.#store.append(name, [], { epoch, release: true });
      } catch (error) {
        // Ended, taken over or deleted meanwhile: there is nothing left to give up.
        if (!isTailraceError(error) || error.code === "store_unavailable") throw error;
      }
      this.#forsaken.delete(name);
    }
  }
}
