// The half that the SSE and NDJSON decoders share: bytes in, decoded text out, with the byte-order mark, the UTF-8 cuts, the size
// limit and the life cycle dealt with. What the text means is the format's business.

import { TailraceError } from "../errors.ts";
import { unfinishedTail } from "./utf8-tail.ts";

const LF = 0x0a;
const CR = 0x0d;
const BOM: Uint8Array = Uint8Array.of(0xef, 0xbb, 0xbf);

/**
 * Chunks under this size are gathered as bytes until a line ends, and decoded once per line end. A call of TextDecoder costs
 * about as much as looking at this many bytes, so above it decoding at once is cheaper.
 */
const GATHER_BELOW_BYTES = 256;
const FIRST_BUFFER_BYTES = 2048;
/** A buffer that grew past this for one long line is given back once the line is done. */
const KEEP_BUFFER_BYTES = 262_144;

/** What a format gives to {@link createByteFeed}. */
export interface FeedOptions {
  /** What is limited, for the message: "event" or "row". */
  readonly unit: string;
  /** The name of the option that holds the limit, for the message and the details. */
  readonly limitName: string;
  /** The most bytes that one unfinished unit may have. */
  readonly maxBytes: number;
  /**
   * Takes the next piece of text, with the bytes it came from, and returns the index in it where the unit that is still unfinished starts (the text's length
   * when a unit ends there), or -1 if no unit ends in this text. The index must lie just behind a line end. Stop when `live` turns false.
   */
  readonly take: (text: string, view: Uint8Array) => number;
  /** Called once by `end()`, before the feed closes. */
  readonly finish?: (() => void) | undefined;
  /**
   * Called when a unit passes the limit. True: the unit is skipped, up to the LF that ends it, and the feed goes on behind it; `remainder()`
   * still has its undecoded bytes. Else, and by default, the feed fails with `error`.
   */
  readonly overflow?: ((error: TailraceError) => boolean) | undefined;
}

/** The shared half of a decoder. */
export interface ByteFeed {
  /** False once the feed has ended or failed: `take` must call nobody any more. */
  live: boolean;
  readonly push: (bytes: Uint8Array) => void;
  readonly end: () => void;
  /** Remembers what a callback threw; the running `push` or `end` throws the first such value when it is done. */
  readonly threw: (error: unknown) => void;
  /** Ends the feed for good: the running call and every later `push` throw `error`. */
  readonly fail: (error: TailraceError) => void;
  /** The bytes not yet decoded, as text; for a last line without a line end. */
  readonly remainder: () => string;
}

/** Makes the feed. Throws `input_invalid` when the limit is no positive number. */
export function createByteFeed(options: FeedOptions): ByteFeed {
  const { unit, limitName, maxBytes, take, finish, overflow } = options;
  if (!(maxBytes >= 1)) {
    throw new TailraceError(
      "input_invalid",
      `${limitName} must be a number of at least 1 byte, not ${String(maxBytes)}.`,
    );
  }
  // Never in streaming mode: every cut below is one where UTF-8 may be cut, and whole calls are the fast ones.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Bytes waiting to be decoded: `buffer` from `from` to `to`. They never hold a line end. */
  let buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  let from = 0;
  let to = 0;
  /** Bytes of the unfinished unit that are decoded already. */
  let decodedBytes = 0;
  /** Whether the rest of a unit over the limit is being passed over. */
  let isSkipping = false;

  /** How many bytes of a byte-order mark have come; -1 once the question is settled. */
  let bomBytes = 0;
  let busy = false;
  let failure: TailraceError | undefined;
  let thrown: { readonly error: unknown } | undefined;

  function makeRoom(size: number): void {
    const held = to - from;
    if (held + size <= buffer.length) {
      buffer.copyWithin(0, from, to);
    } else {
      // Doubling keeps the copying linear in the length of the line.
      const larger = new Uint8Array(Math.max(FIRST_BUFFER_BYTES, 2 * (held + size)));
      larger.set(buffer.subarray(from, to));
      buffer = larger;
    }
    from = 0;
    to = held;
  }

  function hold(chunk: Uint8Array): void {
    const size = chunk.length;
    if (to + size > buffer.length) makeRoom(size);
    buffer.set(chunk, to);
    to += size;
  }

  function decode(view: Uint8Array): void {
    const text = decoder.decode(view);
    const start = take(text, view);
    if (start === -1) decodedBytes += view.length;
    // As many characters as bytes: each character is one byte, and an index into the one is an index into the other.
    else if (text.length === view.length) decodedBytes = text.length - start;
    else decodedBytes = bytesBehind(view, text, start);
  }

  /** Decodes what is held, but for its last `rest` bytes. */
  function decodeHeld(rest: number): void {
    const end = to - rest;
    // Not subarray(), which takes half as long again: it has to look up the array's species.
    const view = new Uint8Array(buffer.buffer, from, end - from);
    from = end;
    decode(view);
    if (buffer.length > KEEP_BUFFER_BYTES) {
      buffer = buffer.slice(from, to);
      to -= from;
      from = 0;
    }
  }

  /** Takes a chunk that cannot take the unfinished unit past its limit. */
  function step(chunk: Uint8Array): void {
    const size = chunk.length;
    if (size < GATHER_BELOW_BYTES) {
      let last = size - 1;
      while (last >= 0 && !isLineEnd(chunk[last] as number)) last--;
      if (last >= 0 && last === size - 1 && from === to) {
        decode(chunk); // whole lines, and nothing before them: no need to gather
        return;
      }
      hold(chunk);
      // Behind a line end UTF-8 may always be cut, so what follows it waits as bytes.
      if (last >= 0) decodeHeld(size - 1 - last);
      return;
    }
    const tail = unfinishedTail(chunk);
    if (from !== to) {
      hold(chunk);
      decodeHeld(tail);
    } else if (tail === 0) {
      decode(chunk);
    } else {
      decode(chunk.subarray(0, size - tail));
      hold(chunk.subarray(size - tail));
    }
  }

  /**
   * Takes a chunk that might pass the limit, in pieces that end where it would be reached, then byte by byte. What passes
   * and what fails is so the same for every split of the input.
   */
  function stepWithinLimit(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && feed.live;) {
      if (isSkipping) {
        // Nothing of it is held: only its end matters.
        const end = chunk.indexOf(LF, at);
        if (end === -1) return;
        isSkipping = false;
        at = end + 1;
        continue;
      }
      const room = maxBytes - (decodedBytes + to - from);
      const size = Math.min(Math.max(room, 1), chunk.length - at);
      step(chunk.subarray(at, at + size));
      at += size;
      if (feed.live && decodedBytes + to - from > maxBytes) tooLarge();
    }
  }

  function tooLarge(): void {
    const error = new TailraceError(
      "limit_exceeded",
      `One ${unit} is larger than ${maxBytes} bytes (${limitName}). Raise ${limitName}, or send smaller ${unit}s.`,
      { details: { [limitName]: maxBytes } },
    );
    if (overflow?.(error) !== true) return feed.fail(error);
    isSkipping = true;
    from = to = decodedBytes = 0;
    if (buffer.length > KEEP_BUFFER_BYTES) buffer = new Uint8Array(0);
  }

  /** Drops one byte-order mark at byte 0, however it is cut; one that comes later is text. */
  function behindBom(chunk: Uint8Array): Uint8Array {
    const before = bomBytes;
    let at = 0;
    while (bomBytes < BOM.length && at < chunk.length && chunk[at] === BOM[bomBytes]) {
      at++;
      bomBytes++;
    }
    if (bomBytes < BOM.length && at === chunk.length) return chunk.subarray(at);
    const isBom = bomBytes === BOM.length;
    bomBytes = -1;
    if (isBom) return chunk.subarray(at);
    if (before === 0) return chunk;
    const whole = new Uint8Array(before + chunk.length);
    whole.set(BOM.subarray(0, before));
    whole.set(chunk, before);
    return whole;
  }

  function release(): void {
    feed.live = false;
    buffer = new Uint8Array(0);
    from = to = 0;
  }

  /** Throws what the call that ends now has to throw, if anything. */
  function settle(): void {
    busy = false;
    if (thrown !== undefined) {
      const { error } = thrown;
      thrown = undefined;
      throw error;
    }
    if (failure !== undefined) throw failure;
  }

  const feed: ByteFeed = {
    live: true,
    push(bytes) {
      if (busy)
        throw new TailraceError("input_invalid", "push() was called from inside a callback of the same decoder.");
      if (!feed.live) {
        throw failure ?? new TailraceError("closed", "The decoder has ended. Make a new one for each connection.");
      }
      busy = true;
      const chunk = bomBytes === -1 ? bytes : behindBom(bytes);
      if (!isSkipping && decodedBytes + to - from + chunk.length <= maxBytes) step(chunk);
      else stepWithinLimit(chunk);
      settle();
    },
    end() {
      if (!feed.live) return;
      if (busy) {
        release();
        return;
      }
      busy = true;
      // Bytes that might have become a byte-order mark, and did not, belong to the last line.
      if (bomBytes > 0) hold(BOM.subarray(0, bomBytes));
      finish?.();
      release();
      settle();
    },
    threw(error) {
      thrown ??= { error };
    },
    fail(error) {
      failure = error;
      release();
    },
    remainder() {
      return decoder.decode(buffer.subarray(from, to));
    },
  };
  return feed;
}

function isLineEnd(byte: number): boolean {
  return byte <= CR && (byte === LF || byte === CR);
}

/**
 * How many bytes of `view` the text from index `start` on came from. The two are of different length, but line ends are single
 * bytes that no other character, whole or broken, ever contains: count those behind `start`, and find as many in the bytes.
 */
function bytesBehind(view: Uint8Array, text: string, start: number): number {
  let lineEnds = 1;
  for (let index = start; index < text.length; index++) if (isLineEnd(text.charCodeAt(index))) lineEnds++;
  let at = view.length;
  while (at > 0) {
    if (isLineEnd(view[at - 1] as number) && --lineEnds === 0) break;
    at--;
  }
  return view.length - at;
}
