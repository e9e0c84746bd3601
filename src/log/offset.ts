// Offsets: opaque to everybody else, strictly increasing, and sorted as bytes.

import { TailraceError } from "../errors.ts";

/** A place in a stream: the offset of an item, or the place before the first. */
export type Offset = string;

/** What a reader comes back with: the last offset it saw, and whether it saw the end. */
export interface Cursor {
  readonly offset: Offset;
  readonly sawEnd: boolean;
}

const END_MARK = "~";
const DIGITS = /^[0-9a-z]+$/;

/**
 * The offset of sequence number `sequence`, an integer from 0 to 2^53 - 1: base 36 with a first character that tells the
 * number of digits, so that a longer number sorts behind a shorter one.
 */
export function offsetOf(sequence: number): Offset {
  const digits = sequence.toString(36);
  return digits.length.toString(36) + digits;
}

/** The sequence number of `offset`, or undefined if `offsetOf` never made it. */
export function sequenceOf(offset: Offset): number | undefined {
  if (offset.length < 2 || offset.length > 12 || !DIGITS.test(offset)) return undefined;
  const sequence = Number.parseInt(offset.slice(1), 36);
  return Number.isSafeInteger(sequence) && offsetOf(sequence) === offset ? sequence : undefined;
}

/** The cursor that says: everything up to `offset`, and the end too. */
export function endCursor(offset: Offset): string {
  return offset + END_MARK;
}

/** @throws {TailraceError} `cursor_invalid` if no stream ever gave out `text`. */
export function parseCursor(text: string): Cursor {
  const sawEnd = text.endsWith(END_MARK);
  const offset = sawEnd ? text.slice(0, -1) : text;
  if (sequenceOf(offset) === undefined) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new TailraceError(
      "cursor_invalid",
      `${JSON.stringify(shown)} is no cursor of a stream; send the last id that you received, or none to start anew.`,
    );
  }
  return { offset, sawEnd };
}
