// Keeps long-running children together with us: they end when we are told to end, when one of them ends, and when the npm
// that started us is gone.

import { complain } from "./report.mjs";

/** "Ends within 5 s" is promised to whoever sends the signal; the rest is for the reaping itself. */
const GRACE_MS = 4_500;
/** A terminal sends Ctrl-C to the children too. Where only we were told, they hear it from us after this. */
const TERMINAL_MS = 1_000;
const PARENT_CHECK_MS = 250;

/** @typedef {{ readonly name: string, readonly child: import("node:child_process").ChildProcess }} Supervised */

/**
 * Waits until all children have ended.
 * @param {readonly Supervised[]} children freshly spawned, in our own process group
 * @returns {Promise<number>} our exit code: 0 after a signal that they obeyed, else that of the first child to end
 */
export async function supervise(children) {
  const alive = new Set(children.map(({ child }) => child));
  let stopping = false;
  let exitCode = 0;
  /** @type {NodeJS.Timeout[]} */
  const timers = [];

  /** @param {NodeJS.Signals} signal */
  const tell = (signal) => {
    for (const child of alive) child.kill(signal);
  };
  /** @param {NodeJS.Signals} signal */
  const stop = (signal) => {
    if (stopping) return;
    stopping = true;
    if (signal === "SIGINT" && process.stdin.isTTY) timers.push(setTimeout(tell, TERMINAL_MS, "SIGTERM"));
    else tell(signal);
    timers.push(setTimeout(kill, GRACE_MS));
  };
  const kill = () => {
    complain(`tailrace: not ended within ${GRACE_MS / 1000} s, killed`);
    exitCode = 1;
    tell("SIGKILL");
  };
  const hangUp = () => stop("SIGTERM");

  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.on("SIGHUP", hangUp);
  const forgetParent = watchParent(hangUp);
  try {
    await Promise.all(
      children.map(async ({ name, child }) => {
        const { code, signal } = await ended(child);
        alive.delete(child);
        if (stopping) return;
        exitCode = code ?? 1;
        complain(`tailrace: ${name} ended ${signal ? `by ${signal}` : `with exit code ${code}`}`);
        stop("SIGTERM");
      }),
    );
  } finally {
    for (const timer of timers) clearTimeout(timer);
    forgetParent();
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    process.off("SIGHUP", hangUp);
  }
  return exitCode;
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function ended(child) {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      complain(`tailrace: ${error.message}`);
      resolve({ code: 1, signal: null });
    });
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

/**
 * Calls `gone` once when the npm that runs us has died. It cannot tell us when it is killed with SIGKILL, but we then get
 * another parent. A script started by hand may well outlive its shell, so only npm is watched.
 * @param {() => void} gone
 * @returns {() => void} stops watching
 */
export function watchParent(gone) {
  if (process.env["npm_lifecycle_event"] === undefined) return () => undefined;
  const parent = process.ppid;
  const checking = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(checking);
    gone();
  }, PARENT_CHECK_MS);
  checking.unref();
  return () => clearInterval(checking);
}
