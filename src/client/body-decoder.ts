// One face for the three formats of a body: bytes in, what they said out, in order.

import type { RowsEnd } from "../wire/ndjson-end.ts";
import { createRowDecoder } from "../wire/ndjson.ts";
import { createEventDecoder } from "../wire/sse-decode.ts";
import { createTextDecoder } from "../wire/text.ts";
import type { BodyFormat } from "./response.ts";

/** One thing that a body said. */
export type Incoming =
  | { readonly type: "event"; readonly event: string; readonly data: string; readonly id: string }
  | { readonly type: "row"; readonly value: unknown }
  /** The end record of rows (PROTOCOL.md, section 3.1). */
  | { readonly type: "end"; readonly end: RowsEnd }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "comment"; readonly text: string }
  | { readonly type: "retry"; readonly ms: number }
  /** The bytes are not what the format says, or too many: nothing follows. What came before it is still good. */
  | { readonly type: "broken"; readonly error: unknown };

/** A decoder of one body. Both functions give what has become complete; they never throw. */
export interface BodyDecoder {
  push(bytes: Uint8Array): readonly Incoming[];
  end(): readonly Incoming[];
  /** The last event id that counts: also of a block without data, and never of an unfinished one. */
  readonly lastEventId: string;
}

/** Makes a decoder for a body in `format` that starts after `lastEventId`. With `needsEnd` rows without an end record were cut. */
export function createBodyDecoder(
  format: BodyFormat,
  lastEventId: string,
  maxEventBytes: number | undefined,
  needsEnd = false,
): BodyDecoder {
  let said: Incoming[] = [];
  const run = (step: () => void): readonly Incoming[] => {
    try {
      step();
    } catch (error) {
      // Said in its place, so that the good events before it arrive however the bytes were cut.
      said.push({ type: "broken", error });
    }
    const all = said;
    said = [];
    return all;
  };
  const wrap = (inner: { push(bytes: Uint8Array): void; end(): void }, cursor: () => string): BodyDecoder => ({
    push: (bytes) => run(() => inner.push(bytes)),
    end: () => run(() => inner.end()),
    get lastEventId() {
      return cursor();
    },
  });

  if (format === "sse") {
    const events = createEventDecoder({
      onEvent: ({ event, data, id }) => said.push({ type: "event", event, data, id }),
      onRetry: (ms) => said.push({ type: "retry", ms }),
      onComment: (text) => said.push({ type: "comment", text }),
      maxEventBytes,
      lastEventId,
    });
    return wrap(events, () => events.lastEventId);
  }
  if (format === "ndjson") {
    const rows = createRowDecoder({
      onRow: (value) => said.push({ type: "row", value }),
      onEnd: (end) => said.push({ type: "end", end }),
      endRecord: needsEnd ? "require" : "ignore",
      maxRowBytes: maxEventBytes,
    });
    return wrap(rows, () => lastEventId);
  }
  const pieces = createTextDecoder({ onText: (text) => said.push({ type: "text", text }) });
  return wrap(pieces, () => lastEventId);
}
