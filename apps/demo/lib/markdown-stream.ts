// Reads Markdown while it is being written. Finished lines are read once and finished blocks never change again; only the
// line at the end is looked at anew, and what is unfinished in it is shown as what it will most likely be.

import type { Block } from "./markdown-blocks.ts";
import { BlockReader } from "./markdown-reader.ts";
import type { Groups } from "./markdown-groups.ts";

export class MarkdownStream {
  #reader = new BlockReader();
  #text = "";
  /** Where the line begins that is not finished. */
  #lineStart = 0;
  #isFinished = false;
  #view: Groups<Block> = [];

  /**
   * The blocks of `text`. As long as each text goes on from the last one, a call costs what has been added, and blocks
   * that cannot change any more are the same objects in each view. Any other text is read from its start.
   */
  view(text: string, isGrowing: boolean): Groups<Block> {
    if (this.#isFinished ? text !== this.#text || isGrowing : !text.startsWith(this.#text)) this.#restart();
    if (this.#isFinished) return this.#view;
    const from = this.#text.length;
    this.#text = text;
    this.#readLines(Math.max(this.#lineStart, from - 1));
    const rest = text.slice(this.#lineStart);
    if (isGrowing) {
      this.#view = this.#reader.view(rest.endsWith("\r") ? rest.slice(0, -1) : rest);
    } else {
      if (rest !== "") this.#reader.push(rest.replace(/\r$/, ""));
      this.#reader.finish();
      this.#isFinished = true;
      this.#view = this.#reader.frozen();
    }
    return this.#view;
  }

  /** The blocks that nothing which follows can change. */
  frozen(): Groups<Block> {
    return this.#reader.frozen();
  }

  #restart(): void {
    this.#reader = new BlockReader();
    this.#text = "";
    this.#lineStart = 0;
    this.#isFinished = false;
  }

  /** Lines end with CRLF, LF or CR. A CR at the very end may be half of a CRLF, and has to wait. */
  #readLines(from: number): void {
    const text = this.#text;
    const last = text.length - 1;
    let feed = text.indexOf("\n", from);
    let turn = text.indexOf("\r", from);
    for (;;) {
      const isTurn = turn >= 0 && turn < last && (feed < 0 || turn < feed);
      const end = isTurn ? turn : feed;
      if (end < 0) return;
      this.#reader.push(text.slice(this.#lineStart, end));
      this.#lineStart = end + (isTurn && text.charAt(end + 1) === "\n" ? 2 : 1);
      if (feed >= 0 && feed < this.#lineStart) feed = text.indexOf("\n", this.#lineStart);
      if (turn >= 0 && turn < this.#lineStart) turn = text.indexOf("\r", this.#lineStart);
    }
  }
}

/** The blocks of a whole text. */
export function parseMarkdown(text: string): Groups<Block> {
  return new MarkdownStream().view(text, false);
}
