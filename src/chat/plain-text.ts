// Plain text as the one part of an answer.

import { createTextDecoder, type TextPieceDecoder } from "../wire/text.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { decodeItems, type UpstreamBytes } from "./upstream-events.ts";
import { createParts } from "./upstream-parts.ts";

/**
 * The answer that `source` brings as plain text: strings, or UTF-8 bytes in any split. Text has no mark of its end, so only an
 * error of the source can say that it was cut.
 *
 * @throws {TailraceError} `upstream_failed` or `upstream_slow` with `details.kind` for an error of the connection
 */
export function fromText(
  source: Iterable<string> | AsyncIterable<string> | ReadableStream<string> | UpstreamBytes,
): AsyncGenerator<UiChunk, void, undefined> {
  const out: UiChunk[] = [];
  const parts = createParts(out);
  const add = (text: string): void => parts.add("text", "text", text);
  let decoder: TextPieceDecoder | undefined;
  // A string is itself an iterable of its characters: it is told in one piece.
  const items = typeof source === "string" ? [source] : source;
  return decodeItems(Symbol.iterator in items ? iterate(items) : items, out, {
    take(item) {
      if (item instanceof Uint8Array) {
        decoder ??= createTextDecoder({ onText: add });
        decoder.push(item);
      } else add(String(item));
      return false;
    },
    end() {
      decoder?.end();
      parts.endAll();
      out.push({ type: "finish", finishReason: "stop" });
    },
  });
}

async function* iterate<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}
