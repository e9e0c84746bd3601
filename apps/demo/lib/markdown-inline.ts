// Reads the marks inside one block of Markdown, in linear time whatever stands there. Marks without another half are text.

import {
  MAX_DEPTH_COUNT,
  MAX_LABEL_CHARS,
  MAX_SPAN_CHARS,
  LOOK_AHEAD_CHARS,
  PIECE_CHARS,
  MAX_ADDRESS_CHARS,
} from "./markdown-limits.ts";
import { ANGLE_ADDRESS, BARE_ADDRESS, LINK_TARGET, safeHref } from "./markdown-links.ts";
import type { Inline, InlineOptions } from "./markdown-marks.ts";

/**
 * Parses the inline marks of `source`. A link that does not lead to http, https or a place on this site stays as its text.
 */
export function parseInline(source: string, options: InlineOptions = {}): Inline[] {
  return new InlineReader(source, options.isGrowing ?? false, 0).read();
}

const SPECIAL = /[\\`*_~[!<\nh]/g;
const MARKS = { "**": "strong", __: "strong", "~~": "deleted", "*": "emphasis", _: "emphasis" } as const;

/** Reads the marks of a text from left to right. */
export class InlineReader {
  readonly #source: string;
  readonly #isGrowing: boolean;
  readonly #depth: number;
  /** Where a mark was found that was looked for; infinite where there is none: nothing is looked for twice. */
  readonly #next = new Map<string, number>();
  #found: Inline[] = [];
  #at: number;
  #text = "";

  constructor(source: string, isGrowing: boolean, depth: number, at: number = 0) {
    this.#source = source;
    this.#isGrowing = isGrowing;
    this.#depth = depth;
    this.#at = at;
  }

  /** The next piece, if it is settled whatever comes behind the text; else nothing, and nothing is read. */
  readPiece(): { readonly found: readonly Inline[]; readonly end: number } | undefined {
    const start = this.#at;
    const last = this.#source.length - LOOK_AHEAD_CHARS;
    if (last - start < PIECE_CHARS) return undefined;
    while (this.#at < last) {
      SPECIAL.lastIndex = this.#at;
      const next = SPECIAL.exec(this.#source)?.index ?? this.#source.length;
      const end = this.#pieceEnd(Math.max(this.#at, start + PIECE_CHARS), Math.min(next, last));
      this.#take((end ?? next) - this.#at);
      if (end !== undefined) {
        this.#flush();
        const found = this.#found;
        this.#found = [];
        return { found, end };
      }
      if (next < last) this.#readSpecial(this.#source.charAt(next));
    }
    this.#at = start;
    this.#text = "";
    this.#found = [];
    this.#next.clear(); // what was found may lie behind what comes first from here on
    return undefined;
  }

  /** Where plain text may be cut: not before a space, which may belong to a line end, nor inside a character. */
  #pieceEnd(from: number, to: number): number | undefined {
    for (let at = from; at < to; at++) if (!/[\s\uDC00-\uDFFF]/.test(this.#source.charAt(at))) return at;
    return undefined;
  }

  read(): Inline[] {
    while (this.#at < this.#source.length) {
      SPECIAL.lastIndex = this.#at;
      const next = SPECIAL.exec(this.#source)?.index ?? this.#source.length;
      this.#take(next - this.#at);
      if (next < this.#source.length) this.#readSpecial(this.#source.charAt(next));
    }
    this.#flush();
    return this.#found;
  }

  #readSpecial(char: string): void {
    if (char === "\\") this.#readEscape();
    else if (char === "`") this.#readCode();
    else if (char === "\n") this.#readLineEnd();
    else if (char === "[") this.#readLink(this.#at);
    else if (char === "!" && this.#source.charAt(this.#at + 1) === "[") this.#readLink(this.#at + 1);
    else if (char === "<" || char === "h") this.#readAddress(char === "<" ? ANGLE_ADDRESS : BARE_ADDRESS);
    else if (char === "*" || char === "_" || char === "~") this.#readEmphasis(char);
    else this.#take(1);
  }

  /** The next characters are plain text. */
  #take(count: number): void {
    this.#text += this.#source.slice(this.#at, this.#at + count);
    this.#at += count;
  }

  #flush(): void {
    if (this.#text !== "") this.#found.push({ type: "text", text: this.#text });
    this.#text = "";
  }

  #add(inline: Inline, end: number): void {
    this.#flush();
    this.#found.push(inline);
    this.#at = end;
  }

  #inner(source: string, isGrowing: boolean = false): readonly Inline[] {
    if (this.#depth >= MAX_DEPTH_COUNT) return [{ type: "text", text: source }];
    return new InlineReader(source, isGrowing, this.#depth + 1).read();
  }

  /** What stands behind a mark whose other half has not come yet; undefined when it never will. */
  #rest(start: number): string | undefined {
    if (!this.#isGrowing || this.#source.length - start > MAX_SPAN_CHARS) return undefined;
    return this.#source.slice(start);
  }

  /** Where `mark` comes next; infinite when it does not. */
  #find(mark: string, from: number): number {
    const known = this.#next.get(mark);
    if (known !== undefined && known >= from) return known;
    const index = this.#source.indexOf(mark, from);
    const next = index < 0 ? Infinity : index;
    this.#next.set(mark, next);
    return next;
  }

  #readEscape(): void {
    const next = this.#source.charAt(this.#at + 1);
    if (next === "\n") this.#add({ type: "break" }, this.#at + 2);
    else if (/[!-/:-@[-`{-~]/.test(next)) {
      this.#text += next;
      this.#at += 2;
    } else this.#take(1);
  }

  #readLineEnd(): void {
    if (!/ {2,}$/.test(this.#text.slice(-8))) {
      this.#take(1);
      return;
    }
    this.#text = this.#text.trimEnd();
    this.#add({ type: "break" }, this.#at + 1);
  }

  #readCode(): void {
    let width = 1;
    while (this.#source.charAt(this.#at + width) === "`") width++;
    const ticks = "`".repeat(width);
    const start = this.#at + width;
    let end = this.#find(ticks, start);
    while (end - start <= MAX_SPAN_CHARS && this.#source.charAt(end + width) === "`") {
      let past = end + width;
      while (this.#source.charAt(past) === "`") past++;
      end = this.#find(ticks, past);
    }
    if (end - start > MAX_SPAN_CHARS) {
      const rest = this.#rest(start);
      if (rest === undefined) this.#take(width);
      else this.#add({ type: "code", text: rest }, this.#source.length);
      return;
    }
    const inner = this.#source.slice(start, end).replaceAll("\n", " ");
    const text = /^ .*[^ ].* $/.test(inner) ? inner.slice(1, -1) : inner;
    this.#add({ type: "code", text }, end + width);
  }

  #readEmphasis(char: "*" | "_" | "~"): void {
    const isDouble = this.#source.charAt(this.#at + 1) === char;
    const mark = isDouble ? `${char}${char}` : char;
    if (mark === "~") {
      this.#take(1);
      return;
    }
    const type = MARKS[mark as keyof typeof MARKS];
    const start = this.#at + mark.length;
    if (this.#isGrowing && start === this.#source.length) {
      this.#at = start; // it opens or closes what comes next
      return;
    }
    const opens = !/\s/.test(this.#source.charAt(start) || " ") && !(char === "_" && this.#isWordAt(this.#at - 1));
    const end = opens ? this.#closingMark(mark, start) : -1;
    if (end < 0) {
      // An underscore at the start of a word is a name's more often than not.
      const rest = opens && char !== "_" ? this.#rest(start) : undefined;
      if (rest === undefined) this.#take(mark.length);
      else this.#add({ type, children: this.#inner(rest, true) }, this.#source.length);
      return;
    }
    this.#add({ type, children: this.#inner(this.#source.slice(start, end)) }, end + mark.length);
  }

  /** The next `mark` that follows a character of text, stands alone, and (for `_`) does not stand inside a word. */
  #closingMark(mark: string, start: number): number {
    // What closes depends on its own surroundings only: what one search found, a later one finds again.
    const key = `close ${mark}`;
    let end = this.#next.get(key) ?? -1;
    if (end < start + 1) {
      end = this.#findClosing(mark, start + 1);
      this.#next.set(key, end);
    }
    if (end - start > MAX_SPAN_CHARS) return -1;
    const isThree = this.#source.charAt(end + mark.length) === mark.charAt(0);
    return isThree ? end + 3 - mark.length : end;
  }

  /** Where the next row of signs begins, at or after `from`, that can close `mark`; infinite when there is none. */
  #findClosing(mark: string, from: number): number {
    const char = mark.charAt(0);
    let end = from;
    while (this.#source.charAt(end) === char && this.#source.charAt(end - 1) === char) end++; // not from its middle
    for (end = this.#source.indexOf(char, end); end >= 0;) {
      let past = end;
      while (this.#source.charAt(past) === char) past++;
      const run = past - end;
      const fits = run === mark.length || run === 3;
      if (fits && !/\s/.test(this.#source.charAt(end - 1)) && !(char === "_" && this.#isWordAt(past))) return end;
      end = this.#source.indexOf(char, past);
    }
    return Infinity;
  }

  #isWordAt(index: number): boolean {
    return /[\p{L}\p{N}_]/u.test(this.#source.charAt(index));
  }

  /** `bracket` is where the text of the link begins; an image is shown as a link to it. */
  #readLink(bracket: number): void {
    if (this.#isGrowing && this.#readPendingLink(bracket)) return;
    const close = this.#closingBracket(bracket);
    const target = close < 0 ? null : LINK_TARGET.exec(this.#source.slice(close + 1, close + 1 + MAX_ADDRESS_CHARS));
    if (target === null) {
      this.#take(bracket - this.#at + 1);
      return;
    }
    const label = this.#source.slice(bracket + 1, close);
    const end = close + 1 + target[0].length;
    const href = safeHref(target[1] ?? "");
    if (href === undefined) {
      this.#text += label;
      this.#at = end;
      return;
    }
    this.#add({ type: "link", href, children: this.#inner(label || href) }, end);
  }

  /** Shows the text alone of a link that the source ends in. */
  #readPendingLink(bracket: number): boolean {
    const { length } = this.#source;
    if (length - bracket > LOOK_AHEAD_CHARS || this.#isWordAt(this.#at - 1)) return false;
    if (/[\s\]]/.test(this.#source.charAt(bracket + 1))) return false;
    const close = this.#pairedBracket(bracket);
    // Closed, the label must be followed by an address that has no end yet.
    const isPending =
      close < 0
        ? length - bracket <= MAX_LABEL_CHARS
        : close === length - 1 || /^\([^()\s]*$/.test(this.#source.slice(close + 1));
    if (!isPending) return false;
    const label = this.#source.slice(bracket + 1, close < 0 ? length : close);
    this.#add({ type: "pending", children: this.#inner(label, true) }, length);
    return true;
  }

  /** Brackets inside the label must pair up; code inside it may hold any. */
  #closingBracket(open: number): number {
    return this.#find("](", open) - open > MAX_LABEL_CHARS ? -1 : this.#pairedBracket(open);
  }

  #pairedBracket(open: number): number {
    const limit = Math.min(this.#source.length, open + MAX_LABEL_CHARS);
    let depth = 0;
    for (let at = open; at < limit; at++) {
      const char = this.#source.charAt(at);
      if (char === "\\") at++;
      else if (char === "[") depth++;
      else if (char === "]" && --depth === 0) return at;
    }
    return -1;
  }

  #readAddress(pattern: RegExp): void {
    pattern.lastIndex = this.#at;
    const match = this.#isWordAt(this.#at - 1) && pattern === BARE_ADDRESS ? null : pattern.exec(this.#source);
    if (match === null) {
      this.#take(1);
      return;
    }
    // Punctuation at the end belongs to the sentence, not to a bare address.
    const href = match[1] ?? match[0].replace(/[.,;:!?)*_~]+$/, "");
    const end = this.#at + (match[1] === undefined ? href.length : match[0].length);
    if (safeHref(href) === undefined) this.#take(end - this.#at);
    else this.#add({ type: "link", href, children: [{ type: "text", text: href }] }, end);
  }
}
