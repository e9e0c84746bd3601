// Run by `npm start` before the server: says in one line what would keep the demo from starting, and makes what it lacks.

import { existsSync } from "node:fs";
import pg from "pg";
import { redisUrl } from "./lib/environment.ts";
import { checkRedis } from "./lib/redis.ts";
import { sampleFile } from "./lib/sample/database.ts";
import { fillPostgres } from "./lib/sample/fill-postgres.ts";
import { makeSample, type OnRows } from "./lib/sample/make.ts";

/** Told as often as this, in percent. */
const STEP_PERCENT = 20;

try {
  const url = redisUrl();
  if (url !== undefined) await checkRedis(url);
  // Only now: the module opens its store for the address that has just been looked at.
  const { closeStreams, streams } = await import("./lib/streams.ts");
  await streams.open();
  await closeStreams();
  const databaseUrl = process.env["DATABASE_URL"];
  if (databaseUrl) await fillDatabase(databaseUrl);
  if (!existsSync(sampleFile)) await aloud("making the sample database", (onRows) => makeSample(sampleFile, onRows));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

/** Tells how far `work` has come. */
async function aloud(what: string, work: (onRows: OnRows) => Promise<void>): Promise<void> {
  let told = 0;
  await work((doneRows, allRows) => {
    const percent = Math.floor((100 * doneRows) / allRows);
    if (percent < told + STEP_PERCENT && told > 0) return;
    if (told === 0) console.log(`${what} (${allRows.toLocaleString("en")} rows) ...`);
    else console.log(`  ${percent} %`);
    told = Math.max(1, percent - (percent % STEP_PERCENT));
  });
}

async function fillDatabase(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    await aloud("filling the database of DATABASE_URL", (onRows) => fillPostgres(pool, onRows));
  } catch (error) {
    // A name with several addresses fails without a message, but with a code.
    const { message, code } = error as { readonly message?: string; readonly code?: string };
    const why = `The database of DATABASE_URL cannot be used: ${message || code || "it does not answer"}`;
    throw new Error(`${why}. Correct the address, or unset it to export from SQLite.`, { cause: error });
  } finally {
    await pool.end();
  }
}
