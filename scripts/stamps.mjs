// Remembers what was made from which inputs, so that nothing is made twice.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT, STAMPS } from "./project.mjs";

/**
 * A hash over names and contents of files and folders. What does not exist counts as absent, so that its coming or
 * going changes the hash too.
 * @param {readonly string[]} inputs absolute paths of files and folders
 * @param {(name: string, isFolder: boolean) => boolean} [leaveOut] by the bare name
 * @returns {string}
 */
export function fingerprint(inputs, leaveOut = () => false) {
  const hash = createHash("sha256");
  /** @param {string} place */
  const addFile = (place) => {
    const content = readFileSync(place);
    hash.update(`${path.relative(ROOT, place)}\0${content.length}\0`).update(content);
  };
  /** @param {string} folder */
  const addFolder = (folder) => {
    const entries = readdirSync(folder, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (leaveOut(entry.name, entry.isDirectory())) continue;
      const place = path.join(folder, entry.name);
      if (entry.isDirectory()) addFolder(place);
      else if (entry.isFile()) addFile(place);
    }
  };
  for (const input of inputs) {
    if (!existsSync(input)) hash.update(`${path.relative(ROOT, input)}\0absent\0`);
    else if (path.extname(input) === "" && isFolder(input)) addFolder(input);
    else addFile(input);
  }
  return hash.digest("hex");
}

/** @param {string} place */
function isFolder(place) {
  try {
    readdirSync(place);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether `name` was last finished with these inputs.
 * @param {string} name
 * @param {string} inputs a {@link fingerprint}
 */
export function isStamped(name, inputs) {
  try {
    return readFileSync(path.join(STAMPS, name), "utf8") === inputs;
  } catch {
    return false;
  }
}

/**
 * Notes that `name` is finished. Take the fingerprint before the work begins: an edit meanwhile then makes it stale.
 * @param {string} name
 * @param {string} inputs
 */
export function stamp(name, inputs) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(path.join(STAMPS, name), inputs);
}

/**
 * Forgets `name`, before work that may be cut short.
 * @param {string} name
 */
export function unstamp(name) {
  rmSync(path.join(STAMPS, name), { force: true });
}
