// Where things stand in the repository. Runs on Node 20, before anything is installed.

import path from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, which is also the package `tailrace`. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const DEMO = path.join(ROOT, "apps", "demo");
export const DIST = path.join(ROOT, "dist");
export const MODULES = path.join(ROOT, "node_modules");
/** Stamps of what was installed and built; `npm ci` empties it, and then all is built anew. */
export const STAMPS = path.join(MODULES, ".cache", "tailrace");
/** Scratch space of the tooling, outside node_modules so that it outlives `npm ci`; ignored by git. */
export const SCRATCH = path.join(ROOT, ".tailrace");
/** The major version of Node that the demo, the tests and the tools run on. */
export const NODE_MAJOR = 24;
