// The package as a user gets it: packed, looked through, judged by publint and attw, installed in an empty folder and
// imported through each door.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const COMMAND_LIMIT_MS = 120_000;

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: string | Readonly<Record<string, string>>;
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

const packageExports = (await manifestOf(ROOT)).exports;
/** `.` is imported as `tailrace`, `./wire` as `tailrace/wire`. */
const specifiers = Object.keys(packageExports)
  .filter((door) => !door.endsWith(".json"))
  .map((door) => `tailrace${door.slice(1)}`);

let folder = "";
let tarball = "";
let packed: readonly string[] = [];

async function manifestOf(place: string): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(place, "package.json"), "utf8")) as Manifest;
}

function run(command: string, args: readonly string[], cwd: string = folder): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: COMMAND_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    });
  });
}

/** Runs an installed command on the Node that runs us. */
async function tool(packageName: string, command: string, args: readonly string[]): Promise<Outcome> {
  const place = path.join(ROOT, "node_modules", packageName);
  const { bin } = await manifestOf(place);
  const file = typeof bin === "string" ? bin : bin[command];
  if (file === undefined) throw new Error(`${packageName} has no command ${command}`);
  return run(process.execPath, [path.join(place, file), ...args]);
}

beforeAll(async () => {
  if (!existsSync(path.join(ROOT, "dist"))) throw new Error("dist/ is missing: run `npm run build` first");
  folder = await mkdtemp(path.join(tmpdir(), "tailrace-package-"));
  const npm = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder];
  const { code, output } = await run("npm", npm, ROOT);
  if (code !== 0) throw new Error(`npm pack failed with exit code ${code}:\n${output}`);
  const report: unknown = JSON.parse(output.slice(output.search(/[[{]/)));
  // A list of packages up to npm 11, an object by name from npm 12.
  const [entry] = Object.values(report as Record<string, { filename: string; files: readonly { path: string }[] }>);
  if (entry === undefined) throw new Error(`npm pack named no package:\n${output}`);
  tarball = path.join(folder, entry.filename);
  packed = entry.files.map((file) => file.path);
}, 2 * COMMAND_LIMIT_MS);

afterAll(async () => {
  if (folder !== "") await rm(folder, { recursive: true, force: true });
});

describe("the packed package", () => {
  test("package holds dist/, src/, docs/ and the pages, and nothing else", () => {
    const allowed =
      /^(dist|src|docs)\/|^(package\.json|LICENSE|llms\.txt|(README|PROTOCOL|ARCHITECTURE|CHANGELOG)\.md)$/;
    expect(packed.filter((file) => !allowed.test(file))).toEqual([]);
  });

  test("package holds no test, and no fixture of one", () => {
    expect(packed.filter((file) => /\.test\.|(^|\/)(__|fixtures?\/)/.test(file))).toEqual([]);
  });

  test("package holds what each door names", () => {
    const named = Object.values(packageExports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    const files = new Set(packed.map((file) => `./${file}`));
    expect(named.filter((file) => !files.has(file))).toEqual([]);
  });

  test("package holds the source that each source map names", async () => {
    const files = new Set(packed);
    const maps = packed.filter((file) => /^dist\/.*\.map$/.test(file));
    expect(maps.length).toBeGreaterThan(0);
    const lacking: string[] = [];
    for (const map of maps) {
      const { sources } = JSON.parse(await readFile(path.join(ROOT, map), "utf8")) as { sources: readonly string[] };
      const places = sources.map((source) => path.posix.join(path.posix.dirname(map), source));
      lacking.push(...places.filter((place) => !files.has(place)).map((place) => `${map}: ${place}`));
    }
    expect(lacking).toEqual([]);
  });

  test("package is a client module at its React door, from the first line", async () => {
    const text = await readFile(path.join(ROOT, "dist", "react.js"), "utf8");
    expect(text.split("\n")[0]).toMatch(/^(["'])use client\1;?$/);
  });

  test("package passes publint --strict", { timeout: COMMAND_LIMIT_MS }, async () => {
    const { code, output } = await tool("publint", "publint", ["run", "--strict", tarball]);
    expect(output, output).toContain("All good!");
    expect(code).toBe(0);
  });

  test("package passes attw for ESM", { timeout: COMMAND_LIMIT_MS }, async () => {
    const args = ["--profile", "esm-only", "--no-color", "--no-emoji", "--format", "ascii", tarball];
    const { code, output } = await tool("@arethetypeswrong/cli", "attw", args);
    expect(code, output).toBe(0);
  });
});

describe("the installed package", () => {
  let user = "";

  beforeAll(async () => {
    user = path.join(folder, "user");
    await mkdir(user);
    await writeFile(path.join(user, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
    // Without React, which is an optional peer, and without asking a registry: the package has no dependencies.
    const npm = ["install", tarball, "--offline", "--omit=peer", "--no-audit", "--no-fund", "--loglevel=error"];
    const { code, output } = await run("npm", npm, user);
    if (code !== 0) throw new Error(`npm install of the package failed with exit code ${code}:\n${output}`);
  }, 2 * COMMAND_LIMIT_MS);

  function importDoor(specifier: string): Promise<Outcome> {
    const script = `console.log(Object.keys(await import(${JSON.stringify(specifier)})).length)`;
    return run(process.execPath, ["--input-type=module", "--eval", script], user);
  }

  test.each(specifiers.filter((specifier) => specifier !== "tailrace/react"))(
    "%s is imported without React, and exports something",
    async (specifier) => {
      const { code, output } = await importDoor(specifier);
      expect(code, output).toBe(0);
      expect(Number(output)).toBeGreaterThan(0);
    },
  );

  test("tailrace/react is imported where React is, and exports something", async () => {
    await symlink(path.join(ROOT, "node_modules", "react"), path.join(user, "node_modules", "react"), "junction");
    const { code, output } = await importDoor("tailrace/react");
    expect(code, output).toBe(0);
    expect(Number(output)).toBeGreaterThan(0);
  });

  test("tailrace/package.json is reachable", async () => {
    const script = `import found from "tailrace/package.json" with { type: "json" }; console.log(found.name)`;
    const { output } = await run(process.execPath, ["--input-type=module", "--eval", script], user);
    expect(output.trim()).toBe("tailrace");
  });
});
