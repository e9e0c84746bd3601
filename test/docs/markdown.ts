// Reads from a Markdown page what can be checked: its code blocks, its links, its headings and the commands it names.

import { HeadingAnchors } from "../../apps/demo/lib/heading-anchors.ts";

/** A fenced block of code. */
export interface CodeBlock {
  readonly language: string;
  /** What stands behind the language, as in `ts run assumes=streams`. */
  readonly words: readonly string[];
  readonly text: string;
  /** The line of the opening fence, counted from 1. */
  readonly line: number;
}

/** A link or an image, with its target as it is written. */
export interface Link {
  readonly target: string;
  readonly line: number;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*(.*)$/;

interface Parts {
  readonly blocks: readonly CodeBlock[];
  /** The lines outside of code blocks; empty ones in place of those inside. */
  readonly prose: readonly string[];
}

function partsOf(page: string): Parts {
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  let open:
    | { readonly mark: string; readonly info: string; readonly line: number; readonly text: string[] }
    | undefined;
  for (const [index, line] of page.split("\n").entries()) {
    const fence = FENCE.exec(line);
    if (open === undefined && fence === null) {
      prose.push(line);
      continue;
    }
    prose.push("");
    if (open === undefined) open = { mark: fence?.[1] ?? "```", info: fence?.[2] ?? "", line: index + 1, text: [] };
    else if (fence?.[1]?.startsWith(open.mark) === true && fence[2] === "") {
      const [language = "", ...words] = open.info.trim().split(/\s+/);
      blocks.push({ language, words, text: `${open.text.join("\n")}\n`, line: open.line });
      open = undefined;
    } else open.text.push(line);
  }
  if (open !== undefined) throw new Error(`The code block of line ${open.line} is never closed.`);
  return { blocks, prose };
}

/** The fenced blocks of `page`, in order. */
export function codeBlocksOf(page: string): readonly CodeBlock[] {
  return partsOf(page).blocks;
}

/** The value of `name=value` behind a block's language. */
export function wordOf(block: CodeBlock, name: string): string | undefined {
  return block.words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** The links and images of `page`, outside of code. */
export function linksOf(page: string): readonly Link[] {
  return partsOf(page).prose.flatMap((text, index) =>
    [...text.replaceAll(/`[^`]*`/g, "").matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map((found) => ({
      target: found[1] ?? "",
      line: index + 1,
    })),
  );
}

/** The anchors that the headings of `page` have. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new HeadingAnchors();
  const headings = partsOf(page).prose.flatMap(
    (line) => /^#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(line)?.[1] ?? [],
  );
  return new Set(headings.map((heading) => anchors.next(heading)));
}

/** What `page` tells its reader to type: the lines of its `sh` blocks, and the commands in its prose. */
export function commandsOf(page: string): readonly string[] {
  const { blocks, prose } = partsOf(page);
  const lines = blocks.filter(({ language }) => language === "sh").flatMap(({ text }) => text.split("\n"));
  const quoted = prose.flatMap((line) => [...line.matchAll(/`(np[mx] [^`]+)`/g)].map((found) => found[1] ?? ""));
  return [...lines.map((line) => line.trim()), ...quoted].filter((line) => line !== "" && !line.startsWith("#"));
}

/** The rows of the first table of `page` whose first cell is code: that code, and the cell behind it. */
export function codeTableOf(page: string): ReadonlyMap<string, string> {
  const rows = partsOf(page).prose.flatMap((line) => {
    const cells = /^\| `([a-z_]+)` \| ([^|]*) \|/.exec(line);
    return cells === null ? [] : [[cells[1] ?? "", (cells[2] ?? "").trim()] as const];
  });
  return new Map(rows);
}
