// `npm run soak`: crashes the stores again and again, and compares what they hold with what they acknowledged.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Tally } from "./oracle.ts";
import { Violation } from "./rules.ts";
import type { Setting } from "./setting.ts";
import { SETTINGS } from "./settings.ts";

/** So many crashes go on from one another; then comes a new seed, and an empty store. What fails is repeated from its seed. */
const CRASHES_PER_SEED = 12;
const DEFAULT_CRASHES = 200;

const USAGE = `Usage: npm run soak [-- OPTIONS]
  --store sqlite|redis  only this one
  --crashes N           crashes per store, ${DEFAULT_CRASHES} by default, shared out among its settings
  --setting TEXT        only settings with this text in their name, N crashes each
  --seed S              default: another one each time`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      store: { type: "string" },
      crashes: { type: "string", default: String(DEFAULT_CRASHES) },
      setting: { type: "string" },
      seed: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const crashes = Number(values.crashes);
  const chosen = SETTINGS.filter(
    ({ name }) => name.startsWith(values.store ?? "") && name.includes(values.setting ?? ""),
  );
  if (values.help === true || !Number.isInteger(crashes) || crashes < 1 || chosen.length === 0) {
    console.log(USAGE);
    return values.help === true ? 0 : 1;
  }
  const seed = values.seed ?? Math.random().toString(36).slice(2, 8);
  const summary: string[] = [];
  for (const setting of chosen) {
    const store = setting.name.split(",")[0]!;
    const sharers = chosen.filter(({ name }) => name.startsWith(store)).length;
    const count = values.setting === undefined ? Math.ceil(crashes / sharers) : crashes;
    const line = await soak(setting, seed, count);
    if (line === undefined) return 1;
    summary.push(line);
  }
  console.log(`\nseed ${seed}`);
  for (const line of summary) console.log(line);
  return 0;
}

/** @returns the line of the summary; undefined when a rule was broken */
async function soak(setting: Setting, seed: string, count: number): Promise<string | undefined> {
  const sums = { acknowledged: 0, unanswered: 0, unansweredKept: 0, lost: 0, seen: 0 };
  let done = 0;
  for (let chapter = 0; done < count; chapter++) {
    const chapterSeed = chapter === 0 ? seed : `${seed}.${chapter}`;
    const folder = mkdtempSync(join(tmpdir(), "tailrace-soak-"));
    try {
      const inChapter = Math.min(CRASHES_PER_SEED, count - done);
      for await (const { tally, note } of setting.crashes({ seed: chapterSeed, count: inChapter, folder })) {
        done++;
        for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += tally[key];
        console.log(`${setting.name}: crash ${done} (seed ${chapterSeed}): ${note}; ${told(tally)}`);
      }
    } catch (error) {
      console.log(`\n${setting.name}: FAILED at crash ${done + 1} (seed ${chapterSeed}); the files are in ${folder}`);
      console.log(error instanceof Violation ? error.message : error);
      const again = `--setting "${setting.name}" --seed ${chapterSeed} --crashes ${CRASHES_PER_SEED}`;
      console.log(`Again:  npm run soak -- ${again}`);
      return undefined;
    }
    rmSync(folder, { recursive: true, force: true });
  }
  return `${setting.name}: ${done} crashes, ${told(sums)}, no rule broken`;
}

function told({ acknowledged, unanswered, unansweredKept, lost, seen }: Tally): string {
  return `${acknowledged} appends acknowledged, ${lost} of them lost; ${unanswered} unanswered, ${unansweredKept} of them kept; ${seen} items followed`;
}

process.exitCode = await main();
