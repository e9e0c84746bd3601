// Who writes which run of the memory store: claims, leases, stops and takeovers.

import type { Clock } from "../clock.ts";
import type { End } from "../wire/format.ts";
import { fateOf, nextTry, type Tries } from "./run-rules.ts";
import { MAX_ORPHANS, type Beat, type CarryOn } from "./store.ts";

/** What a stream keeps of its run. */
export interface MemoryRun {
  readonly name: string;
  readonly tail: number;
  end: End | undefined;
  owner: string | undefined;
  /** 0: no run has ever written the stream. */
  epoch: number;
  stopRequested: boolean;
  carryOn: CarryOn | undefined;
  releasedAtMs: number | undefined;
  tries: Tries | undefined;
}

export class MemoryRuns<R extends MemoryRun> {
  readonly #clock: Clock;
  readonly #changed: (run: R) => void;
  readonly #leases = new Map<string, number>();

  constructor(clock: Clock, changed: (run: R) => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** @returns whether `owner` has it */
  claim(run: R, owner: string, leaseMs: number, carryOn: CarryOn | undefined): boolean {
    if (run.epoch !== 0 || run.end !== undefined) return false;
    run.carryOn = carryOn;
    this.#give(run, owner, leaseMs);
    return true;
  }

  beat(runs: Iterable<R>, owner: string, leaseMs: number): Beat {
    this.#leases.set(owner, this.#clock.now() + leaseMs);
    const running = [...runs].filter(
      (run) => run.owner === owner && run.end === undefined && run.releasedAtMs === undefined,
    );
    return {
      owned: running.map((run) => run.name),
      stopRequested: running.filter((run) => run.stopRequested).map((run) => run.name),
    };
  }

  /** What `append` does to the run when it is to be given up. */
  release(run: R): void {
    run.epoch++;
    run.releasedAtMs = this.#clock.now();
    run.tries = undefined;
  }

  /** @returns whether nobody had asked for it before */
  requestStop(run: R): boolean {
    if (run.end !== undefined || run.owner === undefined || run.stopRequested) return false;
    run.stopRequested = true;
    return true;
  }

  orphans(runs: Iterable<R>, kinds: readonly string[]): readonly string[] {
    const names: string[] = [];
    for (const run of runs) {
      if (names.length >= MAX_ORPHANS) break;
      if (run.carryOn === undefined || !kinds.includes(run.carryOn.kind)) continue;
      if (this.#fateOf(run) === "waiting") names.push(run.name);
    }
    return names;
  }

  /** @returns whether `owner` has it */
  takeOver(run: R, owner: string, leaseMs: number): boolean {
    const fate = this.#fateOf(run);
    if (fate === "stopped") this.#end(run, fate);
    if (fate !== "waiting") return false;
    const tries = run.releasedAtMs === undefined ? nextTry(run.tries, run.tail) : undefined;
    if (tries === "too many") {
      this.#end(run, "interrupted");
      return false;
    }
    run.tries = tries;
    this.#give(run, owner, leaseMs);
    return true;
  }

  /** Ends the run if it must end. @returns whether it did */
  reap(run: R): boolean {
    const fate = this.#fateOf(run);
    if (fate !== "stopped" && fate !== "interrupted") return false;
    this.#end(run, fate);
    return true;
  }

  /** Forgets the leases that have run out, but for those by which a run's waiting time is reckoned. */
  dropLeases(runs: Iterable<R>): void {
    const now = this.#clock.now();
    const over = new Set<string>();
    for (const [owner, until] of this.#leases) if (until <= now) over.add(owner);
    if (over.size === 0) return;
    for (const run of runs) if (run.owner !== undefined && run.end === undefined) over.delete(run.owner);
    for (const owner of over) this.#leases.delete(owner);
  }

  #give(run: R, owner: string, leaseMs: number): void {
    run.owner = owner;
    run.epoch++;
    run.releasedAtMs = undefined;
    this.#leases.set(owner, this.#clock.now() + leaseMs);
    this.#changed(run);
  }

  #end(run: R, reason: "stopped" | "interrupted"): void {
    run.end = { reason };
    this.#changed(run);
  }

  #fateOf(run: R): ReturnType<typeof fateOf> {
    const { owner, end, stopRequested, carryOn, releasedAtMs } = run;
    if (owner === undefined || end !== undefined) return "none"; // almost every stream: not worth an object
    const leaseUntilMs = this.#leases.get(owner);
    return fateOf({ owner, end, stopRequested, carryOn, releasedAtMs, leaseUntilMs }, this.#clock.now());
  }
}
