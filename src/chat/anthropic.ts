// Anthropic Messages, streamed, as the parts of an answer.

import type { FinishReason, ProviderMetadata, TokenUsage, UiChunk } from "../wire/ui-chunks.ts";
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

/** What is read of an event of a message stream; the official `@anthropic-ai/sdk` package's type fits. More is read where it is there. */
export interface AnthropicEvent {
  readonly type: string;
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  refusal: "content-filter",
};

/**
 * The parts of the answer that `source` brings: text, thinking (its signature in the `providerMetadata` of the part's end),
 * tool calls, calls of Anthropic's own tools and their results, citations as sources, and usage. Types of events and blocks
 * that are not known are passed over, as the protocol asks.
 *
 * @param source the stream of the `@anthropic-ai/sdk` client, or the raw server-sent events
 * @throws {TailraceError} `source_failed` if the stream ends before `message_stop`; `upstream_failed` or `upstream_slow` with
 *   `details.kind` for an `error` event (`overloaded_error` and the like) or an error of the connection
 */
export function fromAnthropic(source: Upstream<AnthropicEvent>): AsyncGenerator<UiChunk, void, undefined> {
  return decodeUpstream(source, createAnthropicCodec);
}

function createAnthropicCodec(out: UiChunk[]): EventCodec {
  const parts = createParts(out);
  const signatures = new Map<string, string>();
  let usage: Fields = {};
  let stopReason = "";

  function startBlock(key: string, block: Fields): void {
    const type = asText(block["type"]);
    const isTool = type === "tool_use" || type === "server_tool_use" || type === "mcp_tool_use";
    if (type === "text") {
      parts.start("text", key);
      parts.add("text", key, asText(block["text"]));
      for (const citation of asList(block["citations"])) cite(asFields(citation));
    } else if (type === "thinking") {
      parts.start("reasoning", key);
      parts.add("reasoning", key, asText(block["thinking"]));
      if (asText(block["signature"]) !== "") signatures.set(key, asText(block["signature"]));
    } else if (type === "redacted_thinking") {
      parts.start("reasoning", key, { anthropic: { redactedData: asText(block["data"]) } });
    } else if (isTool) {
      const providerExecuted = type !== "tool_use";
      const dynamic = type === "mcp_tool_use";
      // The input is an empty object here, and comes in pieces behind it. A server that gives it whole gives no pieces.
      const whole = Object.keys(asFields(block["input"])).length > 0 ? JSON.stringify(block["input"]) : "";
      parts.tool(key, {
        id: asText(block["id"]),
        name: asText(block["name"]),
        input: whole,
        providerExecuted,
        dynamic,
      });
    } else if (type.endsWith("_tool_result")) {
      takeResult(block, type === "mcp_tool_result");
    }
  }

  function takeResult(block: Fields, dynamic: boolean): void {
    const toolCallId = asText(block["tool_use_id"]);
    const { content } = block;
    const flags = { providerExecuted: true, ...(dynamic ? { dynamic } : {}) };
    if (block["is_error"] === true || asText(asFields(content)["type"]).endsWith("_error")) {
      out.push({ type: "tool-output-error", toolCallId, errorText: "The tool failed.", ...flags });
      return;
    }
    out.push({ type: "tool-output-available", toolCallId, output: content ?? null, ...flags });
    for (const result of asList(content).map(asFields)) {
      if (result["type"] === "web_search_result") parts.source(asText(result["url"]), asText(result["title"]));
    }
  }

  function cite(citation: Fields): void {
    const { url, source, title, document_title: documentTitle, document_index: index, cited_text: text } = citation;
    const providerMetadata: ProviderMetadata = {
      anthropic: { type: asText(citation["type"]), citedText: asText(text) },
    };
    const address = asText(url) || asText(source);
    if (/^https?:/i.test(address)) return parts.source(address, asText(title), providerMetadata);
    const name = asText(documentTitle) || asText(title) || address;
    const place = asNumber(index) ?? 0;
    parts.document(`${place}:${name}`, name || `Document ${place + 1}`, {
      mediaType: citation["type"] === "page_location" ? "application/pdf" : "text/plain",
      providerMetadata,
    });
  }

  function growBlock(key: string, delta: Fields): void {
    switch (delta["type"]) {
      case "text_delta":
        parts.add("text", key, asText(delta["text"]));
        break;
      case "thinking_delta":
        parts.add("reasoning", key, asText(delta["thinking"]));
        break;
      case "signature_delta":
        signatures.set(key, (signatures.get(key) ?? "") + asText(delta["signature"]));
        break;
      case "input_json_delta":
        if (parts.toolId(key) !== undefined) parts.tool(key, { input: asText(delta["partial_json"]) });
        break;
      case "citations_delta":
        cite(asFields(delta["citation"]));
        break;
      default: // a kind that is newer than this
    }
  }

  function endBlock(key: string): void {
    const signature = signatures.get(key);
    signatures.delete(key);
    parts.end(key, signature === undefined ? undefined : { anthropic: { signature } });
    parts.endTool(key);
  }

  /** Each report holds all that was used so far; what it leaves out stands as it was. */
  function addUsage(added: unknown): void {
    const known = Object.entries(asFields(added)).filter(([, value]) => value !== null && value !== undefined);
    usage = { ...usage, ...Object.fromEntries(known) };
  }

  return {
    take(event) {
      const key = String(asNumber(event["index"]) ?? "");
      switch (event["type"]) {
        case "message_start":
          addUsage(asFields(event["message"])["usage"]);
          return false;
        case "content_block_start":
          startBlock(key, asFields(event["content_block"]));
          return false;
        case "content_block_delta":
          growBlock(key, asFields(event["delta"]));
          return false;
        case "content_block_stop":
          endBlock(key);
          return false;
        case "message_delta":
          addUsage(event["usage"]);
          stopReason = asText(asFields(event["delta"])["stop_reason"]) || stopReason;
          return false;
        case "message_stop":
          parts.endAll();
          parts.endAllTools();
          if (asNumber(usage["output_tokens"]) !== undefined) out.push(usageChunk(readUsage(usage)));
          out.push({ type: "finish", finishReason: FINISH_REASONS[stopReason] ?? "other" });
          return true;
        case "error":
          throw modelError(event);
        default:
          return false;
      }
    },
    end() {
      throw cutError("message_stop");
    },
  };
}

/** Anthropic counts tokens from and into the cache beside the others; here they are part of the input. */
function readUsage(usage: Fields): TokenUsage {
  const cachedInputTokens = asNumber(usage["cache_read_input_tokens"]);
  const inputTokens =
    (asNumber(usage["input_tokens"]) ?? 0) +
    (cachedInputTokens ?? 0) +
    (asNumber(usage["cache_creation_input_tokens"]) ?? 0);
  const outputTokens = asNumber(usage["output_tokens"]) ?? 0;
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    reasoningTokens: asNumber(asFields(usage["output_tokens_details"])["thinking_tokens"]),
    cachedInputTokens,
  };
}
