// `tailrace/testing`: the contracts for stores and upload storages of your own, and a clock for tests.

export { checkRule, storeContract, type StoreMaker } from "./testing/store-contract.ts";
export type { ContractCase, ContractGround } from "./testing/contract-case.ts";
export { createManualClock, type ManualClock } from "./testing/manual-clock.ts";
export {
  checkUploadStorageRule,
  uploadStorageContract,
  type UploadStorageCase,
  type UploadStorageGround,
  type UploadStorageMaker,
} from "./testing/upload-storage-contract.ts";
export type { Clock } from "./clock.ts";
