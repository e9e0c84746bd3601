// The reply that follows a named stream as server-sent events, whatever vocabulary its events have: resume by
// Last-Event-ID, replay and live marks, gap, end.

import type { Pull } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { readLastEventId } from "../http/last-event-id.ts";
import { problem } from "../http/problem.ts";
import type { FollowEvent, FollowPull, Gap, OpenFollow } from "../log/follow.ts";
import type { NamedSource } from "../log/named.ts";
import { endCursor } from "../log/offset.ts";
import type { StoredItem } from "../log/store.ts";
import type { End } from "../wire/format.ts";
import { encodeComment, encodeEvent, type SseEvent } from "../wire/sse-encode.ts";
import { makeReply, type ReplyOptions } from "./reply.ts";

export const EVENT_STREAM = "text/event-stream; charset=utf-8";

/** Options of every reply of server-sent events. */
export interface EventReplyOptions extends ReplyOptions {
  /** Silence after which a heartbeat is sent, in milliseconds. Default 15,000: proxies give up at 30,000 or 60,000. */
  readonly heartbeatMs?: number | undefined;
  /** Send heartbeats as an event named `heartbeat` instead of a comment, for clients that do not see comments. */
  readonly heartbeatEvent?: boolean | undefined;
  /** How long the reader waits before it comes back, in milliseconds. Default 1,000. */
  readonly retryMs?: number | undefined;
  /** Events sent before the first item, without an id. */
  readonly first?: readonly SseEvent[] | undefined;
}

/** How the things a follower meets are written. */
export interface EventVocabulary {
  encodeItem(item: StoredItem): string;
  encodeEnd(end: End, id: string): string;
  encodeGap(gap: Gap): string;
  encodeFailure(error: unknown): string;
}

export async function namedEvents(
  request: Request,
  source: NamedSource<unknown>,
  options: EventReplyOptions,
  vocabulary: EventVocabulary,
): Promise<Response> {
  let opened: OpenFollow;
  try {
    opened = await open(request, source);
  } catch (error) {
    if (!isTailraceError(error)) throw error;
    if (error.status >= 500) options.onError?.(error);
    return problem(error);
  }
  if (opened.isComplete) return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });

  let pull: FollowPull | undefined;
  const opening = [
    openingOf(options, opened.start),
    ...(options.first ?? []).map(encodeEvent),
    opened.hasReplay ? encodeComment("replay") : "",
  ];
  const response = makeReply(
    request,
    (): Pull<FollowEvent> => (pull = opened.pull()),
    {
      contentType: EVENT_STREAM,
      farewell: openingOf(options),
      writer: {
        open: opening.join(""),
        encode: (event) => encodeFollowed(event, vocabulary),
        // Without an end the follower was closed, and nobody reads on.
        close: () => (pull?.end === undefined ? "" : vocabulary.encodeEnd(pull.end, endCursor(pull.cursor))),
        fail: (error) => vocabulary.encodeFailure(error),
        ...heartbeatOf(options),
      },
    },
    options,
  );
  return response;
}

async function open(request: Request, source: NamedSource<unknown>): Promise<OpenFollow> {
  const asked = readLastEventId(request.headers);
  if (asked.kind === "none") return source.open();
  if (asked.kind === "malformed") {
    const message =
      "The Last-Event-ID is not text in UTF-8; send the last id that you received, or none to start anew.";
    throw new TailraceError("cursor_invalid", message);
  }
  return source.open({ after: asked.id, last: undefined });
}

function encodeFollowed(event: FollowEvent, vocabulary: EventVocabulary): string {
  if (event.kind === "item") return vocabulary.encodeItem(event.item);
  return event.kind === "live" ? encodeComment("live") : vocabulary.encodeGap(event.gap);
}

/** The first block of a reply (PROTOCOL.md 1.2): it makes the headers leave, and gives even a first reader a place to come back to. */
export function openingOf(options: EventReplyOptions, id?: string): string {
  return encodeEvent({ retry: options.retryMs ?? 1_000, id });
}

export function heartbeatOf(options: EventReplyOptions): { heartbeat: string; heartbeatMs: number } {
  const heartbeat =
    options.heartbeatEvent === true ? encodeEvent({ event: "heartbeat", data: {} }) : encodeComment("heartbeat");
  return { heartbeat, heartbeatMs: options.heartbeatMs ?? 15_000 };
}
