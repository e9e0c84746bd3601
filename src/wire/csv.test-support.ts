// Bytes, splits and decoding at one go for the tests of CSV.

import { type CsvDecoderOptions, createCsvDecoder } from "./csv-decode.ts";

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** What a decoder gave, and what it threw, if it did. */
export interface Decoded {
  readonly rows: readonly unknown[];
  readonly thrown: unknown;
}

export type DecodeOptions = Partial<CsvDecoderOptions<unknown>>;

export function decode(chunks: Iterable<Uint8Array>, options: DecodeOptions = {}): Decoded {
  const rows: unknown[] = [];
  const decoder = createCsvDecoder<unknown>({ onRow: (row) => rows.push(row), ...options });
  try {
    for (const chunk of chunks) decoder.push(chunk);
    decoder.end();
    return { rows, thrown: undefined };
  } catch (thrown) {
    return { rows, thrown };
  }
}

/** Byte by byte, and cut at every two places. */
export function* splits(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
    }
  }
}
