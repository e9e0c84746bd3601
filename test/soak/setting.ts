// A setting of the crash test: a store, how it is set up, and what is done to it.

import type { Tally } from "./oracle.ts";

export interface CrashOptions {
  readonly seed: string;
  readonly count: number;
  /** An empty folder of its own. */
  readonly folder: string;
}

export interface Crash {
  readonly tally: Tally;
  /** What was done, for the line that is printed. */
  readonly note: string;
}

export interface Setting {
  readonly name: string;
  /** Crashes, and gives each that was survived. @throws {Violation} at the first that was not */
  crashes(options: CrashOptions): AsyncGenerator<Crash, void, undefined>;
}
