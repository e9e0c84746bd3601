// What the tests of partial JSON share: cuts of a text, one pass over it, and what was thrown.

import { createPartialJsonDecoder, type PartialJsonOptions } from "./partial-json.ts";

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function decode(pieces: Iterable<string | Uint8Array>, options: PartialJsonOptions = {}): unknown {
  const decoder = createPartialJsonDecoder(options);
  for (const piece of pieces) decoder.push(piece);
  return decoder.end();
}

export function* splits(text: string): Generator<readonly string[]> {
  yield [text];
  yield text.split("");
  for (let at = 0; at <= text.length; at++) yield [text.slice(0, at), text.slice(at)];
}

export function cut(text: string, size: number): readonly string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  );
}

export function error(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}
