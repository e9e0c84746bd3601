// Pulls of bytes: buffers that can be used again, and a length that is kept to.

import { TailraceError } from "../errors.ts";
import { DONE, isPromiseLike, type Pull } from "./source.ts";

/** A piece of a body. */
export type Chunk = Uint8Array<ArrayBuffer>;

/** A pull of bytes. */
export interface BytePull extends Pull<Chunk> {
  /**
   * Takes back a chunk that `next` gave, to read into it again. Only a host that knows that the bytes have left it calls
   * this; nobody has to.
   */
  recycle?(chunk: Chunk): void;
}

/**
 * Gives exactly `length` bytes of `inner`: what comes behind them is left, and an end before them is an error, so that a
 * reader never takes a part for the whole.
 *
 * @throws {TailraceError} `source_failed`, from `next`, if `inner` ends too early.
 */
export function exactly(inner: BytePull, length: number): BytePull {
  let left = length;

  function take(result: IteratorResult<Chunk, undefined>): IteratorResult<Chunk, undefined> {
    if (result.done === true) {
      throw new TailraceError(
        "source_failed",
        `The file ended ${left.toLocaleString("en")} bytes before the ${length.toLocaleString("en")} that were announced.`,
      );
    }
    const { byteLength } = result.value;
    if (byteLength <= left) {
      left -= byteLength;
      return result;
    }
    const value = result.value.subarray(0, left);
    left = 0;
    return { done: false, value };
  }

  return {
    next() {
      if (left === 0) {
        inner.close();
        return DONE;
      }
      const result = inner.next();
      return isPromiseLike(result) ? result.then(take) : take(result);
    },
    close: () => inner.close(),
    recycle: (chunk) => inner.recycle?.(chunk),
  };
}

/** Gives `bytes` in one piece; none if there are none. */
export function once(bytes: Chunk): BytePull {
  let isGiven = bytes.byteLength === 0;
  return {
    next() {
      if (isGiven) return DONE;
      isGiven = true;
      return { done: false, value: bytes };
    },
    close() {
      isGiven = true;
    },
  };
}
