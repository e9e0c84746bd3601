// How the scripts speak: short lines while they work, and one line when they cannot go on.

/**
 * A failure that the reader can act on: shown as its message alone, without a stack.
 */
export class Failure extends Error {}

/** Ends the script like a process that the signal ended. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`ended by ${signal}`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
  }
}

/**
 * Prints one line to standard output.
 * @param {string} line
 */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * Prints one line to standard error.
 * @param {string} line
 */
export function complain(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Says what begins, does it, and says how long it took when that was worth noticing.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const startedAt = performance.now();
  say(`${what} ...`);
  const result = await work();
  say(`  done in ${seconds(startedAt)}`);
  return result;
}

/**
 * The time since `startedAt` (of `performance.now()`), as `1.2 s`.
 * @param {number} startedAt
 */
export function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

/**
 * Runs a script's body and turns its end into an exit code.
 * @param {() => Promise<number>} body gives the exit code
 * @returns {Promise<void>}
 */
export async function main(body) {
  try {
    process.exitCode = await body();
  } catch (error) {
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
    explain(error);
  }
}

/**
 * Tells an error: a {@link Failure} by its message, anything else with its stack, as it is a fault of ours.
 * @param {unknown} error
 */
export function explain(error) {
  if (error instanceof Interrupted) return;
  if (error instanceof Failure) complain(`tailrace: ${error.message}`);
  else complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
