// What a reply of rows writes at its end when the end is to be told: the record of PROTOCOL.md, section 3.1.

import { isTailraceError, TailraceError } from "../errors.ts";
import { encodeRowsEnd, isEndRecord } from "../wire/ndjson-end.ts";
import type { EndReason } from "../wire/format.ts";

/** How every end record begins, and no row may that has no other member. */
const START = '{"$end":';

/** Counts the rows of one reply, and writes its end record. */
export class RowsEndWriter {
  #rows = 0;

  /**
   * Passes a row's text on, and counts it.
   *
   * @throws TailraceError `encode_refused` for one that would be taken for the end record
   */
  row(text: string): string {
    // The text and not the value: what `toJSON` returns counts.
    if (text.startsWith(START) && isEndRecord(JSON.parse(text))) {
      const message =
        "A row that is an object with $end alone cannot be told from the end record. Name the member differently, or add another.";
      throw new TailraceError("encode_refused", message);
    }
    this.#rows++;
    return text;
  }

  end(reason: EndReason): string {
    return encodeRowsEnd({ reason, rows: this.#rows });
  }

  /** What a reader is told of a thrown error: its class, and nothing of its text. */
  failure(error: unknown): string {
    const code = isTailraceError(error) ? error.code : "source_failed";
    const isInterrupted = isTailraceError(error) && error.details["reason"] === "interrupted";
    return encodeRowsEnd({ reason: isInterrupted ? "interrupted" : "failed", code, rows: this.#rows });
  }
}
