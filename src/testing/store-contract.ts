// The store contract as tests, one per rule of docs/store-contract.md, for any store and any test runner.

import type { Clock } from "../clock.ts";
import type { Store } from "../log/store.ts";
import { appendCases } from "./contract-append.ts";
import { readCases } from "./contract-read.ts";
import { runCases } from "./contract-runs.ts";
import { takeoverCases } from "./contract-takeover.ts";
import type { ContractCase } from "./contract-case.ts";
import { createManualClock } from "./manual-clock.ts";

/** How the stores to be checked are made. */
export interface StoreMaker {
  /** A store over a place that is new and empty, or over the `place` of an earlier one. It reads time from `clock` only. */
  make(clock: Clock, place: string): Promise<Store>;
  /** Whether two store objects can share a place. */
  readonly isShared: boolean;
}

/**
 * Every rule as a case. With vitest:
 *
 * ```ts
 * for (const rule of storeContract) test(rule.name, () => checkRule(rule, maker));
 * ```
 */
export const storeContract: readonly ContractCase[] = [...appendCases, ...readCases, ...runCases, ...takeoverCases];

/** Tries one rule on stores from `maker`, and closes them. @throws if the store breaks the rule */
export async function checkRule(rule: ContractCase, maker: StoreMaker): Promise<void> {
  const clock = createManualClock();
  const place = crypto.randomUUID();
  const stores: Store[] = [];
  const make = async (): Promise<Store> => {
    const store = await maker.make(clock, place);
    stores.push(store);
    return store;
  };
  try {
    const store = await make();
    await rule.run({ store, clock, second: async () => (maker.isShared ? make() : undefined) });
  } finally {
    for (const store of stores) await store.close();
  }
}
