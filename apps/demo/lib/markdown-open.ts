// A block that is not finished: what is known of it, and where a further line belongs.

import type { Block, ListItem, ParagraphBlock, TableRow } from "./markdown-blocks.ts";
import { type CodeLine, highlightLine, type LineState } from "./markdown-code.ts";
import type { GroupedList, Groups } from "./markdown-groups.ts";
import { InlineStream } from "./markdown-inline-stream.ts";
import {
  HEADING,
  indentOf,
  interruptsParagraph,
  LIST_ITEM,
  RULE,
  TABLE_DIVIDER,
  tableCells,
} from "./markdown-lines.ts";

/** Paragraphs that are being shown: the one that grows, and one that may be done when the line at the end is. */
export class Paragraphs {
  #streams: InlineStream[] = [];

  read(text: string, isGrowing: boolean): ParagraphBlock {
    let stream = this.#streams.find((each) => each.isFor(text));
    if (stream === undefined) {
      stream = new InlineStream();
      this.#streams = [stream, ...this.#streams.slice(0, 1)];
    }
    return { type: "paragraph", text, pieces: stream.view(text, isGrowing) };
  }
}

/** The reader of what stands inside a block. */
export interface InnerReader {
  push(line: string): void;
  finish(): void;
  frozen(): Groups<Block>;
  view(partial: string): Groups<Block>;
}

export interface OpenItem {
  readonly inner: InnerReader;
  /** How far its lines are indented. */
  readonly width: number;
  /** A blank line has come, and it is not known yet whose it is. */
  isBlank: boolean;
}
export type Open =
  /** `before`: all lines but the last. */
  | { readonly type: "paragraph"; before: string | undefined; last: string }
  | {
      readonly type: "code";
      readonly marker: string;
      readonly closing: RegExp;
      readonly language: string;
      readonly lines: GroupedList<CodeLine>;
      state: LineState;
    }
  | { readonly type: "comment" }
  | { readonly type: "quote"; readonly inner: InnerReader }
  | {
      readonly type: "list";
      readonly kind: string;
      readonly isOrdered: boolean;
      readonly start: number;
      readonly items: GroupedList<ListItem>;
      item: OpenItem;
    }
  | { readonly type: "table"; readonly head: TableRow; readonly rows: GroupedList<TableRow> };
export type OpenList = Extract<Open, { type: "list" }>;

export function pushCode(open: Extract<Open, { type: "code" }>, text: string): void {
  const { line, state } = highlightLine(open.language, text, open.state);
  open.state = state;
  open.lines.push(line);
}

export function textOf({ before, last }: { readonly before: string | undefined; readonly last: string }): string {
  return before === undefined ? last : `${before}\n${last}`;
}

/** Whether `line` makes the last line of a paragraph the head of a table: they have as many cells (GFM, section 4.10). */
export function isTable(
  { before, last }: { readonly before: string | undefined; readonly last: string },
  line: string,
): boolean {
  if (!last.includes("|") || !TABLE_DIVIDER.test(line)) return false;
  if (before !== undefined && TABLE_DIVIDER.test(last)) return false;
  return tableCells(last).length === tableCells(line).length;
}

export function headingOf(line: string, isOpen: boolean): Block | undefined {
  const match = HEADING.exec(line);
  if (match === null) return undefined;
  const level = (match[1] ?? "#").length as 1 | 2 | 3 | 4 | 5 | 6;
  return { type: "heading", level, text: match[2] ?? "", isOpen };
}

export function rowOf(line: string, head: TableRow, isOpen: boolean): TableRow {
  const cells = tableCells(line);
  return { cells: head.cells.map((_, column) => cells[column] ?? ""), isOpen };
}

/** A table whose second line has not come. */
export function headOnly(line: string): Block {
  return { type: "table", head: { cells: tableCells(line), isOpen: true }, rows: [] };
}

export function kindOf(marker: RegExpExecArray): { mark: string; kind: string; isOrdered: boolean } {
  const mark = marker[2] ?? "-";
  return { mark, kind: mark.slice(-1), isOrdered: mark.length > 1 };
}

/** Where a line that is not blank belongs: to the item that is open, to one of its own, or behind the list. */
export function placeIn({ item, kind }: OpenList, line: string): "inside" | "item" | "outside" {
  if (indentOf(line) >= item.width) return "inside";
  const marker = LIST_ITEM.exec(line);
  if (marker !== null && kindOf(marker).kind === kind && !RULE.test(line)) return "item";
  // A lazy line goes on with the item's paragraph.
  return item.isBlank || interruptsParagraph(line) ? "outside" : "inside";
}

export function passBlank(item: OpenItem): void {
  if (item.isBlank) item.inner.push("");
  item.isBlank = false;
}

export function closeItem({ inner }: OpenItem): ListItem {
  inner.finish();
  return { blocks: inner.frozen() };
}

export function listView({ isOrdered, start, items }: OpenList, more: readonly ListItem[]): Block {
  return { type: "list", isOrdered, start, items: items.snapshot(more) };
}
