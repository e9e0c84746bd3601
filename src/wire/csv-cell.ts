// One cell of a CSV record: the text of a value, its quotes, and the guard against formulas.

import { TailraceError } from "../errors.ts";
import { checkDelimiter } from "./csv-delimiter.ts";
import { type FormulaGuard, isGuarded } from "./csv-guard.ts";
import { jsonText } from "./json-text.ts";

/** How cells are written. */
export interface CellStyle {
  /** What stands between two cells: one character other than `"`, CR, LF and space. Default `,`. */
  readonly delimiter: string;
  /**
   * Put `'` before a text that a spreadsheet would take for a formula: one that begins with `=`, `+`, `-`, `@`, a full-width form of
   * these, TAB, CR, LF or NUL; and before one that has such a `'` already, so that it can be taken off again. Values that are numbers stay
   * numbers; with `keep-numbers` so do texts that are a negative number in digits, as drivers give decimals. Default false; a reply
   * that is an attachment has it on.
   */
  readonly guardFormulas: FormulaGuard;
  /** Quote every cell but null. Default false: only those that need it, and the empty text. */
  readonly quoteAll: boolean;
  /** How bytes are written. Default `base64`. */
  readonly bytes: "base64" | "hex";
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const BOM = 0xfeff;
/** Texts up to this length are looked through by hand, which is faster than four searches. */
const SHORT_CHARS = 48;

/** Makes the function that writes a value as a cell. @throws TailraceError `input_invalid` for a delimiter that cannot be one */
export function cellWriter(style: CellStyle): (value: unknown) => string {
  const { delimiter, guardFormulas, quoteAll, bytes } = style;
  checkDelimiter(delimiter);
  const delimiterCode = delimiter.charCodeAt(0);
  /** Whether a number, a boolean or a date can never hold the delimiter. */
  const isPlainBare = !quoteAll && !/[\w.:+-]/.test(delimiter);

  function needsQuotes(value: string): boolean {
    const size = value.length;
    const first = value.charCodeAt(0);
    // Some readers take spaces off the ends of a bare cell; and at the start of the whole, U+FEFF would be lost as a byte-order mark.
    if (first === SPACE || first === BOM || value.charCodeAt(size - 1) === SPACE) return true;
    if (size > SHORT_CHARS) {
      return value.includes(delimiter) || value.includes('"') || value.includes("\n") || value.includes("\r");
    }
    for (let at = 0; at < size; at++) {
      const code = value.charCodeAt(at);
      if (code === delimiterCode || code === QUOTE || code === LF || code === CR) return true;
    }
    return false;
  }

  function text(value: string): string {
    if (isGuarded(value, guardFormulas)) return quoted(`'${value}`);
    return value === "" || quoteAll || needsQuotes(value) ? quoted(value) : value;
  }
  /** Texts that no formula can begin with, although their first character may be a sign. */
  function plain(value: string): string {
    return isPlainBare || (!quoteAll && !value.includes(delimiter)) ? value : `"${value}"`;
  }

  return (value) => {
    switch (typeof value) {
      case "string":
        return text(value);
      case "number":
      case "bigint":
      case "boolean":
        return plain(String(value));
      case "undefined":
        return "";
      case "object":
        if (value === null) return "";
        if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : plain(value.toISOString());
        if (value instanceof Uint8Array) return text(bytes === "hex" ? hexOf(value) : base64Of(value));
        if (value instanceof ArrayBuffer) return text(bytes === "hex" ? hexOf(value) : base64Of(value));
        return text(textOfObject(value));
      default:
        throw new TailraceError("encode_refused", `A cell cannot be a ${typeof value}. Send text, or leave it out.`);
    }
  };
}

function quoted(value: string): string {
  return value.includes('"') ? `"${value.replaceAll('"', '""')}"` : `"${value}"`;
}

/** JSON; but of an object that writes itself as a text (a decimal, a URL, a Temporal date) that text, without the quotes of JSON. */
function textOfObject(value: object): string {
  const json = jsonText(value, "cell");
  return json.charCodeAt(0) === QUOTE ? (JSON.parse(json) as string) : json;
}

/** Characters handed to `String.fromCharCode` at a time: an argument list has a limit. */
const PIECE_BYTES = 8_192;

function base64Of(source: Uint8Array | ArrayBuffer): string {
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  let binary = "";
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE_BYTES));
  return btoa(binary);
}

function hexOf(source: Uint8Array | ArrayBuffer): string {
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
