// Completes package-lock.json after a change of dependencies: `npm install && node scripts/complete-lock.mjs`.
//
// A package with native builds lists one optional dependency per system. Where the registry lacks one of them, npm writes
// no entry for it, and `npm ci` then refuses the lock ("Missing: ... from lock file"). So each gets an entry that says
// which system it is for, read out of its name. npm leaves such an entry alone and never fetches it anywhere else.

import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "./project.mjs";
import { main, say } from "./report.mjs";

/**
 * @typedef {object} Entry
 * @property {string} [version]
 * @property {boolean} [dev]
 * @property {Record<string, string>} [optionalDependencies]
 */
/** @typedef {Record<string, Entry>} Packages by place, as in `node_modules/next` */
/** @typedef {{ readonly place: string, readonly entry: object }} Addition */

const SYSTEMS = new Set("aix android darwin freebsd linux netbsd openbsd openharmony sunos win32".split(" "));
const PROCESSORS = new Set("arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x wasm32 x64".split(" "));

/**
 * The optional platform packages that a lock names but has no entry for.
 * @param {string} lockFile
 * @returns {string[]} their places, as in `node_modules/@next/swc-darwin-x64`
 */
export function missingEntries(lockFile) {
  return additionsTo(readLock(lockFile).packages).map(({ place }) => place);
}

/**
 * @param {Packages} packages
 * @returns {Addition[]}
 */
function additionsTo(packages) {
  return Object.entries(packages).flatMap(([owner, { dev, optionalDependencies }]) =>
    Object.entries(optionalDependencies ?? {}).flatMap(([name, version]) => {
      if (isPresent(packages, owner, name)) return [];
      const target = targetOf(name);
      // A range tells no version to write, and a name without a system nothing to keep npm from fetching it.
      if (!target || !/^\d+\.\d+\.\d+/.test(version)) return [];
      return [{ place: `node_modules/${name}`, entry: entryFor(version, target, dev) }];
    }),
  );
}

/**
 * Looks where Node would: beside the owner's own modules, then in each folder above it.
 * @param {Packages} packages
 * @param {string} owner
 * @param {string} name
 */
function isPresent(packages, owner, name) {
  for (let folder = owner; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    if (packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`]) return true;
    if (folder === "") return false;
  }
}

/**
 * The system in a package's name, as in `swc-linux-x64-musl`.
 * @param {string} name
 * @returns {{ os: string, cpu: string | undefined, libc: string | undefined } | undefined}
 */
function targetOf(name) {
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  const isMusl = words.some((word) => word.endsWith("musl") || word.startsWith("musl"));
  const os = words.find((word) => SYSTEMS.has(word)) ?? (words.includes("linuxmusl") ? "linux" : undefined);
  if (os === undefined) return undefined;
  const libc = os === "linux" ? (isMusl ? "musl" : "glibc") : undefined;
  return { os, cpu: words.find((word) => PROCESSORS.has(word)), libc };
}

/**
 * An entry with its keys in npm's own order, so that a later `npm install` does not rewrite the file.
 * @param {string} version
 * @param {{ os: string, cpu: string | undefined, libc: string | undefined }} target
 * @param {boolean | undefined} dev
 */
function entryFor(version, { os, cpu, libc }, dev) {
  return {
    version,
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(dev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  };
}

/**
 * @param {string} lockFile
 * @returns {{ packages: Packages }}
 */
function readLock(lockFile) {
  return JSON.parse(readFileSync(lockFile, "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const file = process.argv[2] ?? path.join(ROOT, "package-lock.json");
    const lock = readLock(file);
    const additions = additionsTo(lock.packages);
    for (const { place, entry } of additions) lock.packages[place] = entry;
    const byPlace = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, "en"));
    if (additions.length > 0) {
      writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(byPlace) }, null, 2)}\n`);
    }
    for (const { place } of additions) say(`added ${place}`);
    say(`${additions.length} entries added to ${path.basename(file)}`);
    return 0;
  });
}
