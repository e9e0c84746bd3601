// Lines from bytes, as they come: LF or CRLF ends one.

import { createByteFeed, type ByteFeed } from "./byte-feed.ts";

const CR = 0x0d;

/** The default of {@link LineDecoderOptions.maxLineBytes}: 16 MiB. */
export const DEFAULT_MAX_LINE_BYTES = 16_777_216;

/** What {@link createLineDecoder} calls, and its limit. */
export interface LineDecoderOptions {
  /** Called with each line, without the LF or CRLF that ends it. */
  readonly onLine: (line: string) => void;
  /**
   * The most bytes of one line, without the LF that ends it.
   * @default 16777216 (16 MiB)
   */
  readonly maxLineBytes?: number | undefined;
}

/** Decodes one body; make a new one for the next. */
export interface LineDecoder {
  /**
   * Takes the next bytes, split anywhere. What `onLine` throws comes out of `push` once the other lines of these bytes are delivered.
   *
   * @throws TailraceError `limit_exceeded` at a line larger than `maxLineBytes`; every later call throws the same again.
   * @throws TailraceError `closed` after `end()`.
   */
  push(bytes: Uint8Array): void;
  /** Says that the body is over, and delivers a last line that has no line end. May be called twice. */
  end(): void;
}

/**
 * Makes a decoder of lines of UTF-8. It drops one byte-order mark at the start; invalid bytes become U+FFFD. A CR alone, U+2028 and
 * U+2029 end no line. A body that ends with a line end has no empty line behind it, and an empty body has no line.
 *
 * @throws TailraceError `input_invalid` when `maxLineBytes` is no positive number.
 */
export function createLineDecoder(options: LineDecoderOptions): LineDecoder {
  const { onLine, maxLineBytes = DEFAULT_MAX_LINE_BYTES } = options;
  /** The start of a line whose LF has not come. V8 joins it once, when it is read, so growing it is linear. */
  let carry = "";

  function deliver(line: string): void {
    try {
      onLine(line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line);
    } catch (error) {
      feed.threw(error);
    }
  }

  function take(text: string): number {
    let start = 0;
    let lineStart = -1;
    for (let end = text.indexOf("\n"); end !== -1 && feed.live; end = text.indexOf("\n", start)) {
      const line = text.slice(start, end);
      start = lineStart = end + 1;
      if (carry === "") {
        deliver(line);
      } else {
        const whole = carry + line;
        carry = "";
        deliver(whole);
      }
    }
    if (start < text.length) carry += text.slice(start);
    return lineStart;
  }

  const feed: ByteFeed = createByteFeed({
    unit: "line",
    limitName: "maxLineBytes",
    maxBytes: maxLineBytes,
    take,
    finish() {
      const last = carry + feed.remainder();
      carry = "";
      if (last !== "") deliver(last);
    },
  });
  return { push: feed.push, end: feed.end };
}
