// Inputs for tests of transforms: bytes cut as wished, with counts of what was asked and whether it was let go of.

import type { Chunk } from "../bytes/byte-pull.ts";
import { DONE, isPromiseLike, type Pull } from "../bytes/source.ts";
import type { TransformInput } from "./transform-pull.ts";
import { TransformPull } from "./transform-pull.ts";
import type { TransformAs, TransformCoreOptions, TransformFunction } from "./transform-types.ts";

/** One- to four-byte characters, a byte-order mark, CRLF, a CR alone, line separators that are none, combining characters, null rows. */
export const TEXT_CORPUS = "\uFEFFaé\r\n水\u2028x\u2029\n\n😀e\u0301\r\r\n\uFEFFend ß";
export const ROW_CORPUS = '\uFEFF{"a":"é"}\r\nnull\n\n"水\u2028"\n[1,"😀"]\n 7';

export interface WatchedInput extends TransformInput {
  asked: number;
  closed: number;
}

/** Gives `chunks`, at once or each after a promise; then ends, or fails with `error`. */
export function inputOf(chunks: Iterable<Uint8Array>, how: { later?: boolean; error?: unknown } = {}): WatchedInput {
  const iterator = chunks[Symbol.iterator]();
  const step = (): IteratorResult<Uint8Array, undefined> => {
    const result = iterator.next();
    if (result.done !== true) return { done: false, value: result.value };
    if ("error" in how) throw how.error;
    return DONE;
  };
  const input: WatchedInput = {
    asked: 0,
    closed: 0,
    next() {
      input.asked++;
      return how.later === true ? Promise.resolve().then(step) : step();
    },
    close() {
      input.closed++;
    },
  };
  return input;
}

/** All of `pull`, as text. */
export async function textOf(pull: Pull<Chunk>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  for (;;) {
    const next = pull.next();
    const result = isPromiseLike(next) ? await next : next;
    if (result.done === true) return text + decoder.decode();
    text += decoder.decode(result.value, { stream: true });
  }
}

/** What a transform of `chunks` gives. */
export function transformed<As extends TransformAs>(
  chunks: Iterable<Uint8Array>,
  fn: TransformFunction<As>,
  options: TransformCoreOptions<As>,
): Promise<string> {
  return textOf(new TransformPull(inputOf(chunks), fn, options));
}

/** `bytes` cut at each of `cuts`. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
  return places.slice(1).map((end, index) => bytes.slice(places[index], end));
}

/** Every way to cut `bytes` once or twice. */
export function* oneAndTwoCuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let one = 0; one <= bytes.length; one++) {
    for (let other = one; other <= bytes.length; other++) yield cutAt(bytes, [one, other]);
  }
}
