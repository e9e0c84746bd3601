import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findRepositoryRoot, readDocsFiles } from "./docs-files.ts";

let root = "";

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "tailrace-docs-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("findRepositoryRoot", () => {
  test("finds the root from the root, from a folder inside it, and past a package of another name", () => {
    write("package.json", '{ "name": "tailrace" }');
    write("apps/demo/package.json", '{ "name": "@tailrace/demo" }');
    write("apps/package.json", "not JSON");
    expect(findRepositoryRoot(root)).toBe(root);
    expect(findRepositoryRoot(path.join(root, "apps", "demo"))).toBe(root);
  });

  test("gives undefined outside of it", () => {
    expect(findRepositoryRoot(root)).toBeUndefined();
  });
});

describe("readDocsFiles", () => {
  test("reads the root's pages, all of docs/ and each example's README, in that order", () => {
    write("README.md", "# Readme");
    write("AGENTS.md", "for tools");
    write("docs/guides/b.md", "b");
    write("docs/a.md", "a");
    write("docs/image.svg", "<svg/>");
    write("examples/hono/README.md", "hono");
    write("examples/hono/NOTES.md", "notes");
    write("examples/hono/node_modules/x/README.md", "x");
    expect(readDocsFiles(root).map(({ file }) => file)).toEqual([
      "README.md",
      "docs/a.md",
      "docs/guides/b.md",
      "examples/hono/README.md",
    ]);
    expect(readDocsFiles(root)[0]?.text).toBe("# Readme");
  });

  test("leaves out a file of more than 1 MiB", () => {
    write("docs/fits.md", "x".repeat(1_048_576));
    write("docs/large.md", "x".repeat(1_048_577));
    expect(readDocsFiles(root).map(({ file }) => file)).toEqual(["docs/fits.md"]);
  });

  test("reads 500 files and not the 501st", () => {
    for (let at = 0; at < 501; at++) write(`docs/${String(at).padStart(3, "0")}.md`, "x");
    expect(readDocsFiles(root)).toHaveLength(500);
    expect(readDocsFiles(root).at(-1)?.file).toBe("docs/499.md");
  });

  test("gives nothing where there is no repository", () => {
    expect(readDocsFiles(path.join(root, "nowhere"))).toEqual([]);
  });
});
