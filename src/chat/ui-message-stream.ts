// The AI SDK's UI message stream, version 1: a named stream of chunks as its readers expect it, with ids for those who
// resume and always a terminal chunk.

import { namedEvents, type EventReplyOptions } from "../reply/named-events.ts";
import { TailraceError } from "../errors.ts";
import { isNamed, type NamedSource } from "../log/named.ts";
import { fromPayload } from "../log/payload.ts";
import type { Payload } from "../log/store.ts";
import type { End } from "../wire/format.ts";
import { encodeComment, encodeEvent } from "../wire/sse-encode.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { preludeEncoder, wantsPrelude, type ItemEncoder } from "./prelude-encode.ts";

/** Tells a client which version of the protocol this is. */
const VERSION_HEADER = "x-vercel-ai-ui-message-stream";

/** Options of {@link uiMessageStream}. */
export interface UiMessageStreamOptions extends EventReplyOptions {
  /**
   * Merge what was written before the reader came into few chunks, instead of replaying it token by token (PROTOCOL.md, section 7). The
   * message is the same. A reader that comes back with a `Last-Event-ID` gets the chunks it misses as they are. Default: if the request asks for it, by the header `tailrace-prelude: 1` or by `prelude=1` in its query.
   */
  readonly prelude?: boolean | undefined;
}

/**
 * Replies with a run of UI message chunks. Stock clients get the whole run; one that sends `Last-Event-ID` gets what is
 * missing. Each chunk has its offset as `id`, which stock clients pass over.
 *
 * A completed run has written its own `finish`. Any other end is told by a chunk made here: `abort` for a stopped run, `error`
 * (with `reason` `failed` or `interrupted` beside its text) for a broken one, since silence would look like success.
 */
export async function uiMessageStream(
  request: Request,
  source: NamedSource<UiChunk>,
  options: UiMessageStreamOptions = {},
): Promise<Response> {
  const { prelude = wantsPrelude(request), ...rest } = options;
  const headers = new Headers(rest.headers);
  headers.set(VERSION_HEADER, "v1");
  const merging = prelude ? await preludeEncoder(request, source) : undefined;
  if (merging !== undefined) headers.set("tailrace-prelude", "1");
  const encoder = merging ?? PLAIN;
  let last: Payload | undefined;
  return namedEvents(
    request,
    source,
    { ...rest, headers },
    {
      encodeItem: (item) => {
        last = item.payload;
        return encoder.item(item);
      },
      encodeEnd: (end, id) => encoder.rest() + encodeEnd(end, id, last),
      // A client that knows no such chunk would fail on an event: it gets the history from its start, and a remark.
      encodeGap: (gap) => encoder.rest() + encodeComment(`gap ${JSON.stringify(gap)}`),
      encodeFailure: () => encoder.rest() + encodeEnd({ reason: "failed" }),
    },
  );
}

/** Each chunk as it is. */
const PLAIN: ItemEncoder = {
  item: ({ offset, payload }) => encodeEvent({ id: offset, data: payload }),
  rest: () => "",
};

const DONE = encodeEvent({ data: "[DONE]" });

/** @param last the item before the end: an answer may have told of its failure itself, and once is enough */
function encodeEnd(end: End, id?: string, last?: Payload): string {
  const made = endChunk(end);
  const chunk = made === undefined || tellsEnd(last) ? undefined : made;
  if (chunk === undefined) return encodeEvent({ id, data: "[DONE]" });
  return encodeEvent({ id, data: chunk }) + DONE;
}

function tellsEnd(last: Payload | undefined): boolean {
  if (last === undefined) return false;
  const { type } = fromPayload(last) as UiChunk;
  return type === "error" || type === "abort";
}

const TEXTS = {
  failed: "The answer failed before its end.",
  interrupted: "The answer was interrupted: the server that wrote it went away.",
};

/** The terminal chunk of an answer that ended as `end`; none for a completed one, which has its own. */
export function endChunk(end: End): UiChunk | undefined {
  if (end.reason === "completed") return undefined;
  if (end.reason === "stopped") return { type: "abort", reason: "stopped" };
  return { type: "error", errorText: end.message ?? TEXTS[end.reason], reason: end.reason };
}

/**
 * The text of an answer, as it is written: for `text(request, …)`.
 *
 * @throws {TailraceError} as the run does when it fails; `source_failed` for an answer that was stopped, since text has no mark of its
 *   end but the end of the connection
 */
export async function* textOf(source: AsyncIterable<UiChunk>): AsyncGenerator<string, void, undefined> {
  let isFinished = false;
  for await (const chunk of source) {
    if (chunk.type === "text-delta") yield chunk.delta;
    else if (chunk.type === "error" || chunk.type === "abort") throw brokenOff();
    isFinished ||= chunk.type === "finish";
  }
  if (!isFinished && isNamed(source) && (await source.ended())?.reason === "stopped") throw brokenOff();
}

function brokenOff(): TailraceError {
  return new TailraceError("source_failed", "The answer was broken off before its end.");
}
