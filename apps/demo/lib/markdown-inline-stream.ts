// The marks of a paragraph that is being written: read piece by piece, so that a long one costs no more than a short one.

import { InlineReader } from "./markdown-inline.ts";
import type { Inline } from "./markdown-marks.ts";

/** The marks of a text that grows: what is settled stands in pieces, which are read once. */
export class InlineStream {
  #pieces: (readonly Inline[])[] = [];
  #settled = "";

  /** Whether `text` goes on from what is settled here. */
  isFor(text: string): boolean {
    return this.#settled !== "" && text.startsWith(this.#settled);
  }

  /** The pieces of `text`. Without growth the last one is what the text ends with. */
  view(text: string, isGrowing: boolean): readonly (readonly Inline[])[] {
    if (!text.startsWith(this.#settled)) {
      this.#pieces = [];
      this.#settled = "";
    }
    const reader = new InlineReader(text, isGrowing, 0, this.#settled.length);
    let end = this.#settled.length;
    for (let piece = reader.readPiece(); piece !== undefined; piece = reader.readPiece()) {
      this.#pieces.push(piece.found);
      end = piece.end;
    }
    if (end > this.#settled.length) this.#settled = text.slice(0, end);
    return [...this.#pieces, reader.read()];
  }
}
