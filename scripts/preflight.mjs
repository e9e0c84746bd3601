// Checks what the demo needs from outside before anything slow begins: an address to listen on, a folder to write to.

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { ROOT } from "./project.mjs";
import { Failure } from "./report.mjs";

/**
 * @typedef {object} Settings what the environment says about where the demo runs
 * @property {string} host from HOST
 * @property {number} port from PORT; 0 there has become a free one
 * @property {string} dataDir from DATA_DIR, absolute; a relative one is taken from the repository's root
 */

/**
 * Reads PORT, HOST and DATA_DIR, and checks all three.
 * @returns {Promise<Settings>}
 * @throws {Failure} naming what is wrong and which variable to set
 */
export async function checkSettings() {
  const host = process.env["HOST"] || "127.0.0.1";
  const wanted = process.env["PORT"] || "3000";
  if (!/^\d{1,5}$/.test(wanted) || Number(wanted) > 65_535) {
    throw new Failure(
      `PORT is "${wanted}", which is no port: set PORT to a number from 1 to 65535, or 0 for any free one`,
    );
  }
  const dataDir = path.resolve(ROOT, process.env["DATA_DIR"] || "data");
  checkDataDir(dataDir);
  return { host, port: await checkPort(host, Number(wanted)), dataDir };
}

/**
 * Checks that the port can be listened on, by doing so for a moment.
 * @param {string} host
 * @param {number} port
 * @returns {Promise<number>} the port, chosen by the system where 0 was asked for
 */
export function checkPort(host, port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      reject(new Failure(tellListenError(error, host, port)));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(address.port));
    });
  });
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {string} host
 * @param {number} port
 */
function tellListenError(error, host, port) {
  const another = `set PORT to another one, as in PORT=${port < 65_535 ? port + 1 : port - 1} npm start`;
  if (error.code === "EADDRINUSE")
    return `port ${port} on ${host} is taken by another program: end that one, or ${another}`;
  if (error.code === "EACCES") return `port ${port} on ${host} may not be used by this user: ${another}`;
  return `HOST ${host} is no address of this machine (${error.code}): set HOST to one, such as 127.0.0.1 or 0.0.0.0`;
}

/** @param {string} dataDir */
function checkDataDir(dataDir) {
  const probe = path.join(dataDir, `.probe-${process.pid}`);
  try {
    makeFolder(dataDir);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new Failure(
      `the data folder ${dataDir} cannot be written (${code}): make it writable, or set DATA_DIR to a folder that is`,
    );
  }
}

/**
 * Makes a folder and those above it. Node's own `recursive` tries for ever where the system says ENOENT to a folder whose
 * parent exists, as below /proc.
 * @param {string} folder absolute
 */
function makeFolder(folder) {
  if (existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  mkdirSync(folder);
}
