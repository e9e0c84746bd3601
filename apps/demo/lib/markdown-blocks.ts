// The blocks of Markdown: the part of it that answers and the project's own documents use.

import type { CodeLine } from "./markdown-code.ts";
import type { Groups } from "./markdown-groups.ts";
import type { Inline } from "./markdown-marks.ts";

export interface HeadingBlock {
  readonly type: "heading";
  readonly level: 1 | 2 | 3 | 4 | 5 | 6;
  readonly text: string;
  /** It is still being written. */
  readonly isOpen: boolean;
}
export interface ParagraphBlock {
  readonly type: "paragraph";
  readonly text: string;
  /** The marks in it. All pieces but the last of a growing paragraph are the same arrays in every view. */
  readonly pieces: readonly (readonly Inline[])[];
}
export interface CodeBlock {
  readonly type: "code";
  readonly language: string;
  readonly lines: Groups<CodeLine>;
  /** It is still being written. */
  readonly isOpen: boolean;
}
export interface QuoteBlock {
  readonly type: "quote";
  readonly blocks: Groups<Block>;
}
export interface ListItem {
  readonly blocks: Groups<Block>;
}
export interface ListBlock {
  readonly type: "list";
  readonly isOrdered: boolean;
  readonly start: number;
  readonly items: Groups<ListItem>;
}
export interface TableRow {
  readonly cells: readonly string[];
  readonly isOpen: boolean;
}
export interface TableBlock {
  readonly type: "table";
  readonly head: TableRow;
  readonly rows: Groups<TableRow>;
}
export interface RuleBlock {
  readonly type: "rule";
}
/** Never changed: a block that is the same object is the same block. */
export type Block = HeadingBlock | ParagraphBlock | CodeBlock | QuoteBlock | ListBlock | TableBlock | RuleBlock;
