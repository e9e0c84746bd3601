// Reads the marks inside one block of Markdown: code, emphasis, links. Linear in the length of the text, whatever stands
// in it; marks without their other half are plain text.

/** Emphasis and links inside one another; what lies deeper is plain text. */
const MAX_DEPTH_COUNT = 8;
/** How long the text of a link may be. */
const MAX_LABEL_CHARS = 1_000;

export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: "strong" | "emphasis" | "deleted"; readonly children: readonly Inline[] }
  | { readonly type: "link"; readonly href: string; readonly children: readonly Inline[] };

/**
 * Parses the inline marks of `source`. A link that does not lead to http, https or a place on this site stays as its text.
 */
export function parseInline(source: string, options: InlineOptions = {}): Inline[] {
  return new InlineReader(source, options.isGrowing ?? false, 0).read();
}

export interface InlineOptions {
  /** True: more of the text may come, so code and bold that are still open are shown as such. @default false */
  readonly isGrowing?: boolean | undefined;
}

/** `href` if it leads to http, https or a relative place, else undefined. */
export function safeHref(href: string): string | undefined {
  try {
    const { protocol } = new URL(href, "http://relative.invalid/");
    return protocol === "http:" || protocol === "https:" ? href : undefined;
  } catch {
    return undefined;
  }
}

const SPECIAL = /[\\`*_~[!<\nh]/g;
const BARE_ADDRESS = /https?:\/\/[^\s<>"'`\]]+/y;
const ANGLE_ADDRESS = /<(https?:\/\/[^\s<>]+)>/y;
const LINK_TARGET = /\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/y;
const MARKS = { "**": "strong", __: "strong", "~~": "deleted", "*": "emphasis", _: "emphasis" } as const;

class InlineReader {
  readonly #source: string;
  readonly #isGrowing: boolean;
  readonly #depth: number;
  readonly #found: Inline[] = [];
  /** Marks that were looked for and have no other half in the rest of the text: not looked for again. */
  readonly #missing = new Set<string>();
  #at = 0;
  #text = "";

  constructor(source: string, isGrowing: boolean, depth: number) {
    this.#source = source;
    this.#isGrowing = isGrowing;
    this.#depth = depth;
  }

  read(): Inline[] {
    while (this.#at < this.#source.length) {
      SPECIAL.lastIndex = this.#at;
      const next = SPECIAL.exec(this.#source)?.index ?? this.#source.length;
      this.#text += this.#source.slice(this.#at, next);
      this.#at = next;
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
    return this.#isGrowing ? this.#source.slice(start) : undefined;
  }

  /** Where `mark` comes next; one miss answers for the rest of the text. */
  #find(mark: string, from: number): number {
    if (this.#missing.has(mark)) return -1;
    const index = this.#source.indexOf(mark, from);
    if (index < 0) this.#missing.add(mark);
    return index;
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
    while (end >= 0 && this.#source.charAt(end + width) === "`") {
      let past = end + width;
      while (this.#source.charAt(past) === "`") past++;
      end = this.#find(ticks, past);
    }
    if (end < 0) {
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
    const start = this.#at + mark.length;
    if (this.#isGrowing && start === this.#source.length) {
      this.#at = start; // it opens or closes what comes next
      return;
    }
    const opens = !/\s/.test(this.#source.charAt(start) || " ") && !(char === "_" && this.#isWordAt(this.#at - 1));
    const end = opens ? this.#closingMark(mark, start) : -1;
    if (end < 0) {
      const rest = mark === "**" && opens ? this.#rest(start) : undefined;
      if (rest === undefined) this.#take(mark.length);
      else this.#add({ type: "strong", children: this.#inner(rest, true) }, this.#source.length);
      return;
    }
    const type = MARKS[mark as keyof typeof MARKS];
    this.#add({ type, children: this.#inner(this.#source.slice(start, end)) }, end + mark.length);
  }

  /** The next `mark` that follows a character of text, stands alone, and (for `_`) does not stand inside a word. */
  #closingMark(mark: string, start: number): number {
    // What closes depends on its own surroundings only: where one search ended in vain, a later one would too.
    const key = `close ${mark}`;
    if (this.#missing.has(key)) return -1;
    const char = mark.charAt(0);
    let end = this.#find(mark, start + 1);
    while (end >= 0) {
      let past = end;
      while (this.#source.charAt(past) === char) past++;
      const run = past - end;
      const fits = run === mark.length || run === 3;
      if (fits && !/\s/.test(this.#source.charAt(end - 1)) && !(char === "_" && this.#isWordAt(past))) {
        return past - mark.length;
      }
      end = this.#find(mark, past);
    }
    this.#missing.add(key);
    return -1;
  }

  #isWordAt(index: number): boolean {
    return /[\p{L}\p{N}_]/u.test(this.#source.charAt(index));
  }

  /** `bracket` is where the text of the link begins; an image is shown as a link to it. */
  #readLink(bracket: number): void {
    const close = this.#closingBracket(bracket);
    LINK_TARGET.lastIndex = close + 1;
    const target = close < 0 ? null : LINK_TARGET.exec(this.#source);
    if (target === null) {
      this.#take(bracket - this.#at + 1);
      return;
    }
    const label = this.#source.slice(bracket + 1, close);
    const href = safeHref(target[1] ?? "");
    if (href === undefined) {
      this.#text += label;
      this.#at = LINK_TARGET.lastIndex;
      return;
    }
    this.#add({ type: "link", href, children: this.#inner(label || href) }, LINK_TARGET.lastIndex);
  }

  /** Brackets inside the label must pair up; code inside it may hold any. */
  #closingBracket(open: number): number {
    if (this.#missing.has("](")) return -1;
    if (this.#find("](", open) < 0) return -1;
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
