// Installs the dependencies when they are not there, or are not those of package-lock.json.

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { mustRun, npmEnvironment } from "./command.mjs";
import { MODULES, ROOT } from "./project.mjs";
import { step } from "./report.mjs";
import { fingerprint, isStamped, stamp } from "./stamps.mjs";

const LOCK = path.join(ROOT, "package-lock.json");
/** npm's own note of what it put into node_modules. */
const INSTALLED = path.join(MODULES, ".package-lock.json");

/**
 * Runs `npm ci` if needed.
 * @returns {Promise<void>}
 */
export async function install() {
  const inputs = fingerprint([LOCK]);
  if (existsSync(INSTALLED) && (isStamped("install", inputs) || isInstalled())) {
    if (!isStamped("install", inputs)) stamp("install", inputs);
    return;
  }
  // Development and optional packages are asked for by name, whatever NODE_ENV or npm's configuration leave out: the
  // compiler is one of the first, Node 24 one of the second. The log level hides what npm says about an older Node.
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  await step("installing the dependencies (npm ci)", () => mustRun("npm ci", "npm", args, { env: npmEnvironment() }));
  stamp("install", inputs);
}

/**
 * Whether node_modules holds what the lock asks for, as after an `npm install` by hand. Optional packages may be absent:
 * most are for other systems.
 */
function isInstalled() {
  const wanted = packagesOf(LOCK);
  const present = packagesOf(INSTALLED);
  return Object.entries(wanted).every(([place, entry]) => {
    if (place === "" || !place.includes("node_modules/")) return true;
    const found = present[place];
    return found === undefined ? (entry.optional ?? entry.devOptional ?? false) : found.version === entry.version;
  });
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { readonly version?: string, readonly optional?: boolean, readonly devOptional?: boolean }>}
 */
function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, "utf8")).packages;
}
