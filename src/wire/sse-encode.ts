// Server-sent events to text (WHATWG HTML, section 9.2). Nothing that a caller passes can end a line that it was not meant to end.

import { TailraceError } from "../errors.ts";
import { jsonText } from "./json-text.ts";

/** One event to be written; at least one member must be given. */
export interface SseEvent {
  /** The event's type. An empty string means the default, `"message"`, and is not written. */
  readonly event?: string | undefined;
  /** The event's id. An empty string resets the reader's last event id. */
  readonly id?: string | undefined;
  /**
   * A string is written as it is, cut at CR, LF and CRLF into several lines, which the reader joins by LF. Anything else but
   * `undefined` is written as JSON.
   */
  readonly data?: unknown;
  /** The reader's reconnect delay in milliseconds: a whole number, 0 or more. */
  readonly retry?: number | undefined;
  /** Text that readers ignore, written before the rest, cut at line ends into several comment lines. */
  readonly comment?: string | undefined;
}

/**
 * One event as text, with the blank line that ends it.
 *
 * @throws TailraceError `encode_refused` for what would corrupt the stream: CR, LF, NUL or half a surrogate pair in `event` or `id`, a
 * `retry` that is no whole number, `data` that JSON has no text for, and an event with nothing in it.
 */
export function encodeEvent(event: SseEvent): string {
  const { data } = event;
  // The hot path: nothing but data, in one line. JSON text never holds a line end.
  if (event.id === undefined && event.event === undefined && event.retry === undefined && event.comment === undefined) {
    if (data === undefined) throw refused("The event has nothing in it: give it data, event, id, retry or comment.");
    return `data: ${typeof data === "string" ? inLines(data, "data: ") : jsonText(data, "data of an event")}\n\n`;
  }
  return encodeFields(event);
}

/**
 * A comment as text, with a blank line behind it so that it is a block of its own. Readers ignore it.
 *
 * @throws TailraceError `encode_refused` when `text` is no string.
 */
export function encodeComment(text: string): string {
  return `${commentLines(text)}\n`;
}

function encodeFields({ event, id, data, retry, comment }: SseEvent): string {
  let text = comment === undefined ? "" : commentLines(comment);
  if (retry !== undefined) {
    // A number only: text would pass through as it is, line ends and all.
    if (typeof retry !== "number" || !Number.isSafeInteger(retry) || retry < 0) {
      throw refused(`retry must be a whole number of milliseconds, 0 or more, not ${describe(retry)}.`);
    }
    text += `retry: ${retry}\n`;
  }
  if (event !== undefined) {
    checkName(event, "event");
    if (event !== "") text += `event: ${event}\n`;
  }
  if (id !== undefined) {
    checkName(id, "id");
    text += `id: ${id}\n`;
  }
  if (data !== undefined) {
    text += `data: ${typeof data === "string" ? inLines(data, "data: ") : jsonText(data, "data of an event")}\n`;
  }
  if (text === "") throw refused("The event has nothing in it: give it data, event, id, retry or comment.");
  return `${text}\n`;
}

/** Cuts text at its line ends and starts each further line with `prefix`. */
function inLines(text: string, prefix: string): string {
  if (text.indexOf("\n") === -1 && text.indexOf("\r") === -1) return text;
  return text.replaceAll(/\r\n|\r|\n/g, `\n${prefix}`);
}

function commentLines(text: string): string {
  if (typeof text !== "string") throw refused(`A comment must be a string, not ${describe(text)}.`);
  return `: ${inLines(text, ": ")}\n`;
}

/** CR and LF would forge lines; a reader ignores an id with NUL; half a surrogate pair would arrive as U+FFFD. */
function checkName(value: string, field: "event" | "id"): void {
  if (typeof value !== "string") throw refused(`The ${field} must be a string, not ${describe(value)}.`);
  if (value.includes("\n") || value.includes("\r") || value.includes("\0")) {
    throw refused(`The ${field} holds CR, LF or NUL, which would corrupt the stream. Remove or encode them.`);
  }
  if (!value.isWellFormed()) {
    throw refused(
      `The ${field} holds half a surrogate pair, which UTF-8 cannot carry. Use toWellFormed() or encode it.`,
    );
  }
}

function describe(value: unknown): string {
  return typeof value === "number" ? String(value) : value === null ? "null" : `a ${typeof value}`;
}

function refused(message: string): TailraceError {
  return new TailraceError("encode_refused", message);
}
