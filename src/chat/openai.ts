// OpenAI Chat Completions, streamed, as the parts of an answer.

import { TailraceError } from "../errors.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";

/** What is read of a `chat.completion.chunk`; the official `openai` package's type fits. */
export interface ChatCompletionChunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string | null | undefined; readonly refusal?: string | null | undefined };
    readonly finish_reason?: string | null | undefined;
  }[];
}

const FINISH_REASONS: Readonly<Record<string, string>> = {
  stop: "stop",
  length: "length",
  content_filter: "content-filter",
  tool_calls: "tool-calls",
};

/**
 * The parts of the answer that `stream` brings.
 *
 * @throws {TailraceError} `source_failed` if the stream ends without a finish reason: what was cut must not look whole
 */
export async function* fromChatCompletions(
  stream: AsyncIterable<ChatCompletionChunk>,
): AsyncGenerator<UiChunk, void, undefined> {
  const id = "text-1";
  let isOpen = false;
  let finish: string | undefined;
  for await (const { choices } of stream) {
    const choice = choices[0]; // none in the last chunk, which carries the usage
    if (choice === undefined) continue;
    // A refusal is the answer's text: a reader must see it.
    const delta = (choice.delta.content ?? "") + (choice.delta.refusal ?? "");
    if (delta !== "") {
      if (!isOpen) yield { type: "text-start", id };
      isOpen = true;
      yield { type: "text-delta", id, delta };
    }
    finish = choice.finish_reason ?? finish;
  }
  if (finish === undefined)
    throw new TailraceError("source_failed", "The model's answer was cut: it ended without a finish reason.");
  if (isOpen) yield { type: "text-end", id };
  yield { type: "finish", finishReason: FINISH_REASONS[finish] ?? "other" };
}
