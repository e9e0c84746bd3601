// Run by `npm start` before the server: says in one line what would keep the demo from starting, and makes what it lacks.

import { existsSync } from "node:fs";
import { sampleFile } from "./lib/sample/database.ts";
import { makeSample } from "./lib/sample/make.ts";
import { streams } from "./lib/streams.ts";

/** Told as often as this, in percent. */
const STEP_PERCENT = 20;

try {
  if (process.env["REDIS_URL"])
    throw new Error("REDIS_URL is set, but this version keeps its streams in SQLite only: unset it.");
  await streams.open();
  await streams.close();
  if (!existsSync(sampleFile)) await makeSampleAloud();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function makeSampleAloud(): Promise<void> {
  let told = 0;
  await makeSample(sampleFile, (doneRows, allRows) => {
    const percent = Math.floor((100 * doneRows) / allRows);
    if (percent < told + STEP_PERCENT && told > 0) return;
    if (told === 0) console.log(`making the sample database (${allRows.toLocaleString("en")} rows) ...`);
    else console.log(`  ${percent} %`);
    told = Math.max(1, percent - (percent % STEP_PERCENT));
  });
}
