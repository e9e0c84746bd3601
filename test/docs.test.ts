// The documentation tells the truth: its code compiles and runs, its links lead somewhere, its commands exist, and its table of
// error codes is the one in the code.

import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TailraceError, type ErrorCode } from "../src/errors.ts";
import { blockConfig, type BlockModule, inPages, modulesOf } from "./docs/blocks.ts";
import { anchorsOf, codeBlocksOf, codeTableOf, commandsOf, linksOf, wordOf } from "./docs/markdown.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const COMPILE_LIMIT_MS = 180_000;
const RUN_LIMIT_MS = 120_000;
const LEFT_OUT = /^(node_modules|dist|data|coverage|\..*)$/;
/** Commands of npm itself that a page may name. */
const NPM_COMMANDS = new Set(["install", "ci", "pack", "exec"]);

const pages: ReadonlyMap<string, string> = new Map(
  [...markdownUnder(""), "llms.txt"].map((file) => [file, readFileSync(path.join(ROOT, file), "utf8")]),
);
/** The pages whose code is compiled. */
const codePages = [...pages].filter(([file]) => file === "README.md" || file.startsWith("docs/"));
const modules: readonly BlockModule[] = codePages.flatMap(([file, text]) => modulesOf(file, text));

let folder = "";
beforeAll(() => {
  // Inside the repository, so that the package and its development dependencies resolve; git ignores it.
  mkdirSync(path.join(ROOT, ".tailrace"), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, ".tailrace", "docs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function markdownUnder(place: string): string[] {
  return readdirSync(path.join(ROOT, place)).flatMap((name) => {
    const file = path.posix.join(place, name);
    if (LEFT_OUT.test(name)) return [];
    if (statSync(path.join(ROOT, file)).isDirectory()) return markdownUnder(file);
    return name.endsWith(".md") ? [file] : [];
  });
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function runNode(args: readonly string[], cwd: string, limitMs: number): Promise<Outcome> {
  const env = { ...process.env };
  for (const name of ["VITEST", "NODE_OPTIONS", "NODE_ENV"]) delete env[name];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args],
      { cwd, env, timeout: limitMs, killSignal: "SIGKILL" },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
      },
    );
  });
}

async function compile(blocks: readonly BlockModule[]): Promise<Outcome> {
  for (const { fileName, text } of blocks) writeFileSync(path.join(folder, fileName), text);
  const config = path.join(folder, "tsconfig.json");
  writeFileSync(config, JSON.stringify(blockConfig(blocks.map(({ fileName }) => fileName))));
  const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
  const { code, output } = await runNode([tsc, "-p", config, "--pretty", "false"], ROOT, COMPILE_LIMIT_MS);
  return { code, output: inPages(output, blocks) };
}

/** Runs a block in a folder of its own, where it may write what it likes. */
async function execute(block: BlockModule): Promise<Outcome> {
  const file = path.join(folder, block.fileName);
  writeFileSync(file, block.text);
  const cwd = mkdtempSync(path.join(tmpdir(), "tailrace-docs-"));
  try {
    return await runNode([file], cwd, RUN_LIMIT_MS);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** What is wrong with the links of a page; `read` gives a file's text, undefined if it is not there. */
function brokenLinks(file: string, text: string, read: (file: string) => string | undefined): readonly string[] {
  return linksOf(text).flatMap(({ target, line }) => {
    if (/^[a-z]+:/i.test(target)) return [];
    const [place = "", anchor] = target.split("#");
    const wanted = place === "" ? file : path.posix.join(path.posix.dirname(file), place);
    const found = read(wanted);
    if (found === undefined) return [`${file}:${line}: ${target}: there is no ${wanted}`];
    if (anchor === undefined || anchorsOf(found).has(anchor)) return [];
    return [`${file}:${line}: ${target}: ${wanted} has no such heading`];
  });
}

function readHere(file: string): string | undefined {
  const place = path.join(ROOT, file);
  if (!existsSync(place)) return undefined;
  return file.endsWith(".md") ? readFileSync(place, "utf8") : "";
}

/** The commands of a page that do not exist. */
function unknownCommands(file: string, text: string, scripts: ReadonlySet<string>): readonly string[] {
  return commandsOf(text).flatMap((command) => {
    const [, , run, name = ""] = /^(?:[A-Z_]+=\S+ )*(npm) (run )?([\w:-]+)/.exec(command) ?? [];
    if (name === "" || scripts.has(name) || (run === undefined && NPM_COMMANDS.has(name))) return [];
    return [`${file}: ${command}: there is no script "${name}"`];
  });
}

/** The codes and their statuses as the source has them. */
function codesOf(source: string): ReadonlyMap<string, number> {
  const table = /const STATUS = \{([^}]*)\}/.exec(source)?.[1] ?? "";
  return new Map([...table.matchAll(/(\w+): (\d+)/g)].map((found) => [found[1] ?? "", Number(found[2])]));
}

/** Where the table of a page differs from the codes. */
function wrongCodes(page: string, codes: ReadonlyMap<string, number>): readonly string[] {
  const told = codeTableOf(page);
  const names = [...told.keys()].join(", ");
  const wanted = [...codes.keys()].join(", ");
  if (names !== wanted) return [`the codes are ${names}, and not ${wanted}`];
  return [...codes].flatMap(([code, status]) => {
    const said = told.get(code) ?? "";
    return new RegExp(`^${status}\\b`).test(said) ? [] : [`${code} is ${status}, and not ${said}`];
  });
}

/** The blocks of a page that show a file and are not what `read` gives for it. */
function differingBlocks(page: string, text: string, read: (file: string) => string): readonly string[] {
  return codeBlocksOf(text).flatMap((block) => {
    const file = wordOf(block, "file");
    return file === undefined || block.text === read(file) ? [] : [`${page}:${block.line} is not ${file}`];
  });
}

function moduleOf(text: string, file = "made-up.md"): BlockModule {
  const [module] = modulesOf(file, text);
  if (module === undefined) throw new Error("there is no block");
  return module;
}

describe("code blocks", () => {
  test("blocks compile together, under the repository's own settings", { timeout: COMPILE_LIMIT_MS }, async () => {
    expect(modules.length).toBeGreaterThan(20);
    expect(await compile(modules)).toEqual({ code: 0, output: "" });
  });

  test(
    "blocks that do not compile are found, with their place on the page",
    { timeout: COMPILE_LIMIT_MS },
    async () => {
      const text = "# Page\n\n```ts assumes=streams\nawait streams.run('a', []);\nstreams.jump('a');\n```\n";
      const { code, output } = await compile([moduleOf(text)]);
      expect(code).not.toBe(0);
      expect(output).toContain("made-up.md:5:9: error TS2339");
    },
  );

  test("blocks may assume only what is declared", () => {
    expect(() => moduleOf("```ts assumes=everything\n```\n")).toThrow(/made-up\.md:1 assumes "everything"/);
  });

  test("blocks marked `file` are the file they name", () => {
    const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");
    expect(codePages.some(([, text]) => codeBlocksOf(text).some((block) => wordOf(block, "file")))).toBe(true);
    expect(codePages.flatMap(([page, text]) => differingBlocks(page, text, read))).toEqual([]);
  });

  test("a block that is not the file it names is found", () => {
    const text = "```ts file=a.ts\nsame();\n```\n\n```ts file=b.ts\nsame();\n```\n";
    const read = (file: string): string => (file === "a.ts" ? "same();\n" : "other();\n");
    expect(differingBlocks("page.md", text, read)).toEqual(["page.md:5 is not b.ts"]);
  });

  const runnable = modules.filter(({ isRun }) => isRun);
  test.each(runnable)("block $origin runs", { timeout: RUN_LIMIT_MS + 5_000 }, async (block) => {
    const { code, output } = await execute(block);
    expect(code, output).toBe(0);
  });

  test("some blocks are run", () => expect(runnable.length).toBeGreaterThan(2));

  test("a block that throws is found", async () => {
    const { code, output } = await execute(moduleOf("```ts run\nthrow new Error('no');\n```\n"));
    expect(code).not.toBe(0);
    expect(output).toContain("Error: no");
  });
});

describe("links", () => {
  test("links lead to files and headings that exist", () => {
    expect([...pages].flatMap(([file, text]) => brokenLinks(file, text, readHere))).toEqual([]);
  });

  test("broken links are found, and code is no link", () => {
    const text = "[a](b.md#two-words) [c](#here) [d](gone.md)\n\n`[e](f.md)`\n\n```md\n[g](h.md)\n```\n\n## Here\n";
    const read = (file: string): string | undefined =>
      file === "gone.md" ? undefined : file === "b.md" ? "# Two" : text;
    expect(brokenLinks("a.md", text, read)).toEqual([
      "a.md:1: b.md#two-words: b.md has no such heading",
      "a.md:1: gone.md: there is no gone.md",
    ]);
    expect(brokenLinks("a.md", "[a](b.md#two)", () => "# Two")).toEqual([]);
  });
});

describe("commands", () => {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { readonly scripts: object };
  const scripts = new Set(Object.keys(manifest.scripts));

  test("commands name scripts that exist", () => {
    expect([...pages].flatMap(([file, text]) => unknownCommands(file, text, scripts))).toEqual([]);
  });

  test("unknown commands are found in blocks and in prose", () => {
    const text =
      "```sh\nnpm run fly\nPORT=1 npm start\nnpm run bench -- send\n```\n\nOr `npm swim`, or `npm install`.\n";
    expect(unknownCommands("a.md", text, scripts)).toEqual([
      'a.md: npm run fly: there is no script "fly"',
      'a.md: npm swim: there is no script "swim"',
    ]);
  });
});

describe("error codes", () => {
  const source = readFileSync(path.join(ROOT, "src/errors.ts"), "utf8");

  test("docs/errors.md has the codes and statuses of src/errors.ts, in its order", () => {
    expect(codesOf(source).size).toBeGreaterThan(15);
    expect(wrongCodes(pages.get("docs/errors.md") ?? "", codesOf(source))).toEqual([]);
    for (const [code, status] of codesOf(source)) {
      expect(new TailraceError(code as ErrorCode, "").status).toBe(status);
    }
  });

  test("a code that is missing, too many, or tells another status is found", () => {
    const codes = codesOf("const STATUS = {\n  gap: 410,\n  fenced: 403,\n} as const;");
    const page = (rows: string): string => `| code | status | cause |\n|---|---|---|\n${rows}`;
    const gap = "| `gap` | 410 | x |\n";
    const fenced = "| `fenced` | 403, or 401 | x |\n";
    expect(wrongCodes(page(gap + fenced), codes)).toEqual([]);
    expect(wrongCodes(page(gap), codes)).toEqual(["the codes are gap, and not gap, fenced"]);
    expect(wrongCodes(page(`${gap + fenced}| \`more\` | 500 | x |\n`), codes)).toHaveLength(1);
    expect(wrongCodes(page(gap.replace("410", "404") + fenced), codes)).toEqual(["gap is 410, and not 404"]);
  });
});
