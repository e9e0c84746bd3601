// The AI SDK's own streams as the parts of an answer: UI chunks unchanged, and the parts of `streamText`.

import { TailraceError } from "../errors.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { chunksOfPart } from "./ai-sdk-parts.ts";
import { cutError } from "./model-errors.ts";
import { decodeUpstream, type EventCodec, type Upstream } from "./upstream-events.ts";

/** A result of `streamText`, by its shape: `stream` of `ai` 7, `fullStream` of those before, or a stream of UI chunks. */
export type AiSdkResult =
  | { readonly stream: AsyncIterable<unknown> | ReadableStream<unknown> }
  | { readonly fullStream: AsyncIterable<unknown> | ReadableStream<unknown> }
  | { toUIMessageStream(): AsyncIterable<unknown> | ReadableStream<unknown> };

/**
 * The parts of the answer that the AI SDK brings. UI chunks pass unchanged, those of unknown types too; the parts of `streamText`
 * become UI chunks, its usage with them. What a tool threw is not told to the reader; its words may be secret.
 *
 * @param source a result of `streamText`, a stream of its parts or of UI chunks, or a UI message stream as raw server-sent events
 * @throws {TailraceError} `source_failed` for an item without a type, and for a stream that ends without `finish`, `abort` or
 *   `error`; `upstream_failed` or `upstream_slow` with `details.kind` for an error that `streamText` met
 */
export function fromAiSdk(source: AiSdkResult | Upstream<unknown>): AsyncGenerator<UiChunk, void, undefined> {
  return decodeUpstream(streamOf(source), createAiSdkCodec);
}

/** Each property of a result is a branch of one stream: only one of them is touched. */
function streamOf(source: AiSdkResult | Upstream<unknown>): Upstream<unknown> {
  if (source instanceof Response || "getReader" in source || Symbol.asyncIterator in source) {
    return source as Upstream<unknown>;
  }
  if ("stream" in source) return source.stream;
  if ("fullStream" in source) return source.fullStream;
  if ("toUIMessageStream" in source) return source.toUIMessageStream();
  throw new TailraceError("source_invalid", "This is neither a stream nor a result of streamText.");
}

function createAiSdkCodec(out: UiChunk[]): EventCodec {
  let isComplete = false;
  return {
    take(event) {
      const { type } = event;
      if (typeof type !== "string" || type === "") {
        throw new TailraceError("source_failed", "The AI SDK's stream holds an item without a type.");
      }
      for (const chunk of chunksOfPart(type, event)) out.push(chunk);
      isComplete ||= type === "finish" || type === "abort" || type === "error";
      return false; // chunks behind a terminal are the stream's own affair
    },
    end() {
      if (!isComplete) throw cutError("a finish, abort or error chunk");
    },
  };
}
