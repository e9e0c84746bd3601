// A body of NDJSON as an iteration: what `for await` needs around the decoder, in browsers and on servers.

import { announcesEnd, failureOf, type RowsEnd } from "./ndjson-end.ts";
import { createRowDecoder, type RowOptions } from "./ndjson.ts";
import { type BatchDecoder, type RowBody, type Rows, rowsOf } from "./row-body.ts";

/** Options of {@link readNdjson}. */
export interface ReadNdjsonOptions<T = unknown> extends RowOptions<T> {
  /** Ends the reading: the body is cancelled, and the iteration throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads NDJSON from a body, as far as the loop asks for it. Leaving the loop cancels the body. Rows before an error are given before it is
 * thrown. `endRecord` is `require` for a Response that announces a record, and else as in the decoder.
 *
 * The iteration throws, beside what the decoder throws: `connection_failed` for a body that breaks off, `source_failed` behind an end record that
 * says so, `input_invalid` for a body that is no bytes, was read already, or is read twice; and the reason of `signal`.
 */
export function readNdjson<T = unknown>(body: RowBody, options: ReadNdjsonOptions<T> = {}): Rows<T> {
  const isAnnounced = body instanceof Response && announcesEnd(body.headers);
  return rowsOf<T>(body, options.signal, (onRow) => openDecoder(options, isAnnounced, onRow));
}

function openDecoder<T>(options: ReadNdjsonOptions<T>, isAnnounced: boolean, onRow: (row: T) => void): BatchDecoder {
  const { onEnd } = options;
  let end: RowsEnd | undefined;
  const decoder = createRowDecoder<T>({
    ...options,
    endRecord: options.endRecord ?? (isAnnounced ? "require" : onEnd === undefined ? "ignore" : "accept"),
    onRow,
    onEnd: (found) => {
      end = found;
      onEnd?.(found);
    },
  });
  /** Behind a record that tells of a failure the connection is cut: its own word is the better one. */
  const throwIfFailed = (): void => {
    const error = end === undefined ? undefined : failureOf(end);
    if (error !== undefined) throw error;
  };
  return {
    push(bytes) {
      decoder.push(bytes);
      throwIfFailed();
    },
    end() {
      decoder.end();
      throwIfFailed();
    },
    isOver: () => end !== undefined,
  };
}
