// The course of an answer: one start, one finish at its very end, and no cut that looks like a finish.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { classifyModelError } from "./model-errors.ts";

/** How the chunks of an answer ended: with its finish, or with an `abort` of whoever made them. */
export type CourseEnd = "finished" | "aborted";

/**
 * The chunks of one answer. Calls of a model that follow each other in it may each bring a `start` and a `finish`: the answer has its
 * own `start`, and only the last `finish` ends it, or one made here if there is none. Metadata of the others is kept.
 *
 * An `error` or `abort` chunk is given, and nothing after it.
 *
 * @throws {TailraceError} `source_failed` behind an `error` chunk, and for a finish whose reason is `error`
 */
export async function* courseOf(chunks: AsyncIterable<UiChunk>): AsyncGenerator<UiChunk, CourseEnd, undefined> {
  let finish: Extract<UiChunk, { type: "finish" }> | undefined;
  for await (const chunk of chunks) {
    // Held until it is known to be the last: an answer that fails behind it has not finished. The end of its step may follow it.
    if (finish !== undefined && chunk.type !== "finish-step" && chunk.type !== "message-metadata") {
      yield* metadataOf(finish);
      finish = undefined;
    }
    switch (chunk.type) {
      case "start":
        yield* metadataOf(chunk);
        break;
      case "finish":
        finish = chunk;
        break;
      case "error":
        yield chunk;
        throw new TailraceError("source_failed", `The answer broke off: ${chunk.errorText}`);
      case "abort":
        yield chunk;
        return "aborted";
      default:
        yield chunk;
    }
  }
  if (finish?.finishReason === "error") {
    yield* metadataOf(finish);
    const details = { kind: "unknown", isTransient: true };
    throw new TailraceError("source_failed", "The model broke its answer off. Ask again.", { details });
  }
  yield finish ?? { type: "finish" };
  return "finished";
}

function* metadataOf({ messageMetadata }: { readonly messageMetadata?: unknown }): Generator<UiChunk, void, undefined> {
  if (messageMetadata !== undefined) yield { type: "message-metadata", messageMetadata };
}

/** The chunk that tells readers what class of error a model's was; undefined for any other error, which may say too much. */
export function errorChunk(error: unknown): UiChunk | undefined {
  if (!isTailraceError(error) || typeof error.details["kind"] !== "string") return undefined;
  const { message, retryAfterMs } = classifyModelError(error);
  const wait = retryAfterMs === undefined ? "" : ` It asks to wait ${Math.ceil(retryAfterMs / 1_000)} s.`;
  return { type: "error", errorText: message + wait, reason: "failed" };
}
