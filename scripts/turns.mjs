// Lets one script at a time install and build: `npm ci` deletes what another one may be running on.

import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SCRATCH } from "./project.mjs";
import { Failure, say } from "./report.mjs";

const TURN = path.join(SCRATCH, "preparing");
/** The holder touches the file this often; a process id would lie in a container that shares the folder. */
const TOUCH_MS = 2_000;
/** A file untouched for this long was left by a process that was killed. */
const STALE_MS = 15_000;
const LONGEST_WAIT_MS = 15 * 60_000;

/**
 * Does `work` while no other script of this checkout does the like.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function inTurn(work) {
  await takeTurn();
  const touching = setInterval(touch, TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    rmSync(TURN, { force: true });
  }
}

async function takeTurn() {
  mkdirSync(SCRATCH, { recursive: true });
  const startedAt = Date.now();
  let told = false;
  while (!tryTurn()) {
    if (ageMs() > STALE_MS) {
      rmSync(TURN, { force: true });
      continue;
    }
    if (Date.now() - startedAt > LONGEST_WAIT_MS) {
      throw new Failure(`another script has been preparing this checkout for 15 minutes; end it, or delete ${TURN}`);
    }
    if (!told) say("waiting for another script that installs or builds in this checkout ...");
    told = true;
    await sleep(250);
  }
}

function tryTurn() {
  try {
    writeFileSync(TURN, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw new Failure(`${SCRATCH} cannot be written: ${/** @type {Error} */ (error).message}`);
  }
}

function touch() {
  const now = new Date();
  try {
    utimesSync(TURN, now, now);
  } catch {
    // Deleted by hand: the next script may start, as its user wanted.
  }
}

/** How long ago the holder last touched the file; 0 when it has just gone. */
function ageMs() {
  try {
    return Date.now() - statSync(TURN).mtimeMs;
  } catch {
    return 0;
  }
}
