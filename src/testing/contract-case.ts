// The shape of a rule of the store contract as a test.

import type { Store } from "../log/store.ts";
import type { ManualClock } from "./manual-clock.ts";

/** What a rule is tried on. */
export interface ContractGround {
  readonly store: Store;
  readonly clock: ManualClock;
  /** Another store object over the same place, as a second process has it; undefined where a place cannot be shared. */
  readonly second: () => Promise<Store | undefined>;
}

/** One rule: `name` begins with its number in the text. Rejects if the store breaks it. */
export interface ContractCase {
  readonly name: string;
  run(ground: ContractGround): Promise<void>;
}
