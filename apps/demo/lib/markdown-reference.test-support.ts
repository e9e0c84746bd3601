// The block grammar once more, read with the whole text at hand: what the line by line parser is compared with in tests.

/** Quotes and lists inside one another; what lies deeper is shown as plain paragraphs. */
const MAX_DEPTH_COUNT = 6;

interface BlockBase {
  /** The block as it was written: equal text is an equal block. */
  readonly raw: string;
}
export interface HeadingBlock extends BlockBase {
  readonly type: "heading";
  readonly level: 1 | 2 | 3 | 4 | 5 | 6;
  readonly text: string;
}
export interface ParagraphBlock extends BlockBase {
  readonly type: "paragraph";
  readonly text: string;
}
export interface CodeBlock extends BlockBase {
  readonly type: "code";
  readonly language: string;
  readonly text: string;
}
export interface QuoteBlock extends BlockBase {
  readonly type: "quote";
  readonly blocks: readonly Block[];
}
export interface ListBlock extends BlockBase {
  readonly type: "list";
  readonly isOrdered: boolean;
  readonly start: number;
  readonly items: readonly (readonly Block[])[];
}
export interface TableBlock extends BlockBase {
  readonly type: "table";
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
export interface RuleBlock extends BlockBase {
  readonly type: "rule";
}
export type Block = HeadingBlock | ParagraphBlock | CodeBlock | QuoteBlock | ListBlock | TableBlock | RuleBlock;

const BLANK = /^\s*$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$/;
const QUOTE = /^ {0,3}> ?/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const LIST_ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+|$)/;
const COMMENT = /^ {0,3}<!--/;
const TABLE_DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Parses Markdown into blocks. */
export function parseReference(source: string): Block[] {
  return parseLines(source.split(/\r\n|\r|\n/), 0);
}

function parseLines(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (BLANK.test(lines[at] ?? "")) {
      at++;
      continue;
    }
    const { block, end } = readBlock(lines, at, depth);
    if (block !== undefined) blocks.push(block);
    at = end;
  }
  return blocks;
}

interface Read {
  readonly block: Block | undefined;
  /** The first line that is not part of the block. */
  readonly end: number;
}

function readBlock(lines: readonly string[], at: number, depth: number): Read {
  const line = lines[at] ?? "";
  const fence = FENCE.exec(line);
  if (fence !== null) return readCode(lines, at, fence[1] ?? "```", fence[2] ?? "");
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const level = (heading[1] ?? "#").length as HeadingBlock["level"];
    return { block: { type: "heading", level, text: heading[2] ?? "", raw: line }, end: at + 1 };
  }
  if (RULE.test(line)) return { block: { type: "rule", raw: line }, end: at + 1 };
  if (COMMENT.test(line)) return skipComment(lines, at);
  if (depth < MAX_DEPTH_COUNT) {
    if (QUOTE.test(line)) return readQuote(lines, at, depth);
    if (LIST_ITEM.test(line)) return readList(lines, at, depth);
  }
  if (isHead(line, lines[at + 1])) return readTable(lines, at, tableCells(line));
  return readParagraph(lines, at, depth);
}

function rawOf(lines: readonly string[], at: number, end: number): string {
  return lines.slice(at, end).join("\n");
}

/** A fence that is not closed yet runs to the end of what there is. */
function readCode(lines: readonly string[], at: number, marker: string, language: string): Read {
  const closing = new RegExp(`^ {0,3}\\${marker.charAt(0)}{${marker.length},}[ \\t]*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end] ?? "")) end++;
  const text = rawOf(lines, at + 1, end);
  const next = Math.min(end + 1, lines.length);
  return { block: { type: "code", language, text, raw: rawOf(lines, at, next) }, end: next };
}

function skipComment(lines: readonly string[], at: number): Read {
  let end = at;
  while (end < lines.length && !(lines[end] ?? "").includes("-->")) end++;
  return { block: undefined, end: end + 1 };
}

function readQuote(lines: readonly string[], at: number, depth: number): Read {
  const inner: string[] = [];
  let end = at;
  for (; end < lines.length && QUOTE.test(lines[end] ?? ""); end++) inner.push((lines[end] ?? "").replace(QUOTE, ""));
  return { block: { type: "quote", blocks: parseLines(inner, depth + 1), raw: rawOf(lines, at, end) }, end };
}

function readList(lines: readonly string[], at: number, depth: number): Read {
  const first = LIST_ITEM.exec(lines[at] ?? "")?.[2] ?? "-";
  const kind = first.slice(-1);
  const isOrdered = first.length > 1;
  const items: Block[][] = [];
  let end = at;
  while (end < lines.length) {
    const marker = LIST_ITEM.exec(lines[end] ?? "");
    if (marker === null || (marker[2] ?? "").slice(-1) !== kind || RULE.test(lines[end] ?? "")) break;
    const item = readItem(lines, end, marker[0]);
    items.push(parseLines(item.inner, depth + 1));
    end = item.end;
  }
  const raw = rawOf(lines, at, end);
  return { block: { type: "list", isOrdered, start: isOrdered ? Number.parseInt(first, 10) : 1, items, raw }, end };
}

/** The lines of one item: indented as far as its text, blank ones between them, and lazy ones that go on with a paragraph. */
function readItem(lines: readonly string[], at: number, marker: string): { inner: string[]; end: number } {
  const width = Math.min(marker.length, marker.trimEnd().length + 4);
  const inner = [(lines[at] ?? "").slice(marker.length)];
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end] ?? "";
    if (BLANK.test(line)) {
      let next = end + 1;
      while (next < lines.length && BLANK.test(lines[next] ?? "")) next++;
      const after = lines[next] ?? "";
      if (next >= lines.length || (indentOf(after) < width && !LIST_ITEM.test(after))) return { inner, end };
      if (indentOf(after) >= width) inner.push("");
      end = next;
      if (indentOf(after) < width) return { inner, end };
      continue;
    }
    if (indentOf(line) >= width) inner.push(line.slice(width));
    else if (interruptsParagraph(line) || BLANK.test(lines[end - 1] ?? "")) return { inner, end };
    else inner.push(line.trimStart());
    end++;
  }
  return { inner, end };
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function interruptsParagraph(line: string): boolean {
  return [HEADING, FENCE, QUOTE, RULE, LIST_ITEM, COMMENT].some((start) => start.test(line));
}

/** The head of a table has as many cells as the line below it. */
function isHead(line: string, below: string = ""): boolean {
  return line.includes("|") && TABLE_DIVIDER.test(below) && tableCells(line).length === tableCells(below).length;
}

function readTable(lines: readonly string[], at: number, head: readonly string[]): Read {
  const rows: string[][] = [];
  let end = at + 2;
  for (; end < lines.length && (lines[end] ?? "").includes("|"); end++) {
    const cells = tableCells(lines[end] ?? "");
    rows.push(head.map((_, column) => cells[column] ?? ""));
  }
  return { block: { type: "table", head, rows, raw: rawOf(lines, at, end) }, end };
}

/** A bar inside a cell is written as `\|`, also within code. */
function tableCells(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function readParagraph(lines: readonly string[], at: number, depth: number): Read {
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end] ?? "";
    if (BLANK.test(line)) break;
    if (depth < MAX_DEPTH_COUNT ? interruptsParagraph(line) : COMMENT.test(line)) break;
    if (isHead(line, lines[end + 1]) && !TABLE_DIVIDER.test(line.trimStart())) break;
    end++;
  }
  const text = lines
    .slice(at, end)
    .map((line) => line.trimStart())
    .join("\n");
  return { block: { type: "paragraph", text, raw: rawOf(lines, at, end) }, end };
}
