// Multipart bodies for tests: made by hand, cut anywhere, and read back whole.

import { BoundarySearch } from "./boundary-search.ts";
import { MultipartParser, type MultipartLimits } from "./multipart.ts";
import type { PartHead } from "./part-head.ts";

export const LIMITS: MultipartLimits = { maxParts: 100, maxHeaderBytes: 8_192 };

export interface ReadPart {
  readonly head: PartHead;
  readonly content: string;
}

/** One character per byte, so that bodies can be written as text. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function fromLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 10_000) text += String.fromCharCode(...bytes.subarray(at, at + 10_000));
  return text;
}

/** The parts of the body that `chunks` make, or throws what the parser throws. */
export function readParts(
  chunks: Iterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits = LIMITS,
  search: BoundarySearch = new BoundarySearch(boundary),
): ReadPart[] {
  const parser = new MultipartParser(boundary, limits, search);
  const parts: ReadPart[] = [];
  let head: PartHead | undefined;
  let content = "";
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let token = parser.next(); token.kind !== "need"; token = parser.next()) {
      if (token.kind === "head") [head, content] = [token.head, ""];
      else if (token.kind === "data") {
        if (token.bytes.length === 0) throw new Error("An empty piece.");
        content += fromLatin1(token.bytes);
      } else if (token.kind === "partEnd" && head !== undefined) parts.push({ head, content });
    }
  }
  parser.finish();
  return parts;
}

/** Every way to cut `bytes` once, and twice. */
export function* cuts(bytes: Uint8Array, twice: boolean): Generator<Uint8Array[]> {
  for (let first = 0; first <= bytes.length; first++) {
    if (!twice) yield [bytes.subarray(0, first), bytes.subarray(first)];
    else
      for (let second = first; second <= bytes.length; second++)
        yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
  }
}

/** A part of a form. */
export function part(name: string, content: string, more: string = ""): string {
  return `Content-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}`;
}

/** A form of parts that bring their own headers. */
export function form(boundary: string, ...parts: readonly string[]): string {
  return `${parts.map((each) => `--${boundary}\r\n${each}\r\n`).join("")}--${boundary}--\r\n`;
}
