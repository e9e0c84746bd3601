// Turns the code blocks of the documentation into modules that the compiler and Node can judge.

import { type CodeBlock, codeBlocksOf, wordOf } from "./markdown.ts";

/** What a block may assume by `assumes=name,name` behind its language, so that it need not say it again. */
const ASSUMED: Readonly<Record<string, string>> = {
  request: "declare const request: Request;",
  signal: "declare const signal: AbortSignal;",
  streams: 'declare const streams: import("tailrace").Streams;',
  store: 'declare const store: import("tailrace").Store;',
  conversations: 'declare const conversations: import("tailrace/chat").Conversations;',
  answer: 'declare const answer: import("tailrace/chat").Answerer;',
  token: "declare function freshToken(): Promise<string>;",
  show: "declare function show(...values: readonly unknown[]): void;",
};

/** A block as a file of its own. */
export interface BlockModule {
  readonly fileName: string;
  readonly text: string;
  /** Where it came from, as `docs/streams.md:12`. */
  readonly origin: string;
  /** Line n of the module is line n + `lineOffset` of the page. */
  readonly lineOffset: number;
  readonly page: string;
  /** Whether it is to be executed, too. */
  readonly isRun: boolean;
}

/** The TypeScript blocks of a page. Those with `file=` show a file of the repository, which is judged where it lies. */
export function modulesOf(page: string, text: string): readonly BlockModule[] {
  return codeBlocksOf(text)
    .filter(({ language }) => language === "ts" || language === "tsx")
    .filter((block) => wordOf(block, "file") === undefined)
    .map((block) => toModule(page, block));
}

function toModule(page: string, block: CodeBlock): BlockModule {
  const origin = `${page}:${block.line}`;
  const isModule = /^(?:import|export)\b/m.test(block.text);
  const header = [...assumptionsOf(block, origin), ...(isModule ? [] : ["export {};"])].join(" ");
  const fileName = `${page.replaceAll(/[^\w]+/g, "-")}-${block.line}.${block.language}`;
  return {
    fileName,
    text: `${header}\n${block.text}`,
    origin,
    lineOffset: block.line - 1,
    page,
    isRun: block.words.includes("run"),
  };
}

function assumptionsOf(block: CodeBlock, origin: string): readonly string[] {
  const names = wordOf(block, "assumes")?.split(",") ?? [];
  return names.map((name) => {
    const declaration = ASSUMED[name];
    if (declaration === undefined) {
      throw new Error(`${origin} assumes "${name}", which is none of ${Object.keys(ASSUMED).join(", ")}.`);
    }
    return declaration;
  });
}

/** The settings that blocks are compiled with: the repository's, without what only a library needs. */
export function blockConfig(files: readonly string[]): object {
  return {
    extends: "../../tsconfig.json",
    compilerOptions: {
      module: "nodenext",
      types: ["node", "react"],
      // Next.js has no `exports`; its bundler finds what a page writes, and nodenext alone would not.
      paths: { "next/server": ["../../node_modules/next/server.d.ts"] },
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    files,
    include: [],
    exclude: [],
  };
}

/** The compiler's complaints with the places of the documentation in them. */
export function inPages(output: string, modules: readonly BlockModule[]): string {
  return output.replaceAll(
    /^(?:.*\/)?([\w.-]+)\((\d+),(\d+)\)/gm,
    (whole, name: string, line: string, column: string) => {
      const module = modules.find(({ fileName }) => fileName === name);
      return module === undefined ? whole : `${module.page}:${Number(line) + module.lineOffset}:${column}`;
    },
  );
}
