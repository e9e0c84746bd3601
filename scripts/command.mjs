// Runs one command to its end, quietly or not, and never leaves it behind.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { MODULES, ROOT } from "./project.mjs";
import { Failure, Interrupted } from "./report.mjs";

/** How much of a quiet command's output is kept, from its end. */
const KEPT_OUTPUT_CHARS = 200_000;

/**
 * @typedef {object} CommandOptions
 * @property {string | undefined} [cwd] default: the repository's root
 * @property {NodeJS.ProcessEnv | undefined} [env] default: our own
 * @property {boolean | undefined} [quiet] keep the output instead of showing it; default false
 */

/**
 * @typedef {object} CommandResult
 * @property {number} code the exit code; 128 + n when signal n ended it
 * @property {string} output what a quiet command printed, both streams as they came
 */

/**
 * Runs a command and waits for it. SIGINT and SIGTERM that reach us meanwhile are passed on, and then thrown as
 * {@link Interrupted} once the command is gone.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<CommandResult>}
 */
export function run(command, args, { cwd = ROOT, env = process.env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd,
      env,
      stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
      // npm is a .cmd file on Windows, which only a shell can start.
      shell: process.platform === "win32" && command === "npm",
    });
    /** @type {NodeJS.Signals | undefined} */
    let told;
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      told = signal;
      child.kill(signal);
    };
    const release = () => {
      process.off("SIGINT", passOn);
      process.off("SIGTERM", passOn);
    };
    process.on("SIGINT", passOn);
    process.on("SIGTERM", passOn);

    let output = "";
    /** @param {string} text */
    const keep = (text) => {
      output = (output + text).slice(-KEPT_OUTPUT_CHARS);
    };
    child.stdout?.setEncoding("utf8").on("data", keep);
    child.stderr?.setEncoding("utf8").on("data", keep);

    child.once("error", (error) => {
      release();
      reject(new Failure(`${command} could not be started: ${error.message}`));
    });
    child.once("close", (code, signal) => {
      release();
      if (told) reject(new Interrupted(told));
      else resolve({ code: code ?? (signal === "SIGKILL" ? 137 : 143), output });
    });
  });
}

/**
 * Runs a quiet command that has to succeed. Its output is shown only when it fails.
 * @param {string} what the command's name for the reader, as in "npm ci"
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<string>} its output
 */
export async function mustRun(what, command, args, options = {}) {
  const { code, output } = await run(command, args, { ...options, quiet: true });
  if (code === 0) return output;
  process.stderr.write(output.endsWith("\n") || output === "" ? output : `${output}\n`);
  throw new Failure(`${what} failed with exit code ${code}; its output stands above`);
}

/**
 * The script behind an installed command, to be given to a Node of our choice rather than to the one on PATH.
 * @param {string} packageName
 * @param {string} [command] default: the package's name
 * @returns {string} its absolute path
 */
export function installedBin(packageName, command = packageName) {
  const folder = path.join(MODULES, packageName);
  /** @type {{ bin: string | Record<string, string> }} */
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = typeof bin === "string" ? bin : bin[command];
  if (file === undefined) throw new Failure(`the package ${packageName} has no command ${command}`);
  return path.join(folder, file);
}

/**
 * The environment for npm itself: without the repository's own commands on PATH, since `npm ci` deletes them, the
 * Node 24 among them, while it runs.
 * @returns {NodeJS.ProcessEnv}
 */
export function npmEnvironment() {
  const kept = (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .filter((folder) => !/[\\/]node_modules[\\/]\.bin$|node-gyp-bin$/.test(folder));
  return { ...process.env, PATH: kept.join(path.delimiter) };
}
