// Plain text from bytes, as they come: no character is ever split.

import { TailraceError } from "../errors.ts";

/** What {@link createTextDecoder} calls. */
export interface TextDecoderOptions {
  /** Called with each piece of text; never with an empty one. */
  readonly onText: (text: string) => void;
}

/** Decodes the UTF-8 body of one response; make a new one for the next. */
export interface TextPieceDecoder {
  /**
   * Takes the next bytes, split anywhere. What `onText` throws comes out of `push`, and no text is lost by it.
   *
   * @throws TailraceError `closed` after `end()`.
   */
  push(bytes: Uint8Array): void;
  /** Says that the body is over. A character that was cut off arrives as U+FFFD. May be called twice. */
  end(): void;
}

/** Makes a decoder of plain text. It drops one byte-order mark at the start, as `Response.text()` does; invalid bytes become U+FFFD. */
export function createTextDecoder(options: TextDecoderOptions): TextPieceDecoder {
  const { onText } = options;
  const decoder = new TextDecoder();
  let ended = false;
  return {
    push(bytes) {
      if (ended) throw new TailraceError("closed", "The decoder has ended. Make a new one for each response.");
      const text = decoder.decode(bytes, { stream: true });
      if (text !== "") onText(text);
    },
    end() {
      if (ended) return;
      ended = true;
      const text = decoder.decode();
      if (text !== "") onText(text);
    },
  };
}
