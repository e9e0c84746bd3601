// The grammar of blocks, one line at a time. What a line decides is decided for good, with one exception: the last line
// of a paragraph may turn out to be the head of a table. Never fails: what it does not know is a paragraph.

import type { Block, ListItem, TableRow } from "./markdown-blocks.ts";
import { type CodeLine, plainLine } from "./markdown-code.ts";
import { GroupedList, type Groups } from "./markdown-groups.ts";
import {
  BLANK,
  closingFence,
  COMMENT,
  couldDivide,
  FENCE,
  indentOf,
  interruptsParagraph,
  isUndecided,
  LIST_ITEM,
  QUOTE,
  RULE,
  tableCells,
} from "./markdown-lines.ts";
import {
  pushCode,
  textOf,
  headingOf,
  rowOf,
  headOnly,
  kindOf,
  placeIn,
  passBlank,
  closeItem,
  listView,
  type Open,
  type OpenItem,
  type OpenList,
  isTable,
  Paragraphs,
} from "./markdown-open.ts";

/** Quotes and lists inside one another; what lies deeper is shown as plain paragraphs. */
const MAX_DEPTH_COUNT = 6;

export class BlockReader {
  readonly #depth: number;
  readonly #paragraphs: Paragraphs;
  readonly #done = new GroupedList<Block>();
  #open: Open | undefined;

  constructor(depth: number = 0, paragraphs: Paragraphs = new Paragraphs()) {
    this.#depth = depth;
    this.#paragraphs = paragraphs;
  }

  /** Takes a finished line, without its end. */
  push(line: string): void {
    const open = this.#open;
    switch (open?.type) {
      case undefined:
        return this.#start(line);
      case "code":
        if (open.closing.test(line)) return this.finish();
        return pushCode(open, line);
      case "comment":
        if (line.includes("-->")) this.#open = undefined;
        return;
      case "quote":
        if (QUOTE.test(line)) return open.inner.push(line.replace(QUOTE, ""));
        break;
      case "table":
        if (line.includes("|")) return open.rows.push(rowOf(line, open.head, false));
        break;
      case "list":
        if (this.#pushToList(open, line)) return;
        break;
      case "paragraph":
        if (this.#pushToParagraph(open, line)) return;
        break;
    }
    this.finish();
    this.#start(line);
  }

  /** Nothing more comes: what is open is closed as it is. */
  finish(): void {
    const block = this.#closed();
    this.#open = undefined;
    if (block !== undefined) this.#done.push(block);
  }

  frozen(): Groups<Block> {
    return this.#done.snapshot();
  }

  /** What there is to see when the text ends in `partial`, a line that is not finished. */
  view(partial: string): Groups<Block> {
    return this.#done.snapshot(this.#openViews(partial));
  }

  #start(line: string): void {
    if (BLANK.test(line)) return;
    const fence = FENCE.exec(line);
    if (fence !== null) {
      const marker = fence[1] ?? "```";
      const closing = closingFence(marker);
      const lines = new GroupedList<CodeLine>();
      this.#open = { type: "code", marker, closing, language: fence[2] ?? "", lines, state: "" };
      return;
    }
    const heading = headingOf(line, false);
    if (heading !== undefined) return this.#done.push(heading);
    if (RULE.test(line)) return this.#done.push({ type: "rule" });
    if (COMMENT.test(line)) {
      if (!line.includes("-->")) this.#open = { type: "comment" };
      return;
    }
    if (this.#depth < MAX_DEPTH_COUNT) {
      if (QUOTE.test(line)) {
        const inner = this.#inner();
        inner.push(line.replace(QUOTE, ""));
        this.#open = { type: "quote", inner };
        return;
      }
      const marker = LIST_ITEM.exec(line);
      if (marker !== null) {
        const { mark, kind, isOrdered } = kindOf(marker);
        const start = isOrdered ? Number.parseInt(mark, 10) : 1;
        const items = new GroupedList<ListItem>();
        this.#open = { type: "list", kind, isOrdered, start, items, item: this.#startItem(line, marker[0]) };
        return;
      }
    }
    this.#open = { type: "paragraph", before: undefined, last: line.trimStart() };
  }

  #inner(): BlockReader {
    return new BlockReader(this.#depth + 1, this.#paragraphs);
  }

  #startItem(line: string, marker: string): OpenItem {
    const inner = this.#inner();
    inner.push(line.slice(marker.length));
    return { inner, width: Math.min(marker.length, marker.trimEnd().length + 4), isBlank: false };
  }

  /** False: the line ends the list. */
  #pushToList(list: OpenList, line: string): boolean {
    const { item } = list;
    if (BLANK.test(line)) {
      item.isBlank = true;
      return true;
    }
    switch (placeIn(list, line)) {
      case "inside":
        passBlank(item);
        item.inner.push(indentOf(line) >= item.width ? line.slice(item.width) : line.trimStart());
        return true;
      case "item":
        list.items.push(closeItem(item));
        list.item = this.#startItem(line, LIST_ITEM.exec(line)?.[0] ?? "");
        return true;
      case "outside":
        return false;
    }
  }

  /** False: the line ends the paragraph. */
  #pushToParagraph(open: Extract<Open, { type: "paragraph" }>, line: string): boolean {
    if (isTable(open, line)) {
      if (open.before !== undefined) this.#done.push(this.#paragraphs.read(open.before, false));
      const head = { cells: tableCells(open.last), isOpen: false };
      this.#open = { type: "table", head, rows: new GroupedList<TableRow>() };
      return true;
    }
    if (BLANK.test(line) || this.#endsParagraph(line)) return false;
    open.before = textOf(open);
    open.last = line.trimStart();
    return true;
  }

  #endsParagraph(line: string): boolean {
    return this.#depth < MAX_DEPTH_COUNT ? interruptsParagraph(line) : COMMENT.test(line);
  }

  #closed(): Block | undefined {
    const open = this.#open;
    switch (open?.type) {
      case undefined:
      case "comment":
        return undefined;
      case "paragraph":
        return this.#paragraphs.read(textOf(open), false);
      case "code":
        return { type: "code", language: open.language, lines: open.lines.snapshot(), isOpen: false };
      case "quote":
        open.inner.finish();
        return { type: "quote", blocks: open.inner.frozen() };
      case "table":
        return { type: "table", head: open.head, rows: open.rows.snapshot() };
      case "list":
        return listView(open, [closeItem(open.item)]);
    }
  }

  // --- what is open, as it is shown ---

  #openViews(partial: string): Block[] {
    const open = this.#open;
    switch (open?.type) {
      case undefined:
        return this.#partialViews(partial);
      case "comment":
        return [];
      case "code": {
        // It may be the fence that closes it.
        const isFence = partial.trim() !== "" && partial.trim().replaceAll(open.marker.charAt(0), "") === "";
        const tail = partial === "" || isFence ? [] : [plainLine(partial)];
        return [{ type: "code", language: open.language, lines: open.lines.snapshot(tail), isOpen: true }];
      }
      case "quote": {
        const isInside = QUOTE.test(partial);
        const blocks = open.inner.view(isInside ? partial.replace(QUOTE, "") : "");
        return [{ type: "quote", blocks }, ...(isInside ? [] : this.#partialViews(partial))];
      }
      case "table": {
        const isInside = partial.includes("|");
        const rows = open.rows.snapshot(isInside ? [rowOf(partial, open.head, true)] : []);
        return [{ type: "table", head: open.head, rows }, ...(isInside ? [] : this.#partialViews(partial))];
      }
      case "list":
        return this.#listViews(open, partial);
      case "paragraph":
        return this.#paragraphViews(open, partial);
    }
  }

  #listViews(list: OpenList, partial: string): Block[] {
    const { item } = list;
    const shown = (inner: string): ListItem => ({ blocks: item.inner.view(inner) });
    if (BLANK.test(partial)) return [listView(list, [shown("")])];
    if (indentOf(partial) < item.width && isUndecided(partial)) return [listView(list, [shown("")])];
    switch (placeIn(list, partial)) {
      case "inside":
        passBlank(item); // the indent is there, so this is certain
        return [
          listView(list, [shown(indentOf(partial) >= item.width ? partial.slice(item.width) : partial.trimStart())]),
        ];
      case "item":
        return [listView(list, [shown(""), this.#partialItem(partial)])];
      case "outside":
        return [listView(list, [shown("")]), ...this.#partialViews(partial)];
    }
  }

  #partialItem(partial: string): ListItem {
    return { blocks: this.#inner().view(partial.slice((LIST_ITEM.exec(partial)?.[0] ?? "").length)) };
  }

  #paragraphViews(open: Extract<Open, { type: "paragraph" }>, partial: string): Block[] {
    const isHead = open.last.startsWith("|");
    if (isHead && couldDivide(partial)) {
      const table = headOnly(open.last);
      return open.before === undefined ? [table] : [this.#paragraphs.read(open.before, false), table];
    }
    const text = textOf(open);
    if (BLANK.test(partial) || isUndecided(partial)) return [this.#paragraphs.read(text, true)];
    if (this.#endsParagraph(partial) || partial.trimStart().startsWith("|")) {
      return [this.#paragraphs.read(text, false), ...this.#partialViews(partial)];
    }
    return [this.#paragraphs.read(`${text}\n${partial.trimStart()}`, true)];
  }

  /** A block that has not got its first line whole. */
  #partialViews(partial: string): Block[] {
    if (BLANK.test(partial) || isUndecided(partial) || COMMENT.test(partial)) return [];
    // Its language is not known to the last letter.
    if (FENCE.test(partial)) return [{ type: "code", language: "", lines: [], isOpen: true }];
    const heading = headingOf(partial, true);
    if (heading !== undefined) return [heading];
    if (RULE.test(partial)) return [{ type: "rule" }];
    if (this.#depth < MAX_DEPTH_COUNT) {
      if (QUOTE.test(partial)) return [{ type: "quote", blocks: this.#inner().view(partial.replace(QUOTE, "")) }];
      const marker = LIST_ITEM.exec(partial);
      if (marker !== null) {
        const { mark, isOrdered } = kindOf(marker);
        const start = isOrdered ? Number.parseInt(mark, 10) : 1;
        return [{ type: "list", isOrdered, start, items: [[this.#partialItem(partial)]] }];
      }
    }
    const text = partial.trimStart();
    return text.startsWith("|") ? [headOnly(text)] : [this.#paragraphs.read(text, true)];
  }
}
