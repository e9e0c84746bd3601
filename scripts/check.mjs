// `npm run check`: everything about the code that can be said without running the product. Runs all steps, whatever
// fails, and prints one line for each.

import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { NEXT_ENVIRONMENT } from "./build.mjs";
import { installedBin, npmEnvironment, run } from "./command.mjs";
import { missingEntries } from "./complete-lock.mjs";
import { wrongSpecifiers } from "./docs-specifiers.mjs";
import { prepare } from "./prepare.mjs";
import { DEMO, ROOT } from "./project.mjs";
import { main, say, seconds } from "./report.mjs";

/** What a step gives: the complaint, empty when there is none. @typedef {Promise<string>} Complaint */

await main(async () => {
  const node = await prepare("package");

  /**
   * Runs an installed command on the right Node; its output is the complaint when it fails.
   * @param {readonly string[]} command the package, then the arguments; `package:command` where the two differ
   * @returns {Complaint}
   */
  const tool = async ([name = "", ...args]) => {
    const [packageName = "", command] = name.split(":");
    const { code, output } = await run(node, [installedBin(packageName, command), ...args], {
      quiet: true,
      env: { ...process.env, ...NEXT_ENVIRONMENT },
    });
    return code === 0 ? "" : output || `exit code ${code}`;
  };

  /** @type {readonly (readonly [string, () => Complaint])[]} */
  const steps = [
    ["format", () => tool(["oxfmt", "--check"])],
    ["lint", () => tool(["oxlint"])],
    ["types of the package", () => tool(["typescript:tsc", "-p", "tsconfig.json", "--noEmit"])],
    ["types of the scripts", () => tool(["typescript:tsc", "-p", "scripts/tsconfig.json", "--noEmit"])],
    ["types of the demo", () => checkDemoTypes(tool)],
    ["floors", () => tool(["vitest", "run", "test/floors.test.ts"])],
    ["package", () => tool(["vitest", "run", "test/package.test.ts"])],
    ["lock", checkLock],
    ["docs", async () => wrongSpecifiers().join("\n")],
  ];

  let failures = 0;
  for (const [name, work] of steps) {
    const startedAt = performance.now();
    const complaint = (await work()).trim();
    say(`${complaint ? "failed" : "ok"}  ${name} (${seconds(startedAt)})`);
    if (!complaint) continue;
    failures++;
    say(complaint.replace(/^/gm, "    "));
  }
  say(failures === 0 ? "all checks passed" : `${failures} of ${steps.length} checks failed`);
  return failures === 0 ? 0 : 1;
});

/**
 * The demo's types name its routes, in files that Next.js writes.
 * @param {(command: readonly string[]) => Complaint} tool
 * @returns {Complaint}
 */
async function checkDemoTypes(tool) {
  if (!existsSync(path.join(DEMO, "tsconfig.json"))) return "";
  return (await tool(["next", "typegen", "apps/demo"])) || tool(["typescript:tsc", "-p", "apps/demo", "--noEmit"]);
}

/**
 * Whether `npm ci` accepts the lock. Tried in another folder: an npm that ignored --dry-run would delete node_modules.
 * @returns {Complaint}
 */
async function checkLock() {
  const missing = missingEntries(path.join(ROOT, "package-lock.json"));
  if (missing.length > 0) {
    return `package-lock.json lacks ${missing.join(", ")}: run  node scripts/complete-lock.mjs  and commit the result`;
  }
  const folder = mkdtempSync(path.join(tmpdir(), "tailrace-lock-"));
  try {
    for (const file of ["package.json", "package-lock.json", ".npmrc", "apps/demo/package.json"]) {
      cpSync(path.join(ROOT, file), path.join(folder, file));
    }
    const { code, output } = await run("npm", ["ci", "--dry-run", "--loglevel=error"], {
      cwd: folder,
      env: npmEnvironment(),
      quiet: true,
    });
    return code === 0 ? "" : output;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
