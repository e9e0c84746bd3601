// `tailrace/testing`: the store contract for stores of your own, and a clock for tests.

export { checkRule, storeContract, type StoreMaker } from "./testing/store-contract.ts";
export type { ContractCase, ContractGround } from "./testing/contract-case.ts";
export { createManualClock, type ManualClock } from "./testing/manual-clock.ts";
export type { Clock } from "./clock.ts";
