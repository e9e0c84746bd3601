// The project's own documents, read from the repository that the demo runs in.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** One Markdown file. */
export interface DocsFile {
  /** From the repository's root, with forward slashes: `docs/streams.md`. */
  readonly file: string;
  readonly text: string;
}

/** In the order in which they are listed. AGENTS.md and the like are for tools, not for readers. */
const ROOT_FILES = ["README.md", "ARCHITECTURE.md", "PROTOCOL.md", "CONTRIBUTING.md", "CHANGELOG.md"];
/** A file beyond this is left out: it is no page that somebody reads. */
const MAX_FILE_BYTES = 1_048_576;
const MAX_FILE_COUNT = 500;

/** The repository's root, from wherever the server was started inside it; undefined outside of it. */
export function findRepositoryRoot(from: string = process.cwd()): string | undefined {
  let folder = path.resolve(/* turbopackIgnore: true */ from);
  for (;;) {
    if (isRoot(folder)) return folder;
    const parent = path.dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

function isRoot(folder: string): boolean {
  try {
    const text = readFileSync(path.join(/* turbopackIgnore: true */ folder, "package.json"), "utf8");
    return (JSON.parse(text) as { readonly name?: unknown }).name === "tailrace";
  } catch {
    return false;
  }
}

/** README, ARCHITECTURE, PROTOCOL, CONTRIBUTING and CHANGELOG, all of docs/, and each example's README. */
export function readDocsFiles(root: string | undefined = findRepositoryRoot()): readonly DocsFile[] {
  if (root === undefined) return [];
  const names = [
    ...ROOT_FILES,
    ...markdownUnder(root, "docs", () => true),
    ...markdownUnder(root, "examples", (name) => name.endsWith("/README.md") && !name.includes("node_modules/")),
  ];
  const files: DocsFile[] = [];
  for (const file of names) {
    const document = readDocsFile(root, file);
    if (document !== undefined) files.push(document);
    if (files.length === MAX_FILE_COUNT) break;
  }
  return files;
}

function markdownUnder(root: string, folder: string, isWanted: (name: string) => boolean): string[] {
  const place = path.join(/* turbopackIgnore: true */ root, folder);
  if (!existsSync(place)) return [];
  return readdirSync(place, { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.split(path.sep).join("/")}`)
    .filter((name) => name.endsWith(".md") && isWanted(name))
    .toSorted();
}

function readDocsFile(root: string, file: string): DocsFile | undefined {
  try {
    const text = readFileSync(path.join(/* turbopackIgnore: true */ root, file), "utf8");
    return Buffer.byteLength(text) > MAX_FILE_BYTES ? undefined : { file, text };
  } catch {
    return undefined;
  }
}
