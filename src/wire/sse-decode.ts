// Server-sent events from bytes: the grammar of WHATWG HTML, section 9.2, right under every split of its input.

import { createByteFeed, type ByteFeed } from "./byte-feed.ts";

const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_A = 0x61;
const LETTER_D = 0x64;
const LETTER_E = 0x65;
const LETTER_I = 0x69;
const LETTER_R = 0x72;
const LETTER_T = 0x74;

/** The default of {@link EventDecoderOptions.maxEventBytes}: 1 MiB. */
export const DEFAULT_MAX_EVENT_BYTES = 1_048_576;

/** One event as the reader gets it. */
export interface DecodedEvent {
  /** The event's type; `"message"` if the stream named none. */
  readonly event: string;
  /** The `data:` lines, joined by LF. */
  readonly data: string;
  /** The last event id: this event's own, or the one that an earlier block set. */
  readonly id: string;
}

/** What {@link createEventDecoder} calls, and its limits. */
export interface EventDecoderOptions {
  readonly onEvent: (event: DecodedEvent) => void;
  /** Called at once for each valid `retry:` line, with milliseconds (at most `Number.MAX_SAFE_INTEGER`). */
  readonly onRetry?: ((retryMs: number) => void) | undefined;
  /** Called at once for each comment line, with what follows the colon less one leading space. */
  readonly onComment?: ((text: string) => void) | undefined;
  /**
   * The most bytes of one block: its lines and their line ends, ignored lines too, without the blank line that ends it. Comments
   * count from the first other line on; one that stands before it counts alone.
   * @default 1048576 (1 MiB)
   */
  readonly maxEventBytes?: number | undefined;
  /** The last event id to start from, when an earlier connection set one. @default "" */
  readonly lastEventId?: string | undefined;
}

/** Decodes the body of one connection; make a new one for the next. */
export interface EventDecoder {
  /**
   * Takes the next bytes, split anywhere. An event is delivered as soon as its blank line is there, at a CR without waiting for a LF.
   *
   * A callback may throw: what else these bytes hold is still delivered, nothing is lost or doubled, then `push` throws what was
   * thrown first. A callback may call `end()`, after which nothing is delivered, but not `push`.
   *
   * @throws TailraceError `limit_exceeded` when a block is larger than `maxEventBytes`; every later call throws it again.
   * @throws TailraceError `closed` after `end()`.
   */
  push(bytes: Uint8Array): void;
  /** Says that the body is over. An event that is not finished is dropped, as the standard asks. May be called twice. */
  end(): void;
  /**
   * The last event id that a finished block set: what to send as `Last-Event-ID`. A block without data counts, one that was cut
   * does not.
   */
  readonly lastEventId: string;
}

/** Makes a decoder of server-sent events. Throws `input_invalid` when `maxEventBytes` is no positive number. */
export function createEventDecoder(options: EventDecoderOptions): EventDecoder {
  const { onEvent, onRetry, onComment, maxEventBytes = DEFAULT_MAX_EVENT_BYTES, lastEventId = "" } = options;

  /** The start of a line whose end has not come: V8 joins it once, when the line is read, so growing it is linear. */
  let carry = "";
  /** Whether that line is the first of its block. */
  let carryIsNewBlock = false;
  /** The text before ended in CR, so a LF that comes first belongs to it. */
  let skipLf = false;
  /** Nothing has come since the last blank line. */
  let isNewBlock = true;
  let type = "";
  let data = "";
  let hasData = false;
  let idBuffer = lastEventId;
  let committedId = lastEventId;

  function blankLine(): void {
    const event: DecodedEvent | undefined = hasData
      ? { event: type === "" ? "message" : type, data, id: idBuffer }
      : undefined;
    // All state is reset before the callback, which may throw. Without data there is no event, but the id counts and the type
    // must not leak into the next.
    isNewBlock = true;
    committedId = idBuffer;
    type = "";
    data = "";
    hasData = false;
    if (event !== undefined) tell(onEvent, event);
  }

  function addData(value: string): void {
    data = hasData ? `${data}\n${value}` : value;
    hasData = true;
    isNewBlock = false;
  }

  /** Keeps the start of a line until its end comes. */
  function keepLine(text: string, start: number): void {
    if (carry === "") carryIsNewBlock = isNewBlock;
    carry += text.slice(start);
    isNewBlock = false;
  }

  function tell<T>(callback: ((value: T) => void) | undefined, value: T): void {
    if (callback === undefined) return;
    try {
      callback(value);
    } catch (error) {
      feed.threw(error);
    }
  }

  /** Takes one line that is not blank: `text` from `start` to `end`. */
  function takeLine(text: string, start: number, end: number): void {
    const wasNewBlock = isNewBlock;
    isNewBlock = false;
    let at: number;
    switch (text.charCodeAt(start)) {
      case LETTER_D:
        at = valueStart(text, start, end, "data");
        if (at !== -1) addData(text.slice(at, end));
        return;
      case LETTER_E:
        at = valueStart(text, start, end, "event");
        if (at !== -1) type = text.slice(at, end);
        return;
      case LETTER_I: {
        at = valueStart(text, start, end, "id");
        if (at === -1) return;
        const id = text.slice(at, end);
        if (!id.includes("\0")) idBuffer = id;
        return;
      }
      case LETTER_R:
        at = valueStart(text, start, end, "retry");
        if (at !== -1 && isDigits(text, at, end)) {
          tell(onRetry, Math.min(Number(text.slice(at, end)), Number.MAX_SAFE_INTEGER));
        }
        return;
      case COLON:
        // A comment begins no block: a server may send nothing but comments for days, and none of them is held.
        isNewBlock = wasNewBlock;
        if (onComment !== undefined) {
          tell(onComment, text.slice(start + (text.charCodeAt(start + 1) === SPACE ? 2 : 1), end));
        }
        return;
    }
  }

  /** Takes the line that is kept so far and ends in `text`. */
  function takeCarried(text: string, start: number, end: number): void {
    const line = carry + text.slice(start, end);
    carry = "";
    isNewBlock = carryIsNewBlock;
    takeLine(line, 0, line.length);
  }

  /**
   * Text without CR, the usual kind. `view` is given where all of it is ASCII, so that a character's place is its byte's: reading a
   * byte is several times cheaper than `charCodeAt`, which has to find out each time how the string is kept.
   */
  function takeLfOnly(text: string, view: Uint8Array | undefined): number {
    let start = 0;
    let blockStart = -1;
    let end = text.indexOf("\n");
    if (carry !== "" && end !== -1) {
      takeCarried(text, 0, end);
      start = end + 1;
      if (isNewBlock) blockStart = start;
      end = text.indexOf("\n", start);
    }
    while (end !== -1 && feed.live) {
      if (view === undefined ? text.startsWith("data:", start) : isDataField(view, start)) {
        const space = view === undefined ? text.charCodeAt(start + 5) : view[start + 5];
        const value = text.slice(space === SPACE ? start + 6 : start + 5, end);
        if (isNewBlock && (view === undefined ? text.charCodeAt(end + 1) : view[end + 1]) === LF) {
          // The usual event, one data line and a blank line, passes through no state at all.
          start = blockStart = end + 2;
          end = text.indexOf("\n", start);
          try {
            onEvent({ event: "message", data: value, id: committedId });
          } catch (error) {
            feed.threw(error);
          }
          continue;
        }
        addData(value);
      } else if (end === start) {
        blankLine();
        blockStart = end + 1;
      } else {
        takeLine(text, start, end);
        if (isNewBlock) blockStart = end + 1;
      }
      start = end + 1;
      end = text.indexOf("\n", start);
    }
    if (start < text.length) keepLine(text, start);
    return blockStart;
  }

  /** Any other text, line by line. */
  function takeMixed(text: string): number {
    const length = text.length;
    let start = 0;
    let blockStart = -1;
    if (skipLf) {
      skipLf = false;
      if (text.charCodeAt(0) === LF) {
        start = 1;
        if (isNewBlock) blockStart = 1;
      }
    }
    // Each of the two is searched again only once it is passed, so the search is linear in every mix. `length` means none.
    let lf = indexOrLength(text, "\n", start);
    let cr = indexOrLength(text, "\r", start);
    while (feed.live) {
      const end = lf < cr ? lf : cr;
      if (end === length) {
        if (start < length) keepLine(text, start);
        break;
      }
      const isBlank = end === start && carry === "";
      if (isBlank) {
        blankLine();
      } else if (carry === "") {
        takeLine(text, start, end);
      } else {
        takeCarried(text, start, end);
      }
      if (end === lf) {
        start = end + 1;
      } else {
        // A LF behind a CR belongs to it, in this text or the next; the line is over without waiting for it.
        start = text.charCodeAt(end + 1) === LF ? end + 2 : end + 1;
        skipLf = end + 1 === length;
        cr = indexOrLength(text, "\r", start);
      }
      if (lf < start) lf = indexOrLength(text, "\n", start);
      if (isNewBlock) blockStart = start;
    }
    return blockStart;
  }

  function take(text: string, view: Uint8Array): number {
    if (skipLf || text.indexOf("\r") !== -1) return takeMixed(text);
    return takeLfOnly(text, text.length === view.length ? view : undefined);
  }

  const feed: ByteFeed = createByteFeed({ unit: "event", limitName: "maxEventBytes", maxBytes: maxEventBytes, take });
  return {
    push: feed.push,
    end: feed.end,
    get lastEventId() {
      return committedId;
    },
  };
}

function indexOrLength(text: string, needle: string, from: number): number {
  const index = text.indexOf(needle, from);
  return index === -1 ? text.length : index;
}

/** Whether `data:` stands at `start`. */
function isDataField(view: Uint8Array, start: number): boolean {
  return (
    view[start] === LETTER_D &&
    view[start + 1] === LETTER_A &&
    view[start + 2] === LETTER_T &&
    view[start + 3] === LETTER_A &&
    view[start + 4] === COLON
  );
}

/**
 * Where the value starts in the line from `start` to `end` if its field is called exactly `name`, else -1. A line without a
 * colon is a field with an empty value, and one space behind the colon is not part of the value.
 */
function valueStart(text: string, start: number, end: number, name: string): number {
  const colon = start + name.length;
  if (colon > end || !text.startsWith(name, start)) return -1;
  if (colon === end) return end;
  if (text.charCodeAt(colon) !== COLON) return -1;
  return text.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1;
}

/** Digits only, and at least one: `parseInt` would take "1s" and "-1". */
function isDigits(text: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code < DIGIT_0 || code > DIGIT_9) return false;
  }
  return start < end;
}
