// `npm test [-- arguments of vitest]`: brings everything the tests need, runs them, and ends with `N passed, N failed`.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { installedBin, run } from "./command.mjs";
import { prepare } from "./prepare.mjs";
import { ROOT } from "./project.mjs";
import { Failure, Interrupted, complain, explain, say } from "./report.mjs";
import { provision } from "./provision.mjs";

const args = process.argv.slice(2);
/** Skipped tests are named up to this many. */
const NAMED_SKIPS_COUNT = 20;

let passed = 0;
let failed = 0;
try {
  ({ passed, failed } = await test());
} catch (error) {
  failed = 1;
  explain(error);
  if (error instanceof Interrupted) complain(`tailrace: ${error.message}`);
}
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function test() {
  const node = await prepare(isUnitRun() ? "package" : "demo");
  const programs = isUnitRun() ? {} : await provision();
  const folder = mkdtempSync(path.join(tmpdir(), "tailrace-test-"));
  try {
    const counts = path.join(folder, "counts.json");
    const vitest = [installedBin("vitest"), "run", "--reporter=default", "--reporter=./scripts/count-reporter.mjs"];
    const { code } = await run(node, [...vitest, ...args], {
      env: { ...process.env, ...programs, TAILRACE_TEST_COUNTS: counts },
    });
    return judge(counts, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Whether only tests beside their sources were asked for, by paths that exist. Those need no browser and no built demo.
 */
function isUnitRun() {
  const source = path.join(ROOT, "src");
  return (
    args.length > 0 &&
    args.every((arg) => isWithin(source, path.resolve(ROOT, arg)) && existsSync(path.resolve(ROOT, arg)))
  );
}

/**
 * @param {string} folder
 * @param {string} place
 */
function isWithin(folder, place) {
  return place === folder || place.startsWith(folder + path.sep);
}

/**
 * @param {string} file the reporter's counts
 * @param {number} code Vitest's exit code
 * @returns {{ passed: number, failed: number }}
 */
function judge(file, code) {
  if (!existsSync(file)) throw new Failure(`vitest ended with exit code ${code} before it had run the tests`);
  /** @type {import("./count-reporter.mjs").Counts} */
  const { passed, failed, skipped, retried } = JSON.parse(readFileSync(file, "utf8"));
  // With arguments the rest is left out on purpose, so its number is enough.
  const named = args.length > 0 ? [] : skipped.slice(0, NAMED_SKIPS_COUNT);
  for (const name of named) complain(`not run: ${name}`);
  if (skipped.length > named.length) complain(`not run: ${skipped.length - named.length} tests`);
  // Never left out: a test that holds only sometimes has a fault, or the code has.
  for (const name of retried) complain(`passed on its second try only: ${name}`);
  if (failed > 0) return { passed, failed };
  if (passed === 0) complain("tailrace: no test was run, which proves nothing");
  else if (code !== 0) complain(`tailrace: all tests passed, but vitest ended with exit code ${code}`);
  else return { passed, failed };
  return { passed, failed: 1 };
}
