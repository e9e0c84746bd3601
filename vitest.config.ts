// Which tests there are and how they share a machine of two cores, which may be slow and busy with other things: no limit
// here says how fast a test has to be, only when it is certain that it hangs.

import { type ViteUserConfig, defineConfig } from "vitest/config";

/** The seed of the property tests: the same in every run, one that was asked for, or with LONG=1 any. */
const SEED = process.env["FAST_CHECK_SEED"] ?? (process.env["LONG"] === "1" ? String(Date.now() | 0) : "20261");
if (!/^-?\d{1,10}$/.test(SEED)) throw new Error(`FAST_CHECK_SEED is an integer, but it was given as "${SEED}".`);
if (SEED !== "20261") console.log(`The seed of this run: FAST_CHECK_SEED=${SEED}`);

/** For tests with other processes beside them, perhaps on a machine that has no time: `npm test` names each that needed it. */
const SECOND_TRY = 1;

const config: ViteUserConfig = defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    teardownTimeout: 10_000,
    env: { FAST_CHECK_SEED: SEED },
    setupFiles: ["./test/setup.ts"],
    expect: { poll: { timeout: 30_000 } },
    // A forgotten `test.only` would let `npm test` pass on one test.
    allowOnly: process.env["TAILRACE_TEST_COUNTS"] === undefined,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["src/**/*.test.{ts,tsx}", "bench/**/*.test.ts", "test/*.test.ts", "apps/demo/**/*.test.{ts,tsx}"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          // Servers and processes that are killed, cut off and restarted, without a browser.
          name: "processes",
          include: ["test/*/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          retry: SECOND_TRY,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          // Real servers and a browser: one file at a time, and only when the unit tests no longer take the cores.
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          fileParallelism: false,
          retry: SECOND_TRY,
          sequence: { groupOrder: 1 },
          expect: { poll: { timeout: 60_000 } },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});

export default config;
