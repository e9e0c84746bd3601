// What the tests of the row decoder's choices share: one pass with all that it told, and cuts of a body.

import { type BadRow, createRowDecoder, type RowOptions } from "./ndjson.ts";
import type { RowsEnd } from "./ndjson-end.ts";

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface Outcome {
  readonly rows: readonly unknown[];
  readonly bad: readonly Omit<BadRow, "error">[];
  readonly codes: readonly string[];
  readonly end: RowsEnd | undefined;
  readonly thrown: unknown;
}

export function decode(chunks: Iterable<Uint8Array>, options: RowOptions = {}): Outcome {
  const rows: unknown[] = [];
  const bad: Omit<BadRow, "error">[] = [];
  const codes: string[] = [];
  let end: RowsEnd | undefined;
  let thrown: unknown;
  const seesEnd = options.endRecord !== undefined;
  try {
    const decoder = createRowDecoder({
      onRow: (row) => rows.push(row),
      onBadRow: ({ error, ...rest }) => {
        bad.push(rest);
        codes.push(error.code);
      },
      onEnd: seesEnd ? (found) => (end = found) : undefined,
      ...options,
    });
    for (const chunk of chunks) decoder.push(chunk);
    decoder.end();
  } catch (error) {
    thrown = error;
  }
  return { rows, bad, codes, end, thrown };
}

export function* splits(text: string): Generator<readonly Uint8Array[]> {
  const bytes = utf8(text);
  yield [bytes];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
    }
  }
}

export function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
