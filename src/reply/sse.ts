// Server-sent events, from a plain source or from a named stream. What stands on the wire is in PROTOCOL.md, section 1.

import { assertSource, openSource, type Source } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { readLastEventId } from "../http/last-event-id.ts";
import { isNamed, type NamedSource } from "../log/named.ts";
import { encodeEvent, type SseEvent } from "../wire/sse-encode.ts";
import type { End } from "../wire/format.ts";
import { fromPayload } from "../log/payload.ts";
import type { Payload } from "../log/store.ts";
import { EVENT_STREAM, heartbeatOf, namedEvents, openingOf, type EventReplyOptions } from "./named-events.ts";
import { makeReply } from "./reply.ts";

/** Options of {@link sse}. `T` is what the source gives. */
export interface SseOptions<T> extends EventReplyOptions {
  /** How an item is shown. Default: an item of a plain source is an {@link SseEvent} or a text; one of a named stream is the `data`. */
  readonly toEvent?: ((value: T) => SseEvent) | undefined;
}

/**
 * Replies with a named stream: replay from the reader's cursor, then live. 204 if the reader has seen the end, 400 for a
 * malformed `Last-Event-ID`, 404 if there is no such stream; each item has its offset as `id`.
 */
export function sse<T>(request: Request, source: NamedSource<T>, options?: SseOptions<T>): Promise<Response>;
/** Replies with the items of a plain source, each turned into an event by `toEvent`. */
export function sse<T>(
  request: Request,
  source: Source<T>,
  options: SseOptions<T> & { readonly toEvent: (value: T) => SseEvent },
): Response;
/**
 * Replies with a plain source of events. When the reader leaves, the source's signal aborts and its `finally` runs; when
 * it throws, the reader gets an `error` event without the details.
 *
 * @throws {TailraceError} `source_invalid`
 */
export function sse(
  request: Request,
  source: Source<SseEvent | string>,
  options?: SseOptions<SseEvent | string>,
): Response;
export function sse<T>(
  request: Request,
  source: Source<T> | NamedSource<T>,
  options: SseOptions<T> = {},
): Response | Promise<Response> {
  return isNamed(source) ? namedSse(request, source, options) : plainSse(request, source, options);
}

function plainSse<T>(request: Request, source: Source<T>, options: SseOptions<T>): Response {
  assertSource(source);
  const asked = readLastEventId(request.headers);
  const { toEvent } = options;
  return makeReply(
    request,
    () => openSource(source, asked.kind === "id" ? asked.id : undefined),
    {
      contentType: EVENT_STREAM,
      farewell: openingOf(options),
      writer: {
        open: openingOf(options) + (options.first ?? []).map(encodeEvent).join(""),
        encode: toEvent === undefined ? encodeItem : (item: T) => encodeEvent(toEvent(item)),
        close: () => encodeEnd({ reason: "completed" }),
        fail: encodeFailure,
        ...heartbeatOf(options),
      },
    },
    options,
  );
}

function encodeItem(item: unknown): string {
  return encodeEvent(typeof item === "string" ? { data: item } : (item as SseEvent));
}

function namedSse<T>(request: Request, source: NamedSource<T>, options: SseOptions<T>): Promise<Response> {
  const { toEvent } = options;
  return namedEvents(request, source, options, {
    // The payload of a JSON stream is the JSON text already: the usual case neither parses nor writes it again.
    encodeItem: ({ offset, payload }) => {
      const event = toEvent === undefined ? { data: asText(payload) } : toEvent(fromPayload(payload) as T);
      return encodeEvent({ ...event, id: offset });
    },
    encodeEnd,
    encodeGap: (gap) => encodeEvent({ event: "gap", data: gap }),
    encodeFailure,
  });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of an item. An item of bytes is shown as its text, and is refused if it has none: an event cannot carry bytes. */
function asText(payload: Payload): string {
  if (typeof payload === "string") return payload;
  try {
    return utf8.decode(payload);
  } catch (cause) {
    throw new TailraceError(
      "encode_refused",
      "An item of bytes that are not UTF-8 cannot be an event; give `toEvent`.",
      { cause },
    );
  }
}

/** The end that a reader is told (PROTOCOL.md 1.5). */
export function encodeEnd(end: End, id?: string): string {
  if (end.reason === "completed" || end.reason === "stopped") return encodeEvent({ event: "end", id, data: end });
  const message = end.message ?? MESSAGES[end.reason];
  return encodeEvent({ event: "error", id, data: { reason: end.reason, code: "source_failed", message } });
}

const MESSAGES = {
  failed: "The stream failed before its end.",
  interrupted: "The stream was interrupted: the process that wrote it is gone.",
};

/** What a reader is told of a thrown error: its class, and nothing of its text. */
function encodeFailure(error: unknown): string {
  const code = isTailraceError(error) ? error.code : "source_failed";
  const isInterrupted = isTailraceError(error) && error.details["reason"] === "interrupted";
  const reason = isInterrupted ? "interrupted" : "failed";
  return encodeEvent({ event: "error", data: { reason, code, message: MESSAGES[reason] } });
}
