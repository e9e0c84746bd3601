// Full-text search over the project's own documents, and answers made of what it finds: what the chat does as long as no
// model is configured. Real input, no imitation of a model.

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type DocsFile, readDocsFiles } from "./docs-files.ts";
import { linkDocs } from "./docs-links.ts";
import { type Passage, splitPassages } from "./docs-passages.ts";

/** A piece of an answer. */
export type AnswerPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "source"; readonly id: string; readonly url: string; readonly title: string };

export interface DocsQuestion {
  readonly question: string;
  /** Aborting it ends the answer at once: the generator then throws the signal's reason. */
  readonly signal: AbortSignal;
  /** How fast the answer is written. `Infinity` does not wait. Default: 60, and less for an answer of few words. */
  readonly wordsPerSecond?: number | undefined;
  /** Where to look. Default: the project's own documents. */
  readonly index?: DocsIndex | undefined;
}

/** Passages that a search gives at most. */
const MAX_FOUND_COUNT = 20;
/** Words of a query that count; the rest is left out. */
const MAX_QUERY_WORDS_COUNT = 32;
const MAX_WORD_CHARS = 64;
/** A word in a title weighs as much as so many in the text. */
const TITLE_WEIGHT = 8;
const PATH_WEIGHT = 3;
/** Passages quoted in one answer, and how much of one. */
const MAX_QUOTED_COUNT = 4;
const MAX_QUOTED_CHARS = 1_200;
/** A passage is quoted if its rank is at least this share of the best one's. */
const MIN_RANK_SHARE = 0.5;
const MAX_TOPICS_COUNT = 10;
/** As a reader's eye goes over a page. */
const MAX_WORDS_PER_SECOND = 60;
/** A short answer is written so slowly that it takes this long, so that there is a middle to reload in; */
const MIN_ANSWER_SECONDS = 7;
/** but never slower than this. */
const MIN_WORDS_PER_SECOND = 18;

const NO_MODEL =
  "No model is configured, so this answer is quoted from the project's own documentation. " +
  "Set `OPENAI_API_KEY` or `OPENAI_BASE_URL` to talk to a model.";

const STOP_WORDS = new Set(
  (
    "a about an and any are as at be been but by can could did do does for from get give had has have hello help hey hi how i if in " +
    "into is it its let like make may me might my no not of off on or our please should show so some tell than thank thanks that the " +
    "their them then there these they this those to too up us use used using was way we were what when where which who " +
    "why will with work works would you your explain describe happen happens happened mean means want know need"
  ).split(" "),
);

/** A full-text index over documents, in memory. */
export class DocsIndex {
  readonly #passages: readonly Passage[];
  readonly #search: StatementSync;

  constructor(files: readonly DocsFile[]) {
    const known = new Set(files.map(({ file }) => file));
    this.#passages = files.flatMap(({ file, text }) => splitPassages({ file, text: linkDocs({ file, text }, known) }));
    const database = new DatabaseSync(":memory:");
    // The row's number is the passage's: the text is indexed, and kept once, here.
    database.exec(
      "CREATE VIRTUAL TABLE passages USING fts5(title, path, text, content='', tokenize='porter unicode61')",
    );
    const insert = database.prepare("INSERT INTO passages (rowid, title, path, text) VALUES (?, ?, ?, ?)");
    database.exec("BEGIN");
    for (const [at, { title, path, file, text }] of this.#passages.entries()) {
      insert.run(at, title, [...path, file].join(" "), text);
    }
    database.exec("COMMIT");
    this.#search = database.prepare(
      `SELECT rowid AS at, bm25(passages, ${TITLE_WEIGHT}, ${PATH_WEIGHT}, 1) AS rank FROM passages ` +
        `WHERE passages MATCH ? ORDER BY rank LIMIT ${MAX_FOUND_COUNT}`,
    );
  }

  /** The passages that fit, best first; `rank` is larger the better it fits. Any text is a query. */
  search(query: string): readonly { readonly passage: Passage; readonly rank: number }[] {
    const match = toMatch(query);
    if (match === "") return [];
    return this.#search.all(match).flatMap((row) => {
      const passage = this.#passages[Number(row["at"])];
      return passage === undefined ? [] : [{ passage, rank: -Number(row["rank"]) }];
    });
  }

  /** What the documents are about: the headings below their titles, a few from each document in turn. */
  topics(): readonly string[] {
    const files = Map.groupBy(this.#passages, ({ file }) => file);
    const lists = [...files.values()].map((passages) => [
      ...new Set(passages.flatMap(({ title, path }) => (path.length === 1 ? [title] : []))),
    ]);
    const longest = Math.max(0, ...lists.map((list) => list.length));
    const found = new Set<string>();
    for (let at = 0; at < longest; at++)
      for (const list of lists) for (const title of list.slice(at, at + 1)) found.add(title);
    return [...found].slice(0, MAX_TOPICS_COUNT);
  }
}

/**
 * A query of FTS5: each word that says something, quoted, so that nothing in it is an operator; any of them may match.
 * Empty when no such word is there.
 */
function toMatch(query: string): string {
  const words = query
    .slice(0, MAX_QUERY_WORDS_COUNT * MAX_WORD_CHARS)
    .toLowerCase()
    .replaceAll(/(?<=\p{L})['’](?=\p{L})\p{L}+/gu, "") // what's, doesn't
    .match(/[\p{L}\p{N}\p{M}]+/gu);
  const telling = new Set(words?.map((word) => word.slice(0, MAX_WORD_CHARS)).filter((word) => !STOP_WORDS.has(word)));
  return [...telling]
    .slice(0, MAX_QUERY_WORDS_COUNT)
    .map((word) => `"${word}"`)
    .join(" OR ");
}

let ownIndex: DocsIndex | undefined;

/** The index of the project's own documents: built on the first call in a process. */
function docsIndex(): DocsIndex {
  ownIndex ??= new DocsIndex(readDocsFiles());
  return ownIndex;
}

/** The passages of the project's documents that fit `query`, best first. Never throws, whatever the query. */
export function searchDocs(query: string): { readonly passages: readonly Passage[] } {
  return {
    passages: docsIndex()
      .search(query)
      .map(({ passage }) => passage),
  };
}

/**
 * Answers a question with passages from the documentation, at the pace of somebody who reads along.
 * @throws the signal's reason when it aborts
 */
export async function* answerFromDocs(options: DocsQuestion): AsyncGenerator<AnswerPart, void, undefined> {
  const { question, signal, index = docsIndex() } = options;
  const parts = [...answerParts(index, question)];
  const wordsPerSecond = options.wordsPerSecond ?? usualPace(parts);
  const startedAt = performance.now();
  let words = 0;
  for (const part of parts) {
    if (part.type === "source") {
      yield part;
      continue;
    }
    for (const text of wordGroups(part.text)) {
      // Counted from the start, so that timers that come late do not add up.
      const waitMs = (words / wordsPerSecond) * 1_000 - (performance.now() - startedAt);
      if (waitMs > 0) await pause(waitMs, signal);
      signal.throwIfAborted();
      yield { type: "text", text };
      words += countWords(text);
    }
  }
}

function countWords(text: string): number {
  return text.split(/\S+/).length - 1;
}

function usualPace(parts: readonly AnswerPart[]): number {
  const words = parts.reduce((sum, part) => sum + (part.type === "text" ? countWords(part.text) : 0), 0);
  return Math.min(MAX_WORDS_PER_SECOND, Math.max(MIN_WORDS_PER_SECOND, words / MIN_ANSWER_SECONDS));
}

/** Ends with the time or with the signal, and its timer with it. */
async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(waitMs, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

/** Two words, or one long one, with the space behind them: about what a token or two of a model are. */
function wordGroups(text: string): string[] {
  return text.match(/\s*(?:\S{8,}\s*|\S+\s*(?:\S{1,7}(?:\s+|$))?)/g) ?? [];
}

function* answerParts(index: DocsIndex, question: string): Generator<AnswerPart, void, undefined> {
  yield { type: "text", text: `${NO_MODEL}\n\n` };
  const found = bestPassages(index, question);
  if (found.length === 0) {
    yield { type: "text", text: nothingFound(index) };
    return;
  }
  for (const passage of found) {
    yield { type: "text", text: `**${passage.title}**, in \`${passage.file}\`:\n\n${quote(passage.text)}\n\n` };
    yield {
      type: "source",
      id: `${passage.file}#${passage.anchor}`,
      url: `/docs/${passage.file}${passage.anchor === "" ? "" : `#${passage.anchor}`}`,
      title: `${passage.file}: ${passage.title}`,
    };
  }
}

/** One passage per section, and none that fits much worse than the best. */
function bestPassages(index: DocsIndex, question: string): readonly Passage[] {
  const found = index.search(question);
  const best = found[0]?.rank ?? 0;
  const sections = new Map<string, Passage>();
  for (const { passage, rank } of found) {
    const section = `${passage.file}#${passage.anchor}`;
    if (rank >= best * MIN_RANK_SHARE && !sections.has(section)) sections.set(section, passage);
  }
  return [...sections.values()].slice(0, MAX_QUOTED_COUNT);
}

function quote(text: string): string {
  return shorten(text).replaceAll(/^/gm, "> ");
}

/** Cuts at the end of a line, and closes the code block that the cut went through. */
function shorten(text: string): string {
  if (text.length <= MAX_QUOTED_CHARS) return text;
  const end = text.lastIndexOf("\n", MAX_QUOTED_CHARS);
  const kept = text.slice(0, end > 0 ? end : MAX_QUOTED_CHARS);
  const fences = kept.match(/^\s*(?:`{3,}|~{3,})/gm) ?? [];
  const closing = fences.length % 2 === 1 ? `\n${fences.at(-1)?.trim() ?? ""}` : "";
  return `${kept}${closing}\n\n…`;
}

function nothingFound(index: DocsIndex): string {
  const topics = index.topics();
  if (topics.length === 0) return "There is no documentation where this server runs, so there is nothing to quote.";
  const list = topics.map((topic) => `- ${topic}`).join("\n");
  return `Nothing in it fits the question. It covers, among other things:\n\n${list}\n`;
}
