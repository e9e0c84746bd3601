// Runs of an owner that nothing has happened to since they were looked at, so that a beat need not look at each. Whatever changes
// how a run stands with its owner changes its entry there, too; so an entry that is as it was vouches for its run.

/** How many runs a beat looks at all the same, those looked at longest ago first: in case somebody died before he told. */
export const LOOKS_PER_BEAT = 16;

/** A run as the owner's entry names it. */
export type RunEntry = readonly [name: string, token: string];

interface Quiet {
  readonly token: string;
  /** Until when, in the server's time: a stream may expire without anybody's doing. */
  untilMs: number;
}

export class QuietRuns {
  readonly #owners = new Map<string, Map<string, Quiet>>();

  /** Whether runs of `owner` are given or kept alive by this object. */
  has(owner: string): boolean {
    return this.#owners.has(owner);
  }

  /** Which of the runs must be looked at; those of the others that are here are as they were. Forgets all that are not named. */
  toLookAt(owner: string, entries: readonly RunEntry[], nowMs: number): RunEntry[] {
    const before = this.#owners.get(owner) ?? new Map<string, Quiet>();
    const named = new Map(entries);
    for (const name of before.keys()) if (!named.has(name)) before.delete(name);
    if (named.size > 0) this.#owners.set(owner, before);
    else this.#owners.delete(owner);
    const isQuiet = (name: string, token: string): boolean => {
      const quiet = before.get(name);
      return quiet !== undefined && quiet.token === token && nowMs < quiet.untilMs;
    };
    const look = entries.filter(([name, token]) => !isQuiet(name, token));
    for (const [name, { token }] of before) {
      if (look.length >= LOOKS_PER_BEAT) break;
      if (isQuiet(name, named.get(name)!)) look.push([name, token]);
    }
    return look;
  }

  /** The run is looked at. @returns to be called if it is found to be the owner's, and nothing to be wished for */
  look(owner: string, [name, token]: RunEntry): (untilMs: number | undefined) => void {
    const runs = this.#owners.get(owner) ?? new Map<string, Quiet>();
    const quiet: Quiet = { token, untilMs: Number.NEGATIVE_INFINITY };
    this.#owners.set(owner, runs);
    runs.delete(name); // the latest last
    runs.set(name, quiet);
    return (untilMs = Number.POSITIVE_INFINITY) => {
      quiet.untilMs = untilMs; // of no use if something has happened to the run meanwhile: it is not in the map any more
    };
  }

  /** Something has happened to the run. */
  forget(name: string): void {
    for (const runs of this.#owners.values()) runs.delete(name);
  }

  /** Something may have happened to any of them. */
  forgetAll(): void {
    for (const runs of this.#owners.values()) runs.clear();
  }
}
