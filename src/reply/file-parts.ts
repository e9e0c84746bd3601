// The body of a file reply: the whole, one range, or several ranges as multipart/byteranges, with its exact length.

import { exactly, once, type BytePull } from "../bytes/byte-pull.ts";
import { DONE, isPromiseLike } from "../bytes/source.ts";
import { type ByteRange, contentRange } from "../http/range.ts";
import type { FileSource } from "./file-source.ts";

/** A body whose length is known before its first byte. */
export interface FileBody {
  /** In bytes. */
  readonly length: number;
  open(): BytePull;
}

/** The bytes of one range, nothing around them. */
export function singlePart(source: FileSource, { start, end }: ByteRange): FileBody {
  return { length: end - start, open: () => openPart(source, { start, end }) };
}

function openPart(source: FileSource, { start, end }: ByteRange): BytePull {
  return exactly(source.read(start, end), end - start);
}

/** Several ranges (RFC 9110 section 14.6), each with its own place and type. */
export function severalParts(
  source: FileSource,
  ranges: readonly ByteRange[],
  type: string,
  boundary: string,
): FileBody {
  const encoder = new TextEncoder();
  const heads = ranges.map((range, index) =>
    encoder.encode(
      `${index === 0 ? "" : "\r\n"}--${boundary}\r\ncontent-type: ${type}\r\n` +
        `content-range: ${contentRange(range, source.size)}\r\n\r\n`,
    ),
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  const pieces: (() => BytePull)[] = ranges.flatMap((range, index) => {
    const head = heads[index];
    return [...(head === undefined ? [] : [() => once(head)]), () => openPart(source, range)];
  });
  return {
    length:
      heads.reduce((sum, head) => sum + head.byteLength, tail.byteLength) +
      ranges.reduce((sum, { start, end }) => sum + (end - start), 0),
    open: () => inTurn([...pieces, () => once(tail)]),
  };
}

/** A boundary that stands nowhere in a file but by a chance of one in 2^122 (RFC 2046 section 5.1.1: at most 70 characters). */
export function newBoundary(): string {
  return `tailrace-${crypto.randomUUID()}`;
}

/** One pull after the other; each is opened when the one before it has ended. */
function inTurn(pieces: readonly (() => BytePull)[]): BytePull {
  let index = 0;
  let current: BytePull | undefined;
  let isClosed = false;

  function next(): ReturnType<BytePull["next"]> {
    for (;;) {
      if (isClosed) return DONE;
      const open = pieces[index];
      if (open === undefined) return DONE;
      current ??= open();
      const result = current.next();
      if (isPromiseLike(result)) return result.then((ready) => (ready.done === true ? pass() : ready));
      if (result.done !== true) return result;
      leave();
    }
  }

  function leave(): void {
    current = undefined;
    index++;
  }

  function pass(): ReturnType<BytePull["next"]> {
    leave();
    return next();
  }

  return {
    next,
    close() {
      isClosed = true;
      current?.close();
    },
    // No `recycle`: a chunk may come back after its part has ended, when nobody knows whose it was.
  };
}
