// Text from bytes that must be UTF-8, piece by piece: the strict half of plain text, and a check for those who decode later.

import { TailraceError } from "../errors.ts";
import { unfinishedTail } from "./utf8-tail.ts";

const BYTE_ORDER_MARK = 0xfeff;
/** The most continuation bytes of one character. */
const MAX_CONTINUATION_BYTES = 3;

/** Decodes one body; make a new one for the next. */
export interface StrictText {
  /**
   * The text of all whole characters so far, without those given before; "" if there is none.
   *
   * @throws {TailraceError} `decode_failed` for bytes that are not UTF-8, where these are refused
   */
  push(bytes: Uint8Array): string;
  /** What was left at the end: "", or U+FFFD for a character that was cut off. Throws as `push` does. */
  end(): string;
}

/** Makes a decoder that drops one byte-order mark at the start. */
export function createStrictText(invalidText: "refuse" | "replace"): StrictText {
  // Never in streaming mode, which is many times slower on Node: every cut below is one where UTF-8 may be cut. A decoder that
  // is to drop the byte-order mark would do so in every call.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: invalidText === "refuse" });
  /** The start of a character whose rest has not come. */
  let tail: Uint8Array = new Uint8Array(0);
  let isStart = true;
  let bytesBefore = 0;

  function decode(bytes: Uint8Array): string {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch (cause) {
      throw notUtf8(bytesBefore, bytes.length, cause);
    }
    bytesBefore += bytes.length;
    if (!isStart || text === "") return text;
    isStart = false;
    return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  }

  return {
    push(bytes) {
      let rest = bytes;
      let head = "";
      if (tail.length > 0) {
        const size = continuationBytes(bytes);
        const start = joined(tail, bytes.subarray(0, size));
        if (size === bytes.length && unfinishedTail(start) === start.length) {
          tail = start;
          return "";
        }
        tail = new Uint8Array(0);
        head = decode(start);
        rest = bytes.subarray(size);
      }
      const cut = unfinishedTail(rest);
      if (cut === 0) return rest.length === 0 ? head : head + decode(rest);
      // A copy, as the bytes may be taken back. Not slice(), which Node's buffers answer with a view.
      tail = new Uint8Array(rest.subarray(rest.length - cut));
      return rest.length === cut ? head : head + decode(rest.subarray(0, rest.length - cut));
    },
    end() {
      const last = tail;
      tail = new Uint8Array(0);
      return last.length === 0 ? "" : decode(last);
    },
  };
}

/** How many bytes at the start of `bytes` may belong to a character that began before. */
function continuationBytes(bytes: Uint8Array): number {
  const most = Math.min(MAX_CONTINUATION_BYTES, bytes.length);
  for (let index = 0; index < most; index++) if (((bytes[index] as number) & 0xc0) !== 0x80) return index;
  return most;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function notUtf8(fromByte: number, length: number, cause: unknown): TailraceError {
  const toByte = fromByte + length - 1;
  const message = `The body is not UTF-8, somewhere in its bytes ${fromByte} to ${toByte}; send it as UTF-8.`;
  return new TailraceError("decode_failed", message, { cause, details: { fromByte, toByte } });
}
