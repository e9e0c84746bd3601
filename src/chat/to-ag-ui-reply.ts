// Replies with an answer as AG-UI events, one per `data` line.

import { openSource, type Source } from "../bytes/source.ts";
import { isTailraceError } from "../errors.ts";
import { isNamed } from "../log/named.ts";
import { EVENT_STREAM } from "../reply/named-events.ts";
import { makeReply, type ReplyOptions } from "../reply/reply.ts";
import { encodeComment, encodeEvent } from "../wire/sse-encode.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { type AgUiEvent, type AgUiRun, AgUiWriter } from "./to-ag-ui.ts";

/** Options of {@link toAgUi}. */
export interface AgUiOptions extends ReplyOptions, AgUiRun {
  /** Silence after which a comment is sent, in milliseconds. @default 15000 */
  readonly heartbeatMs?: number | undefined;
}

/**
 * Replies with an answer as AG-UI 1.0. A whole answer ends with RUN_FINISHED, one that was stopped with RUN_FINISHED and the outcome
 * `cancelled`, and any other with RUN_ERROR. Named streams are told from their start, since AG-UI has no way to go on in the middle.
 */
export function toAgUi(request: Request, source: Source<UiChunk>, options: AgUiOptions): Response {
  const { threadId, runId, heartbeatMs = 15_000, status, headers, onError } = options;
  const writer = new AgUiWriter({ threadId, runId });
  const show = (events: readonly AgUiEvent[]): string => events.map((data) => encodeEvent({ data })).join("");
  return makeReply<UiChunk>(
    request,
    () => openSource<UiChunk>(source),
    {
      contentType: EVENT_STREAM,
      farewell: undefined,
      writer: {
        open: show(writer.start()),
        encode: (chunk) => show(writer.write(chunk)),
        // A run that ends without a finish was stopped, since one that fails throws; anything else was cut.
        close: () => show(isNamed(source) ? writer.cancel() : writer.fail("", "failed")),
        fail: (error) => {
          const isInterrupted = isTailraceError(error) && error.details["reason"] === "interrupted";
          return show(writer.fail("", isInterrupted ? "interrupted" : "failed"));
        },
        heartbeat: encodeComment("heartbeat"),
        heartbeatMs,
      },
    },
    { status, headers, onError },
  );
}
