// The way out of a transform: what its function gives, gathered into chunks of bytes.

import type { Chunk } from "../bytes/byte-pull.ts";
import { TailraceError } from "../errors.ts";
import { encodeRow } from "./ndjson.ts";
import type { TransformAs } from "./transform-types.ts";

/** A chunk leaves once it holds this much, in bytes or characters: one more piece of 64 KiB makes it no larger than it should be. */
export const FULL_CHUNK = 49_152;
/** Bytes of at least this many leave as they are, in a chunk of their own: joining them would copy them. */
const LARGE_PART_BYTES = 16_384;
/** Buffers that have left and may be filled again: at most this many. */
const MAX_SPARE_COUNT = 4;
/** A longer text leaves in several chunks, in bytes. */
const MAX_CHUNK_BYTES = 262_144;
/** What holds any one character, in bytes. */
const MAX_CHAR_BYTES = 4;

const encoder = new TextEncoder();

/** Gathers what was given since the last `take`. */
export class TransformOutput {
  readonly #as: TransformAs;
  /** The bytes given before `#text`. Only a transform of bytes has any. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #hasLargePart = false;
  #text = "";
  /** How long a buffer is made: 1 for as long as all was ASCII, then the 3 that any UTF-16 code unit may need. */
  #bytesPerChar = 1;
  #spare: ArrayBuffer[] = [];
  #comesBack = false;
  /** Buffers of chunks that are under way, and hold nothing else. */
  readonly #lent: WeakSet<ArrayBuffer> = new WeakSet();

  constructor(as: TransformAs) {
    this.#as = as;
  }

  /** Whether there is nothing that could leave now. */
  get isEmpty(): boolean {
    if (this.#partBytes > 0) return false;
    return this.#text === "" || (this.#text.length === 1 && isHighSurrogate(this.#text.charCodeAt(0)));
  }

  get isFull(): boolean {
    return this.#hasLargePart || this.#partBytes + this.#text.length >= FULL_CHUNK;
  }

  /** @throws {TailraceError} `encode_refused` for what this kind of transform cannot write */
  add(value: unknown): void {
    if (this.#as === "rows") this.#text += encodeRow(value);
    else if (typeof value === "string") this.#text += this.#as === "lines" ? `${value}\n` : value;
    else if (this.#as === "bytes" && value instanceof Uint8Array) this.#addBytes(value);
    else throw refused(this.#as, value);
  }

  clear(): void {
    this.#parts = [];
    this.#partBytes = 0;
    this.#hasLargePart = false;
    this.#text = "";
  }

  /**
   * What has been gathered, as one chunk; undefined if there is nothing. The first half of a surrogate pair waits for the other, unless
   * this is the last chunk.
   */
  take(isLast: boolean): Chunk | undefined {
    if (this.#partBytes === 0) return this.#takeText(isLast);
    this.#flushText(isLast);
    const parts = this.#parts.splice(0, this.#leadingCount());
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    this.#partBytes -= bytes;
    this.#hasLargePart = this.#parts.some(isLarge);
    return parts.length === 1 ? (parts[0] as Chunk) : joined(parts, bytes);
  }

  /** Takes back a chunk that has left, to fill it again. */
  recycle(chunk: Chunk): void {
    const { buffer } = chunk;
    if (!this.#lent.delete(buffer)) return;
    this.#comesBack = true;
    if (this.#spare.length < MAX_SPARE_COUNT) this.#spare.push(buffer);
  }

  /** Where buffers come back, one that is a little larger fits the next text, too. */
  #roomFor(bytes: number): number {
    return this.#comesBack ? 2 ** Math.ceil(Math.log2(bytes)) : bytes;
  }

  /** One large part, or all small ones before it. */
  #leadingCount(): number {
    const large = this.#parts.findIndex(isLarge);
    return large === -1 ? this.#parts.length : Math.max(large, 1);
  }

  #addBytes(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#flushText(true);
    this.#addPart(bytes);
  }

  #flushText(isLast: boolean): void {
    for (let chunk = this.#takeText(isLast); chunk !== undefined; chunk = this.#takeText(isLast)) {
      this.#addPart(chunk);
    }
  }

  #addPart(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partBytes += part.byteLength;
    this.#hasLargePart ||= isLarge(part);
  }

  #takeText(isLast: boolean): Chunk | undefined {
    let text = this.#text;
    this.#text = "";
    if (!isLast && isHighSurrogate(text.charCodeAt(text.length - 1))) {
      this.#text = text.slice(-1);
      text = text.slice(0, -1);
    }
    if (text === "") return undefined;
    // A buffer as long as the text holds it all if it is ASCII; for other text one as long again and again is taken the next time.
    const wanted = Math.min(Math.max(text.length * this.#bytesPerChar, MAX_CHAR_BYTES), MAX_CHUNK_BYTES);
    const spare = this.#spare.pop();
    const buffer = spare !== undefined && spare.byteLength >= wanted ? spare : new ArrayBuffer(this.#roomFor(wanted));
    const { read, written } = encoder.encodeInto(text, new Uint8Array(buffer));
    if (read < text.length) {
      this.#text = text.slice(read) + this.#text;
      this.#bytesPerChar = 3;
    }
    this.#lent.add(buffer);
    return new Uint8Array(buffer, 0, written);
  }
}

function isLarge(part: Uint8Array): boolean {
  return part.byteLength >= LARGE_PART_BYTES;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function joined(parts: readonly Uint8Array[], bytes: number): Chunk {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function refused(as: TransformAs, value: unknown): TailraceError {
  const what =
    value === null ? "null" : Array.isArray(value) ? "an array inside an array" : `a value of type ${typeof value}`;
  const wanted = as === "bytes" ? "Uint8Arrays or strings" : "strings";
  return new TailraceError("encode_refused", `A transform of ${as} gives ${wanted}; this one gave ${what}.`);
}
