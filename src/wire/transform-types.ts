// What a transform is asked to do, on a server and in a browser: the pieces it is given, what it may answer, its options.

import type { RowOptions } from "./ndjson.ts";

/** What each kind of transform is given. */
export interface TransformPieces {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly lines: string;
  readonly rows: unknown;
}

/** What each kind of transform gives. */
export interface TransformOutputs {
  readonly bytes: Uint8Array | string;
  readonly text: string;
  readonly lines: string;
  readonly rows: unknown;
}

/**
 * What a body is cut into.
 *
 * | kind | a piece in | written for each output |
 * |---|---|---|
 * | `bytes` | the bytes as they come | a `Uint8Array`, or a string as UTF-8 |
 * | `text` | the text as it comes; a character is never split, a byte-order mark at the start is dropped | the string |
 * | `lines` | a line, without the LF or CRLF that ends it | the string and LF |
 * | `rows` | the value of one NDJSON row | the value as JSON, and LF |
 */
export type TransformAs = keyof TransformPieces;

/** What comes with each piece. */
export interface TransformContext {
  /** Aborts when the reader leaves, the sender fails or the transform is stopped. Hand it on to whatever the work waits for. */
  readonly signal: AbortSignal;
  /** Which piece this is, counted from 0; for `end`, how many there were. */
  readonly index: number;
}

/** One output, or several: an array, or an iterator that a generator makes. `undefined` writes nothing. */
export type TransformYield<Output> =
  | Output
  | undefined
  | void
  | readonly (Output | undefined)[]
  | IterableIterator<Output | undefined>
  | AsyncIterable<Output | undefined>;

/** What a function may answer. */
export type TransformAnswer<Output> = TransformYield<Output> | PromiseLike<TransformYield<Output>>;

/** Called with each piece, one after the other: the next is called once everything of the one before has been written. */
export type TransformFunction<As extends TransformAs> = (
  piece: TransformPieces[As],
  context: TransformContext,
) => TransformAnswer<TransformOutputs[As]>;

/** How a body is cut into pieces, and the limits of these. Those of rows are the ones of `createRowDecoder`. */
export interface PieceOptions extends Omit<RowOptions, "maxTotalBytes"> {
  /**
   * What becomes of bytes that are not UTF-8, but for `as: "bytes"`: `refuse` fails with `decode_failed`, `replace` puts U+FFFD.
   * @default "refuse"
   */
  readonly invalidText?: "refuse" | "replace" | undefined;
  /**
   * The most bytes of one line.
   * @default 16777216 (16 MiB)
   */
  readonly maxLineBytes?: number | undefined;
}

/** What a transform takes wherever it runs. */
export interface TransformCoreOptions<As extends TransformAs> extends PieceOptions {
  /**
   * What the body is cut into.
   * @default "bytes"
   */
  readonly as?: As | undefined;
  /** Called once after the last piece, as for a count or a summary. */
  readonly end?: ((context: TransformContext) => TransformAnswer<TransformOutputs[As]>) | undefined;
}
