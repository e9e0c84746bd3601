// Builds the package (tsc) and the demo (next build), each only when something it is made of has changed.

import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { installedBin, mustRun } from "./command.mjs";
import { DEMO, DIST, ROOT } from "./project.mjs";
import { step } from "./report.mjs";
import { fingerprint, isStamped, stamp, unstamp } from "./stamps.mjs";

const SOURCE = path.join(ROOT, "src");
const LOCK = path.join(ROOT, "package-lock.json");

/** Set for every process of Next.js that we start. */
export const NEXT_ENVIRONMENT = { NEXT_TELEMETRY_DISABLED: "1" };

/**
 * Compiles src/ to dist/ if needed.
 * @param {string} node the Node to compile with
 * @returns {Promise<void>}
 */
export async function buildPackage(node) {
  const inputs = packageInputs();
  if (isStamped("package", inputs) && existsSync(path.join(DIST, "index.js"))) return;
  unstamp("package");
  await step("building the package (tsc)", () =>
    mustRun("tsc", node, [installedBin("typescript", "tsc"), "-p", "tsconfig.build.json"]),
  );
  sweepDist();
  stamp("package", inputs);
}

/**
 * Builds apps/demo if needed.
 * @param {string} node the Node to build with
 * @returns {Promise<void>}
 */
export async function buildDemo(node) {
  const inputs = demoInputs();
  if (isStamped("demo", inputs) && existsSync(path.join(DEMO, ".next", "BUILD_ID"))) return;
  unstamp("demo");
  await step("building the demo (next build)", () =>
    mustRun("next build", node, [installedBin("next"), "build", "apps/demo"], {
      env: { ...process.env, ...NEXT_ENVIRONMENT },
    }),
  );
  stamp("demo", inputs);
}

/** @param {string} name */
function isTest(name) {
  return /\.test\.tsx?$/.test(name);
}

function packageInputs() {
  const configs = ["tsconfig.json", "tsconfig.build.json"].map((name) => path.join(ROOT, name));
  return fingerprint([SOURCE, ...configs, LOCK], isTest);
}

function demoInputs() {
  const pages = readdirSync(ROOT)
    .filter((name) => name.endsWith(".md"))
    .map((name) => path.join(ROOT, name));
  const rest = [path.join(ROOT, "package.json"), path.join(ROOT, "docs"), path.join(ROOT, "examples"), DEMO, ...pages];
  const own = fingerprint(rest, (name, isFolder) =>
    isFolder
      ? name.startsWith(".next") || name === "node_modules" || name === "data"
      : isMadeByNext(name) || isTest(name),
  );
  return `${packageInputs()} ${own}`;
}

/** @param {string} name */
function isMadeByNext(name) {
  return name === "next-env.d.ts" || name.endsWith(".tsbuildinfo");
}

/** Deletes from dist/ what no source makes any more. tsc leaves it, and it would be packed. */
function sweepDist() {
  for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const place = path.join(entry.parentPath, entry.name);
    const source = path.join(SOURCE, path.relative(DIST, place)).replace(/(\.d\.ts|\.js)(\.map)?$/, "");
    if (!existsSync(`${source}.ts`) && !existsSync(`${source}.tsx`)) rmSync(place);
  }
}
