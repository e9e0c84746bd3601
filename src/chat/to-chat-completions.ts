// The chunks of an answer as OpenAI Chat Completions: what each chunk adds, and how the answer ends.

import { TailraceError } from "../errors.ts";
import type { MessageChunk } from "../wire/ui-message.ts";

/** A piece of a tool call: the first has the id and the name, the others more of the arguments. */
export interface CompletionToolDelta {
  readonly index: number;
  readonly id?: string | undefined;
  readonly type?: "function" | undefined;
  readonly function: { readonly name?: string | undefined; readonly arguments: string };
}

/** What a chunk adds to the message. */
export interface CompletionDelta {
  readonly role?: "assistant" | undefined;
  readonly content?: string | undefined;
  /** Not OpenAI's own, but what most servers of this format send. */
  readonly reasoning_content?: string | undefined;
  readonly tool_calls?: readonly CompletionToolDelta[] | undefined;
}

/** Why a whole answer ended. */
export type CompletionFinish = "stop" | "length" | "content_filter" | "tool_calls";

/** Tokens, as OpenAI counts them. */
export interface CompletionUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number } | undefined;
  readonly completion_tokens_details?: { readonly reasoning_tokens: number } | undefined;
}

const FINISHES: Readonly<Record<string, CompletionFinish>> = {
  stop: "stop",
  length: "length",
  "content-filter": "content_filter",
  "tool-calls": "tool_calls",
  other: "stop",
};

interface ToolCall {
  readonly index: number;
  hasArguments: boolean;
}

/** Reads an answer's chunks in their order. */
export class CompletionReader {
  readonly #calls = new Map<string, ToolCall>();
  #hasContent = false;
  #finish: CompletionFinish | undefined;
  #usage: CompletionUsage | undefined;

  /** Why the answer ended; undefined until it has. */
  get finish(): CompletionFinish | undefined {
    return this.#finish;
  }

  /** What the answer has cost, as far as it was told. */
  get usage(): CompletionUsage | undefined {
    return this.#usage;
  }

  /**
   * What `chunk` adds; undefined for nothing.
   *
   * @throws {TailraceError} `source_failed` for a chunk that says that the answer failed or was stopped
   */
  read(chunk: MessageChunk): CompletionDelta | undefined {
    this.#readUsage(chunk["messageMetadata"]);
    switch (chunk["type"]) {
      case "text-delta":
        return this.#grow({ content: asText(chunk["delta"]) }, chunk["delta"]);
      case "reasoning-delta":
        return this.#grow({ reasoning_content: asText(chunk["delta"]) }, chunk["delta"]);
      case "tool-input-start":
        return this.#startCall(chunk, "");
      case "tool-input-delta":
        return this.#growCall(chunk);
      case "tool-input-available":
        return this.#finishCall(chunk);
      case "reset-step":
        if (!this.#hasContent) return undefined;
        // This format has no way to take words back.
        throw new TailraceError("source_failed", "The model began a step of its answer anew; ask again.");
      case "finish":
        this.#finish = this.#finishOf(chunk["finishReason"]);
        return undefined;
      case "abort":
        throw stopped();
      case "error":
        throw new TailraceError("source_failed", asText(chunk["errorText"]) || "The answer failed before its end.", {
          details: { isTold: true },
        });
      default:
        return undefined;
    }
  }

  #grow(delta: CompletionDelta, text: unknown): CompletionDelta | undefined {
    if (typeof text !== "string" || text === "") return undefined;
    this.#hasContent = true;
    return delta;
  }

  #startCall(chunk: MessageChunk, text: string): CompletionDelta | undefined {
    // A call that the provider runs itself is not for the reader to run.
    if (chunk["providerExecuted"] === true) return undefined;
    const id = asText(chunk["toolCallId"]);
    if (this.#calls.has(id)) return undefined;
    const index = this.#calls.size;
    this.#calls.set(id, { index, hasArguments: text !== "" });
    this.#hasContent = true;
    const called = { name: asText(chunk["toolName"]), arguments: text };
    return { tool_calls: [{ index, id, type: "function", function: called }] };
  }

  #growCall(chunk: MessageChunk): CompletionDelta | undefined {
    const call = this.#calls.get(asText(chunk["toolCallId"]));
    const text = asText(chunk["inputTextDelta"]);
    if (call === undefined || text === "") return undefined;
    call.hasArguments = true;
    return { tool_calls: [{ index: call.index, function: { arguments: text } }] };
  }

  /** The arguments of a call that came in one piece. */
  #finishCall(chunk: MessageChunk): CompletionDelta | undefined {
    const { input } = chunk as { readonly input?: unknown };
    const text = typeof input === "string" ? input : (JSON.stringify(input) ?? "{}");
    const call = this.#calls.get(asText(chunk["toolCallId"]));
    if (call === undefined) return this.#startCall(chunk, text);
    if (call.hasArguments) return undefined;
    call.hasArguments = true;
    return { tool_calls: [{ index: call.index, function: { arguments: text } }] };
  }

  #finishOf(reason: unknown): CompletionFinish {
    if (reason === "error" || reason === "interrupted") {
      throw new TailraceError("source_failed", "The model broke its answer off; ask again.");
    }
    if (reason === undefined) return this.#calls.size > 0 ? "tool_calls" : "stop";
    return FINISHES[asText(reason)] ?? "stop";
  }

  #readUsage(metadata: unknown): void {
    const usage = memberOf(metadata, "usage");
    if (usage === undefined) return;
    const count = (key: string): number => {
      const value = memberOf(usage, key);
      return typeof value === "number" ? value : 0;
    };
    const [input, output] = [count("inputTokens"), count("outputTokens")];
    const [cached, reasoning] = [count("cachedInputTokens"), count("reasoningTokens")];
    this.#usage = {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: count("totalTokens") || input + output,
      ...(cached > 0 ? { prompt_tokens_details: { cached_tokens: cached } } : {}),
      ...(reasoning > 0 ? { completion_tokens_details: { reasoning_tokens: reasoning } } : {}),
    };
  }
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

/** The error of an answer that ended without its finish. */
export function stopped(): TailraceError {
  return new TailraceError("source_failed", "The answer was stopped before its end.", {
    details: { isTold: true, reason: "stopped" },
  });
}
