// The store contract over the stores of this package.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { checkRule, storeContract, type StoreMaker } from "../testing/store-contract.ts";
import { memoryStore } from "./memory.ts";
import { sqliteStore } from "./sqlite.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-contract-"));
});
afterAll(() => rm(folder, { recursive: true }));

const makers: Record<string, StoreMaker> = {
  memory: { isShared: false, make: async (clock, place) => memoryStore({ name: place, clock }) },
  sqlite: { isShared: true, make: async (clock, place) => sqliteStore(join(folder, `${place}.db`), { clock }) },
  "sqlite, durability disk": {
    isShared: true,
    make: async (clock, place) => sqliteStore(join(folder, `${place}.db`), { clock, durability: "disk" }),
  },
};

describe.each(Object.entries(makers))("%s", (_name, maker) => {
  test.each(storeContract)("$name", (rule) => checkRule(rule, maker));
});
