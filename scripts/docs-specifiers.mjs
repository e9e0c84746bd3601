// Finds code in the documentation that imports what a reader could not import: a door that the package does not have, or
// a package that no one has installed.

import { readFileSync, readdirSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { ROOT } from "./project.mjs";

const CODE_BLOCK = /^([ \t]*)```(?:ts|tsx|js|jsx|mjs|typescript|javascript)\b.*\n([\s\S]*?)^\1```/gm;
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*(["'])([^"'\n]+)\1/g;

/**
 * @returns {string[]} one line for each wrong specifier: file, line and what is wrong; empty when all is well
 */
export function wrongSpecifiers() {
  const known = knownSpecifiers();
  return pages().flatMap((page) => {
    const text = readFileSync(path.join(ROOT, page), "utf8");
    return specifiersIn(text).flatMap(({ specifier, line }) => {
      const wrong = known(specifier);
      return wrong ? [`${page}:${line}: "${specifier}" ${wrong}`] : [];
    });
  });
}

/**
 * @param {string} text a page in Markdown
 * @returns {{ specifier: string, line: number }[]}
 */
function specifiersIn(text) {
  return [...text.matchAll(CODE_BLOCK)].flatMap((block) => {
    const code = block[2] ?? "";
    const start = block.index + block[0].indexOf("\n") + 1;
    return [...code.matchAll(SPECIFIER)].map((found) => ({
      specifier: found[2] ?? "",
      line: text.slice(0, start + found.index).split("\n").length,
    }));
  });
}

/** @returns {string[]} Markdown files, relative to the root */
function pages() {
  const isPage = (/** @type {string} */ name) => name.endsWith(".md");
  const atRoot = readdirSync(ROOT).filter(isPage);
  const below = ["docs", "examples", "apps/demo"].flatMap((folder) => {
    try {
      const names = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" });
      return names
        .filter((name) => isPage(name) && !/(^|[\\/])(node_modules|\.next)/.test(name))
        .map((name) => path.join(folder, name));
    } catch {
      return [];
    }
  });
  return [...atRoot, ...below];
}

/** @returns {(specifier: string) => string | undefined} what is wrong with a specifier */
function knownSpecifiers() {
  const root = manifest("package.json");
  const demo = manifest("apps/demo/package.json");
  const doors = Object.keys(root.exports ?? {}).map((door) => `tailrace${door.slice(1)}`);
  const packages = new Set(
    [root, demo].flatMap(({ dependencies, devDependencies, peerDependencies }) =>
      Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }),
    ),
  );
  return (specifier) => {
    if (/^(\.|@\/|https:|node:)/.test(specifier) || isBuiltin(specifier)) return undefined;
    const packageName = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    if (packageName === "tailrace") {
      return doors.includes(specifier) ? undefined : `is no door of the package; there are ${doors.join(", ")}`;
    }
    return packages.has(packageName)
      ? undefined
      : "is a package that this repository does not install, so nobody tried it";
  };
}

/**
 * @param {string} file
 * @returns {{ exports?: object, dependencies?: object, devDependencies?: object, peerDependencies?: object }}
 */
function manifest(file) {
  return JSON.parse(readFileSync(path.join(ROOT, file), "utf8"));
}
