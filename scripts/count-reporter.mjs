// A Vitest reporter that counts, for the last line of `npm test`. It writes its counts to the file named by
// TAILRACE_TEST_COUNTS: the line has to come after all that Vitest prints, so test.mjs prints it.

import { writeFileSync } from "node:fs";

/**
 * @typedef {object} Counts
 * @property {number} passed tests
 * @property {number} failed tests, and errors outside of tests: of a suite, of a file that cannot be loaded, unhandled
 * @property {readonly string[]} skipped names of the tests that did not run
 * @property {readonly string[]} retried names of the tests that passed on their second try only, and why they failed first
 */

export default class CountReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env["TAILRACE_TEST_COUNTS"];
    if (file) writeFileSync(file, JSON.stringify(count(modules, unhandledErrors)));
  }
}

/**
 * @param {readonly import("vitest/node").TestModule[]} modules
 * @param {readonly unknown[]} unhandledErrors
 * @returns {Counts}
 */
function count(modules, unhandledErrors) {
  let passed = 0;
  let failed = unhandledErrors.length;
  /** @type {string[]} */
  const skipped = [];
  /** @type {string[]} */
  const retried = [];
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result();
      const name = `${module.relativeModuleId} > ${test.fullName}`;
      if (state === "passed") {
        passed++;
        if (test.diagnostic()?.flaky === true) retried.push(`${name}: ${firstLine(errors?.[0]?.message)}`);
      } else if (state === "skipped") skipped.push(name);
      // "pending" after the end: the run was cut short before it.
      else failed++;
    }
  }
  return { passed, failed, skipped, retried };
}

/** @param {string | undefined} text */
function firstLine(text) {
  return (text ?? "no reason").split("\n", 1)[0];
}
