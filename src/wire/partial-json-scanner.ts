// The state machine of partial JSON: characters in, each looked at once; values out, into the tree.

import { TailraceError } from "../errors.ts";
import {
  AFTER_VALUE,
  COLON,
  END,
  ESCAPE,
  ESCAPES,
  EXPECTED,
  FIRST_ELEMENT,
  FIRST_KEY,
  HEX,
  KEY,
  LITERAL,
  LITERALS,
  NEXT_KEY,
  NUMBER,
  START,
  STRING,
  VALUE,
  ZERO,
  hexDigit,
  nextPhase,
} from "./partial-json-grammar.ts";
import { GrowingValue } from "./partial-json-tree.ts";

/** Scans one JSON text. Nothing is thrown: what is wrong with the text is in `failure`. */
export class JsonScanner {
  readonly tree: GrowingValue = new GrowingValue();
  /** The first thing wrong with the text: nothing is taken behind it. */
  failure: TailraceError | undefined;
  /** Characters taken so far; while a piece is taken, those before it. */
  charCount = 0;

  readonly #maxChars: number;
  readonly #maxDepthCount: number;
  #state = VALUE;
  /** The string, key, number or literal that is open, as far as it has come. */
  #text = "";
  /** The first half of a surrogate pair: it is shown together with the second, or with whatever comes instead. */
  #half = "";
  /** How much of the open string the value shows; -1 for nothing yet. */
  #shown = -1;
  /** Whether the escape sequence stands in a key. */
  #isKey = false;
  #phase = START;
  #hex = 0;
  #hexCount = 0;
  #literal: readonly [text: string, value: boolean | null] = ["", null];

  constructor(maxChars: number, maxDepthCount: number) {
    this.#maxChars = maxChars;
    this.#maxDepthCount = maxDepthCount;
  }

  push(piece: string): void {
    const room = this.#maxChars - this.charCount;
    const isTooLong = piece.length > room;
    this.#take(isTooLong ? piece.slice(0, room) : piece);
    this.charCount += piece.length;
    // The value shows an open string as far as it has come.
    const isString = this.#state === STRING || ((this.#state === ESCAPE || this.#state === HEX) && !this.#isKey);
    if (isString && this.#shown !== this.#text.length) {
      this.tree.put(this.#text);
      this.#shown = this.#text.length;
    }
    if (isTooLong) {
      this.failure ??= tooMuch(`The JSON is longer than ${this.#maxChars} characters`, "maxChars", this.#maxChars);
    }
  }

  /** The text is over. */
  end(): void {
    if (this.failure !== undefined) return;
    // A number has no end of its own.
    if (this.#state === NUMBER && this.tree.depth === 0 && this.#phase >= ZERO) this.#endNumber();
    if (this.#state === END) return;
    const message = `The JSON ended after ${this.charCount} characters, before its value did; ask for it again.`;
    this.failure = new TailraceError("truncated", message);
  }

  #take(piece: string): void {
    const size = piece.length;
    let at = 0;
    while (at < size && this.failure === undefined) {
      if (this.#state >= STRING) {
        if (this.#state <= KEY) at = this.#takeText(piece, at);
        else if (this.#state === NUMBER) at = this.#takeNumber(piece, at);
        else if (this.#state === LITERAL) at = this.#takeLiteral(piece, at);
        else at = this.#takeEscape(piece, at);
        continue;
      }
      const code = piece.charCodeAt(at);
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) at++;
      else if (this.#takeToken(code)) at++;
      else if (this.#state < STRING) at = this.#unexpected(piece, at);
    }
  }

  /** Takes a character between values. False: it has no place here, or is the first one of a number or literal. */
  #takeToken(code: number): boolean {
    switch (this.#state) {
      case AFTER_VALUE:
        if (code === 0x2c) {
          if (this.tree.isArray) this.tree.nextElement();
          this.#state = this.tree.isArray ? VALUE : NEXT_KEY;
          return true;
        }
        return code === (this.tree.isArray ? 0x5d : 0x7d) && this.#close();
      case COLON:
        if (code !== 0x3a) return false;
        this.#state = VALUE;
        return true;
      case FIRST_KEY:
      case NEXT_KEY:
        if (code === 0x22) {
          this.#text = "";
          this.#state = KEY;
          return true;
        }
        return code === 0x7d && this.#state === FIRST_KEY && this.#close();
      case END:
        return false;
      default:
        return this.#takeValue(code);
    }
  }

  #takeValue(code: number): boolean {
    if (code === 0x22) {
      this.#text = "";
      this.#shown = -1;
      this.#state = STRING;
      return true;
    }
    if (code === 0x7b || code === 0x5b) {
      if (this.tree.depth >= this.#maxDepthCount) {
        const limit = this.#maxDepthCount;
        this.failure = tooMuch(`The JSON is nested deeper than ${limit} levels`, "maxDepthCount", limit);
        return true;
      }
      this.tree.open(code === 0x5b);
      this.#state = code === 0x5b ? FIRST_ELEMENT : FIRST_KEY;
      return true;
    }
    if (code === 0x5d) return this.#state === FIRST_ELEMENT && this.#close();
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      this.#text = "";
      this.#phase = START;
      this.#state = NUMBER;
      return false;
    }
    const found = LITERALS[code];
    if (found === undefined) return false;
    this.#literal = found;
    this.#text = "";
    this.#state = LITERAL;
    return false;
  }

  #close(): true {
    this.tree.close();
    return this.#afterValue();
  }

  #afterValue(): true {
    this.#state = this.tree.depth === 0 ? END : AFTER_VALUE;
    return true;
  }

  /** Takes plain characters of a string or key, up to its end or a backslash, as one slice. */
  #takeText(piece: string, from: number): number {
    const size = piece.length;
    let at = from;
    let code = 0;
    for (; at < size; at++) {
      code = piece.charCodeAt(at);
      if (code === 0x22 || code === 0x5c || code < 0x20) break;
    }
    if (at > from) {
      // Only the last character of a piece can be a pair cut in half.
      const isCut = at === size && (code & 0xfc00) === 0xd800;
      const end = isCut ? at - 1 : at;
      if (this.#half !== "") this.#showHalf();
      if (end > from) this.#text += piece.slice(from, end);
      if (isCut) this.#half = piece.charAt(end);
    }
    if (at === size) return at;
    if (code === 0x5c) {
      this.#isKey = this.#state === KEY;
      this.#state = ESCAPE;
      return at + 1;
    }
    if (code < 0x20) return this.#unexpected(piece, at);
    if (this.#half !== "") this.#showHalf();
    if (this.#state === KEY) {
      this.tree.setKey(this.#text);
      this.#state = COLON;
    } else {
      this.tree.put(this.#text);
      this.#afterValue();
    }
    return at + 1;
  }

  #showHalf(): void {
    this.#text += this.#half;
    this.#half = "";
  }

  #takeEscape(piece: string, from: number): number {
    let at = from;
    if (this.#state === ESCAPE) {
      const code = piece.charCodeAt(at);
      const char = ESCAPES[code];
      if (char !== undefined) {
        this.#showHalf();
        this.#text += char;
        this.#state = this.#isKey ? KEY : STRING;
        return at + 1;
      }
      if (code !== 0x75) return this.#unexpected(piece, at);
      this.#hex = this.#hexCount = 0;
      this.#state = HEX;
      at++;
    }
    for (; at < piece.length; at++) {
      const digit = hexDigit(piece.charCodeAt(at));
      if (digit === -1) return this.#unexpected(piece, at);
      this.#hex = this.#hex * 16 + digit;
      if (++this.#hexCount < 4) continue;
      this.#showHalf();
      const char = String.fromCharCode(this.#hex);
      if ((this.#hex & 0xfc00) === 0xd800) this.#half = char;
      else this.#text += char;
      this.#state = this.#isKey ? KEY : STRING;
      return at + 1;
    }
    return at;
  }

  #takeNumber(piece: string, from: number): number {
    let at = from;
    for (; at < piece.length; at++) {
      const next = nextPhase(this.#phase, piece.charCodeAt(at));
      if (next === -1) break;
      this.#phase = next;
    }
    this.#text += piece.slice(from, at);
    if (at < piece.length) {
      if (this.#phase >= ZERO) this.#endNumber();
      else return this.#unexpected(piece, at);
    }
    return at;
  }

  #endNumber(): void {
    this.tree.put(Number(this.#text));
    this.#afterValue();
  }

  #takeLiteral(piece: string, from: number): number {
    const [word, value] = this.#literal;
    const part = piece.slice(from, from + word.length - this.#text.length);
    if (!word.startsWith(part, this.#text.length)) {
      let at = from;
      while (piece[at] === word[this.#text.length + at - from]) at++;
      return this.#unexpected(piece, at);
    }
    this.#text += part;
    if (this.#text.length === word.length) {
      this.tree.put(value);
      this.#afterValue();
    }
    return from + part.length;
  }

  #unexpected(piece: string, at: number): number {
    const position = this.charCount + at;
    const found = JSON.stringify(piece.charAt(at));
    const message = `The JSON is wrong at character ${position}: found ${found} instead of ${EXPECTED[this.#state]}.`;
    this.failure = new TailraceError("decode_failed", message, { details: { position } });
    return at;
  }
}

function tooMuch(what: string, name: string, limit: number): TailraceError {
  const message = `${what} (${name}). Raise ${name}, or send less.`;
  return new TailraceError("limit_exceeded", message, { details: { [name]: limit } });
}
