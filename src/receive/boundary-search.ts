// Finds the line that parts a multipart body, in bytes that come in pieces: decisions/015-boundary-search.md.

const CR = 0x0d;

/** Finds `needle` in `chunk` from `from` on; -1 if it is not there. */
export type IndexOf = (chunk: Uint8Array, needle: Uint8Array, from: number) => number;

interface BufferLike {
  from(
    buffer: ArrayBufferLike,
    byteOffset: number,
    length: number,
  ): { indexOf(value: Uint8Array, from: number): number };
}

/** The host's own search, where it has a `Buffer`: three times as fast as what can be written in JavaScript. */
export const HOST_INDEX_OF: IndexOf | undefined = hostIndexOf();

function hostIndexOf(): IndexOf | undefined {
  const host = (globalThis as { Buffer?: BufferLike }).Buffer;
  if (host === undefined) return undefined;
  return (chunk, needle, from) => host.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).indexOf(needle, from);
}

/**
 * Searches for `CR LF "--" boundary`. A boundary holds no CR, so a CR can only be the first byte of the needle. Two things follow: what
 * matched cannot hold another beginning, so that no byte is looked at twice whatever is sent; and a match that is cut by the end of a
 * piece is remembered as a number.
 */
export class BoundarySearch {
  readonly needle: Uint8Array;
  /** How far the needle may move when a given byte lies under its last one (Horspool's rule). */
  readonly #skip: Uint8Array;
  readonly #indexOf: IndexOf | undefined;
  /** How many bytes of the needle lie at the end of what was searched so far. */
  matched = 0;

  /**
   * @param boundary at most 70 bytes, without CR
   * @param indexOf null for the search that runs anywhere
   */
  constructor(boundary: string, indexOf: IndexOf | null | undefined = HOST_INDEX_OF) {
    this.#indexOf = indexOf ?? undefined;
    this.needle = new TextEncoder().encode(`\r\n--${boundary}`);
    const { length } = this.needle;
    this.#skip = new Uint8Array(256).fill(length);
    this.needle.forEach((byte, index) => {
      if (index < length - 1) this.#skip[byte] = length - 1 - index;
    });
  }

  /**
   * Goes on with a match that the last piece ended in.
   *
   * @returns how many bytes of `chunk` from `from` on belong to it: `matched` then is the needle's length if it is whole, less than that if
   *   the piece ended again, and 0 if it was none
   */
  resume(chunk: Uint8Array, from: number): number {
    const { needle } = this;
    let at = from;
    let k = this.matched;
    while (k < needle.length && at < chunk.length && chunk[at] === needle[k]) {
      at++;
      k++;
    }
    this.matched = k === needle.length || at === chunk.length ? k : 0;
    return this.matched === 0 ? 0 : at - from;
  }

  /**
   * Searches `chunk` from `from` on.
   *
   * @returns where the needle begins, or the part of it that the piece ends with, or the end of `chunk`; `matched` tells which
   */
  find(chunk: Uint8Array, from: number): number {
    const { needle } = this;
    const { length } = needle;
    const at = this.#indexOf === undefined ? this.#findHere(chunk, from) : this.#indexOf(chunk, needle, from);
    if (at >= 0) {
      this.matched = length;
      return at;
    }
    // The end of the piece may be a part of the needle.
    for (let start = Math.max(from, chunk.length - length + 1); start < chunk.length; start++) {
      if (chunk[start] !== CR) continue;
      let k = 1;
      while (start + k < chunk.length && chunk[start + k] === needle[k]) k++;
      if (start + k === chunk.length) {
        this.matched = k;
        return start;
      }
      start += k - 1;
    }
    this.matched = 0;
    return chunk.length;
  }

  /** Horspool's search, with the first byte looked at before the others. -1 if the whole needle is not there. */
  #findHere(chunk: Uint8Array, from: number): number {
    const { needle } = this;
    const skip = this.#skip;
    const { length } = needle;
    const last = length - 1;
    const lastByte = needle[last];
    const end = chunk.length - length;
    let at = from;
    while (at <= end) {
      const under = chunk[at + last] as number;
      if (under !== lastByte || chunk[at] !== CR) {
        at += skip[under] as number;
        continue;
      }
      let k = 1;
      while (k < length && chunk[at + k] === needle[k]) k++;
      if (k === length) return at;
      // No CR in what matched, so no beginning either.
      at += Math.max(k, skip[under] as number);
    }
    return -1;
  }
}
