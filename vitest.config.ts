// Which tests there are and how they share a machine of two cores.

import { type ViteUserConfig, defineConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    teardownTimeout: 10_000,
    // A forgotten `test.only` would let `npm test` pass on one test.
    allowOnly: process.env["TAILRACE_TEST_COUNTS"] === undefined,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "src/**/*.test.{ts,tsx}",
            "bench/**/*.test.ts",
            "test/**/*.test.ts",
            "apps/demo/**/*.test.{ts,tsx}",
          ],
          exclude: ["test/e2e/**", "**/node_modules/**"],
          testTimeout: 10_000,
          hookTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          // Real servers and a browser: one file at a time, and only when the unit tests no longer take the cores.
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});

export default config;
