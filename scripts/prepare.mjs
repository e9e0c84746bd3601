// Brings a checkout to where it can run: dependencies, then the package, then the demo. Run by hand it takes how far to
// go: `node scripts/prepare.mjs [install|package|demo]`, by default all.

import { fileURLToPath } from "node:url";
import { buildDemo, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";
import { findNode } from "./node24.mjs";
import { Failure, main } from "./report.mjs";
import { inTurn } from "./turns.mjs";

/** @typedef {"install" | "package" | "demo"} Extent each includes the ones before it */

/**
 * Does what is missing, and nothing when nothing is.
 * @param {Extent} extent
 * @returns {Promise<string>} the Node to run everything with
 */
export function prepare(extent) {
  return inTurn(async () => {
    await install();
    const node = findNode();
    if (extent !== "install") await buildPackage(node);
    if (extent === "demo") await buildDemo(node);
    return node;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const extent = process.argv[2] ?? "demo";
    if (extent !== "install" && extent !== "package" && extent !== "demo") {
      throw new Failure(`"${extent}" is unknown; say install, package or demo`);
    }
    await prepare(extent);
    return 0;
  });
}
