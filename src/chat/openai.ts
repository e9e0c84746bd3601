// OpenAI Chat Completions, streamed, as the parts of an answer: of OpenAI, and of the many that speak like it.

import type { FinishReason, TokenUsage, UiChunk } from "../wire/ui-chunks.ts";
import { cutError, modelError } from "./model-errors.ts";
import {
  asFields,
  asList,
  asNumber,
  asText,
  decodeUpstream,
  type EventCodec,
  type Fields,
  type Upstream,
} from "./upstream-events.ts";
import { createParts, usageChunk } from "./upstream-parts.ts";

/** What is read of a `chat.completion.chunk`; the official `openai` package's type fits. More is read where it is there. */
export interface ChatCompletionChunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string | null | undefined; readonly refusal?: string | null | undefined };
    readonly finish_reason?: string | null | undefined;
  }[];
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  length: "length",
  content_filter: "content-filter",
  tool_calls: "tool-calls",
  function_call: "tool-calls",
};

/**
 * The parts of the answer that `source` brings: text, reasoning (`reasoning_content` or `reasoning`), refusals as text, tool
 * calls, sources and usage. Only the first choice is read.
 *
 * @param source the stream of the `openai` client, or the raw server-sent events
 * @throws {TailraceError} `source_failed` if the stream ends without a finish reason: what was cut must not look whole;
 *   `upstream_failed` or `upstream_slow` with `details.kind` for an error in the stream or of the connection
 */
export function fromChatCompletions(source: Upstream<ChatCompletionChunk>): AsyncGenerator<UiChunk, void, undefined> {
  return decodeUpstream(source, createChatCodec);
}

function createChatCodec(out: UiChunk[]): EventCodec {
  const parts = createParts(out);
  const toolKeys = new Map<string, number>();
  let finish: string | undefined;
  let usage: TokenUsage | undefined;
  let lastTool = "0";

  /** Some reuse an index for the next call, or give none at all: an id that is new begins a call. */
  function toolKey(call: Fields): string {
    const id = asText(call["id"]);
    const index = asNumber(call["index"]);
    const base = index === undefined ? (id === "" ? lastTool : id) : String(index);
    const key = `${base}#${toolKeys.get(base) ?? 0}`;
    const known = parts.toolId(key);
    if (known === undefined || id === "" || id === known || asText(asFields(call["function"])["name"]) === "") {
      lastTool = base;
      return key;
    }
    parts.endTool(key);
    const next = (toolKeys.get(base) ?? 0) + 1;
    toolKeys.set(base, next);
    lastTool = base;
    return `${base}#${next}`;
  }

  function takeTool(call: Fields, key: string): void {
    parts.endAll();
    const target = call["function"] ?? call["custom"];
    const { name, arguments: input, input: text } = asFields(target);
    parts.tool(key, {
      id: asText(call["id"]),
      name: asText(name),
      input: asText(input) || asText(text),
      isText: call["custom"] !== undefined,
    });
  }

  function takeDelta(delta: Fields): void {
    const reasoning = asText(delta["reasoning_content"]) || asText(delta["reasoning"]);
    if (reasoning !== "") {
      parts.end("text");
      parts.add("reasoning", "reasoning", reasoning);
    }
    // A refusal is the answer's text: a reader must see it.
    const text = asText(delta["content"]) + asText(delta["refusal"]);
    if (text !== "") {
      parts.end("reasoning");
      parts.add("text", "text", text);
    }
    for (const call of asList(delta["tool_calls"])) takeTool(asFields(call), toolKey(asFields(call)));
    // What came before tool_calls; a few servers still speak it.
    const legacy = delta["function_call"];
    if (typeof legacy === "object" && legacy !== null) takeTool({ function: legacy }, "legacy");
    for (const annotation of asList(delta["annotations"])) {
      const { url, title } = asFields(asFields(annotation)["url_citation"]);
      parts.source(asText(url), asText(title));
    }
  }

  function end(): void {
    if (finish === undefined) throw cutError("a finish reason");
    parts.endAll();
    parts.endAllTools();
    if (usage !== undefined) out.push(usageChunk(usage));
    out.push({ type: "finish", finishReason: FINISH_REASONS[finish] ?? "other" });
  }

  return {
    take(event) {
      if (isError(event["error"])) throw modelError(event);
      if (typeof event["usage"] === "object" && event["usage"] !== null) usage = readUsage(asFields(event["usage"]));
      for (const url of asList(event["citations"])) parts.source(asText(url));
      // None in the last chunk, which carries the usage.
      const choice = asList(event["choices"])
        .map(asFields)
        .find((choice) => (choice["index"] ?? 0) === 0);
      if (choice === undefined) return false;
      takeDelta(asFields(choice["delta"]));
      if (choice["finish_reason"] === "error" || isError(choice["error"])) {
        throw modelError({ error: choice["error"] ?? choice["finish_reason"] });
      }
      finish = asText(choice["finish_reason"]) || finish;
      return false; // the usage comes behind the finish reason
    },
    end,
  };
}

function isError(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function readUsage(usage: Fields): TokenUsage {
  const inputTokens = asNumber(usage["prompt_tokens"]) ?? 0;
  const outputTokens = asNumber(usage["completion_tokens"]) ?? 0;
  return {
    inputTokens,
    outputTokens,
    totalTokens: asNumber(usage["total_tokens"]) ?? inputTokens + outputTokens,
    reasoningTokens: asNumber(asFields(usage["completion_tokens_details"])["reasoning_tokens"]),
    cachedInputTokens: asNumber(asFields(usage["prompt_tokens_details"])["cached_tokens"]),
  };
}
