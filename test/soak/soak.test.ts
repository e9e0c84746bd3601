// The crash test in short: the same code as `npm run soak`, a few crashes of each setting.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Violation } from "./rules.ts";
import { SETTINGS } from "./settings.ts";
import { cutPower } from "./sqlite-power.ts";

const CRASHES = 6;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tailrace-soak-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

// What is traced needs strace, which only Linux has.
const settings = SETTINGS.filter(({ name }) => process.platform === "linux" || !name.includes("power"));

describe("a store that crashes", { timeout: 240_000 }, () => {
  test.each(settings.map((setting) => [setting.name, setting] as const))(
    "keeps its word: %s",
    async (_name, setting) => {
      let acknowledged = 0;
      let crashes = 0;
      for await (const { tally } of setting.crashes({ seed: "short", count: CRASHES, folder })) {
        acknowledged += tally.acknowledged;
        crashes++;
      }
      expect(crashes).toBe(CRASHES);
      expect(acknowledged).toBeGreaterThan(0);
    },
  );

  test.runIf(process.platform === "linux")("is found out when it acknowledges what it has not synced", async () => {
    const crash = async (): Promise<void> => {
      for await (const { tally } of cutPower("process", "nothing", { seed: "short", count: 24, folder })) {
        expect(tally.lost).toBe(0);
      }
    };
    await expect(crash()).rejects.toThrow(Violation);
  });
});
