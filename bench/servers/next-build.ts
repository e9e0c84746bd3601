// Builds the benchmark's Next.js app once, and again only when what goes into it has changed.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fleet } from "./fleet.ts";

/** The folder of the app. */
export const NEXT_APP_DIR: string = fileURLToPath(new URL("../next-app", import.meta.url));

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Next's command line, to be run by this same Node. */
export const NEXT_BIN: string = join(ROOT, "node_modules/next/dist/bin/next");

const STAMP = join(NEXT_APP_DIR, ".next/bench-stamp");
const BUILD_LIMIT_MS = 120_000;
// Generated or rewritten by the build itself; counting them would make every build look out of date.
const NOT_INPUT = /(^|\/)(\.next|node_modules|next-env\.d\.ts|tsconfig\.tsbuildinfo)(\/|$)|\.(map|d\.ts)$/;

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const folder of ["bench/next-app", "bench/servers", "dist"]) {
    const names = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const path of names.toSorted()) {
      if (NOT_INPUT.test(path.slice(ROOT.length))) continue;
      hash.update(path.slice(ROOT.length)).update("\0").update(readFileSync(path)).update("\0");
    }
  }
  for (const path of ["package.json", "node_modules/next/package.json"]) hash.update(readFileSync(join(ROOT, path)));
  return hash.update(process.version).digest("hex");
}

function stamped(): string | undefined {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return undefined;
  }
}

/** Runs `next build` unless the last one had the same input. Throws with the build's own words when it fails. */
export async function buildNextApp(fleet: Fleet): Promise<void> {
  const now = fingerprint();
  if (stamped() === now) return;
  await fleet.runToEnd("next build of bench/next-app", [NEXT_BIN, "build", NEXT_APP_DIR], NEXT_APP_DIR, BUILD_LIMIT_MS);
  writeFileSync(STAMP, now);
}
