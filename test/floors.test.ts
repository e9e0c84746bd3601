// The floors of the house hold in src/: who imports whom, where node:* is used, no cycles, no barrels, doors that only
// re-export. And the checks themselves are shown to fail on graphs that break each rule.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Edge, GROUND_FILES, cycleComplaints, floorComplaints, reactComplaints } from "./floors.ts";
import { beyondReexports, importsOf } from "./imports.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PACKAGES: ReadonlySet<string> = new Set(["react"]);

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>> | undefined;
  readonly peerDependencies?: Readonly<Record<string, string>> | undefined;
}

const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Manifest;
const installed = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
const files = sourceFiles();
const edges = files.flatMap(edgesOf);

function sourceFiles(): string[] {
  return readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .map((name) => `src/${name.split(path.sep).join("/")}`)
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    .toSorted();
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), "utf8");
}

function edgesOf(file: string): Edge[] {
  return importsOf(read(file)).map(({ specifier, typeOnly }) => ({
    from: file,
    to: specifier.startsWith(".") ? path.posix.join(path.posix.dirname(file), specifier) : specifier,
    typeOnly,
  }));
}

const doors = files.filter((file) => /^src\/[^/]+$/.test(file) && !GROUND_FILES.has(path.basename(file)));

/** `src/index.ts` is the door `.`, `src/wire.ts` is `./wire`, `src/export-pg.ts` is `./export/pg`. */
function doorName(file: string): string {
  const name = path.basename(file).replace(/\.tsx?$/, "");
  return name === "index" ? "." : `./${name.replace("-", "/")}`;
}

function edge(from: string, to: string, typeOnly = false): Edge {
  return { from, to, typeOnly };
}

describe("src/", () => {
  test("src/ was read", () => {
    expect(files).toContain("src/errors.ts");
    expect(edges.length).toBeGreaterThan(0);
  });

  test("imports keep to the floors", () => {
    expect(floorComplaints(edges, installed)).toEqual([]);
  });

  test("imports form no cycle, types included", () => {
    expect(cycleComplaints(edges)).toEqual([]);
  });

  test("hooks are reached through their own door alone", () => {
    expect(reactComplaints(edges)).toEqual([]);
  });

  test("rooms have no barrels", () => {
    expect(files.filter((file) => /^src\/.+\/index\.tsx?$/.test(file))).toEqual([]);
  });

  test("doors only re-export", () => {
    const withMore = doors.flatMap((file) => {
      const more = beyondReexports(read(file));
      return more === "" ? [] : [`${file}: ${more.slice(0, 80)}`];
    });
    expect(withMore).toEqual([]);
  });

  test("each door of package.json has its file in src/", () => {
    const named = Object.keys(manifest.exports).filter((door) => door !== "./package.json");
    const built = new Set(doors.map(doorName));
    expect(named.filter((door) => !built.has(door))).toEqual([]);
  });

  test("each door in src/ is named in package.json, with its own files in dist/", () => {
    const wrong = doors.filter((file) => {
      const name = path.basename(file).replace(/\.tsx?$/, "");
      const entry = manifest.exports[doorName(file)];
      return (
        typeof entry !== "object" || entry.types !== `./dist/${name}.d.ts` || entry.default !== `./dist/${name}.js`
      );
    });
    expect(wrong).toEqual([]);
  });
});

describe("floorComplaints", () => {
  test("floorComplaints names an upward edge and both floors", () => {
    expect(floorComplaints([edge("src/wire/sse.ts", "src/reply/sse.ts")], PACKAGES)).toEqual([
      "src/wire/sse.ts -> src/reply/sse.ts: floor 1 (wire/) may not import floor 3 (reply/)",
    ]);
  });

  test.each<[string, string, boolean]>([
    ["src/errors.ts", "src/bytes/source.ts", false],
    ["src/bytes/source.ts", "src/wire/sse.ts", true],
    ["src/wire/sse.ts", "src/http/media.ts", false],
    ["src/log/run.ts", "src/http/media.ts", false],
    ["src/client/open.ts", "src/log/store.ts", true],
    ["src/client/open.ts", "src/reply/sse.ts", false],
    ["src/react/use-stream.ts", "src/wire/sse.ts", false],
    ["src/reply/sse.ts", "src/index.ts", false],
    ["src/index.ts", "src/wire.ts", false],
    ["src/reply/sse.ts", "src/cellar/wine.ts", false],
  ])("floorComplaints refuses %s -> %s", (from, to, typeOnly) => {
    expect(floorComplaints([edge(from, to, typeOnly)], PACKAGES)).toHaveLength(1);
  });

  test.each<[string, string, boolean]>([
    ["src/clock.ts", "src/errors.ts", false],
    ["src/bytes/source.ts", "src/errors.ts", false],
    ["src/bytes/source.ts", "src/bytes/batch.ts", false],
    ["src/log/run.ts", "src/wire/cursor.ts", false],
    ["src/client/open.ts", "src/wire/sse.ts", false],
    ["src/react/use-stream.ts", "src/wire/sse.ts", true],
    ["src/node/listener.ts", "src/reply/sse.ts", false],
    ["src/index.ts", "src/reply/sse.ts", false],
  ])("floorComplaints accepts %s -> %s", (from, to, typeOnly) => {
    expect(floorComplaints([edge(from, to, typeOnly)], PACKAGES)).toEqual([]);
  });

  test("floorComplaints keeps node:* and its bare names to the rooms of Node", () => {
    const refused = ["src/log/run.ts", "src/next/glue.ts", "src/testing/suite.ts", "src/wire/sse.ts", "src/sqlite.ts"];
    const accepted = ["src/node/listener.ts", "src/cli/serve.ts", "src/log/sqlite.ts", "src/log/sqlite-schema.ts"];
    const modules = ["node:fs", "fs", "node:sqlite"];
    const all = (from: readonly string[]) => from.flatMap((file) => modules.map((name) => edge(file, name)));
    expect(floorComplaints(all(refused), PACKAGES)).toHaveLength(refused.length * modules.length);
    expect(floorComplaints(all(accepted), PACKAGES)).toEqual([]);
  });

  test("floorComplaints refuses a package that users do not have, and React outside its room", () => {
    expect(floorComplaints([edge("src/chat/openai.ts", "openai/streaming", true)], PACKAGES)).toHaveLength(1);
    expect(floorComplaints([edge("src/client/open.ts", "react")], PACKAGES)).toHaveLength(1);
    expect(floorComplaints([edge("src/react/use-stream.ts", "react")], PACKAGES)).toEqual([]);
  });
});

describe("cycleComplaints", () => {
  test("cycleComplaints finds a cycle that closes through an import of types", () => {
    const graph = [
      edge("src/log/a.ts", "src/log/b.ts"),
      edge("src/log/b.ts", "src/log/c.ts"),
      edge("src/log/c.ts", "src/log/a.ts", true),
    ];
    expect(cycleComplaints(graph)).toEqual(["src/log/a.ts -> src/log/b.ts -> src/log/c.ts -> src/log/a.ts: cycle"]);
  });

  test("cycleComplaints finds a file that imports itself", () => {
    expect(cycleComplaints([edge("src/log/a.ts", "src/log/a.ts")])).toHaveLength(1);
  });

  test("cycleComplaints accepts two ways to one file", () => {
    const graph = [
      edge("src/x/a.ts", "src/x/b.ts"),
      edge("src/x/a.ts", "src/x/c.ts"),
      edge("src/x/b.ts", "src/x/d.ts"),
      edge("src/x/c.ts", "src/x/d.ts"),
    ];
    expect(cycleComplaints(graph)).toEqual([]);
  });
});

describe("reactComplaints", () => {
  const toHooks = [
    edge("src/next/glue.ts", "src/react/use-stream.ts"),
    edge("src/react.ts", "src/react/use-stream.ts"),
  ];

  test("reactComplaints prints the way from a server's door to the hooks", () => {
    expect(reactComplaints([edge("src/next.ts", "src/next/glue.ts"), ...toHooks])).toEqual([
      "src/next.ts -> src/next/glue.ts -> src/react/use-stream.ts: only the door src/react.ts may lead to react/",
    ]);
  });

  test("reactComplaints accepts the door of the hooks, and types", () => {
    expect(reactComplaints([...toHooks, edge("src/next.ts", "src/react/use-stream.ts", true)])).toEqual([]);
  });
});

describe("importsOf", () => {
  test.each<[string, string, boolean]>([
    [`import { a } from "./a.ts";`, "./a.ts", false],
    [`import { type A, b } from './a.ts'`, "./a.ts", false],
    [`import { type A, type B } from "./a.ts";`, "./a.ts", true],
    [`import type { A } from "./a.ts";`, "./a.ts", true],
    [`import type A from "./a.ts";`, "./a.ts", true],
    [`import type from "./a.ts";`, "./a.ts", false],
    [`import { type as a } from "./a.ts";`, "./a.ts", false],
    [`import * as a from "./a.ts";`, "./a.ts", false],
    [`import {\n  a,\n  b,\n} from "./a.ts";`, "./a.ts", false],
    [`import "./a.ts";`, "./a.ts", false],
    [`export * from "./a.ts";`, "./a.ts", false],
    [`export * as a from "./a.ts";`, "./a.ts", false],
    [`export { a } from "./a.ts";`, "./a.ts", false],
    [`export type { A } from "./a.ts";`, "./a.ts", true],
    [`const a = await import("./a.ts");`, "./a.ts", false],
    [`type A = typeof import("./a.ts");`, "./a.ts", true],
    [`let a: import("./a.ts").A;`, "./a.ts", true],
    ["const t = `${await import('./a.ts')}`;", "./a.ts", false],
    ["const t = `a ${`b ${{ c: 1 }.c}`} \\` d`; import './a.ts';", "./a.ts", false],
    [`const r = /["'\`/*]/g; import { a } from "./a.ts";`, "./a.ts", false],
    [`const q = 1 / 2; const s = "/"; import { a } from "./a.ts";`, "./a.ts", false],
    [`import/* why */{ a }/* from "x" */from/**/"./a.ts";`, "./a.ts", false],
  ])("importsOf reads %s", (source, specifier, typeOnly) => {
    expect(importsOf(source)).toEqual([{ specifier, typeOnly }]);
  });

  test.each([
    `// import { a } from "./a.ts";`,
    `/* import "./a.ts" */`,
    `const text = 'import { a } from "./a.ts"';`,
    "const text = `import { a } from './a.ts'; ${1} import './b.ts'`;",
    `const pattern = /import ".\\/a.ts"/;`,
    `const from = "a"; export { from };`,
    `const here = import.meta.url; const exports = { import: "x" }; exports.import("y");`,
  ])("importsOf finds nothing in %s", (source) => {
    expect(importsOf(source)).toEqual([]);
  });
});

describe("beyondReexports", () => {
  test("beyondReexports gives nothing for a door", () => {
    const door = `// A door.\n"use client";\n\nexport { a, type B } from "./x/a.ts";\nexport type { C } from "./x/c.ts";\nexport * from "./x/d.ts"; // all\n`;
    expect(beyondReexports(door)).toBe("");
  });

  test.each([
    `export { a } from "./a.ts";\nexport const b = 1;`,
    `import { a } from "./a.ts";\nexport { a };`,
    `export { a } from "./a.ts";\nconsole.log(1);`,
  ])("beyondReexports shows the logic in %s", (source) => {
    expect(beyondReexports(source)).not.toBe("");
  });
});
