// OpenAI Responses, streamed, as the parts of an answer.

import type { ProviderMetadata, TokenUsage, UiChunk } from "../wire/ui-chunks.ts";
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
import { createParts, usageChunk, type Parts } from "./upstream-parts.ts";

/** What is read of an event of the Responses API; the official `openai` package's type fits. More is read where it is there. */
export interface ResponsesEvent {
  readonly type: string;
}

/** Tools that the provider runs: their calls and outputs come as items of the response. `mcp_call` streams its input. */
const PROVIDER_TOOLS: ReadonlySet<string> = new Set(["web_search_call", "file_search_call", "code_interpreter_call"]);

/**
 * The parts of the answer that `source` brings: text, refusals as text, reasoning and its summaries, function and custom tool
 * calls, calls of the provider's own tools, images, sources and usage. Types of events that are not known are passed over; the
 * order is that of the stream, whatever `sequence_number` says.
 *
 * @param source the stream of the `openai` client, or the raw server-sent events
 * @throws {TailraceError} `source_failed` if the stream ends before `response.completed` or `response.incomplete`;
 *   `upstream_failed` or `upstream_slow` with `details.kind` for `response.failed`, `error` and errors of the connection
 */
export function fromResponses(source: Upstream<ResponsesEvent>): AsyncGenerator<UiChunk, void, undefined> {
  return decodeUpstream(source, createResponsesCodec);
}

/** The item that an event is about: its place in the output where there is one, as not every item has an id. */
function itemKey(event: Fields): string {
  const { output_index: index, item_id: id, item } = event;
  return `${typeof index === "number" ? index : asText(id) || asText(asFields(item)["id"])}:`;
}

function createResponsesCodec(out: UiChunk[]): EventCodec {
  const parts = createParts(out);
  /** Keys of parts whose text has come in deltas, so that the whole text behind them is not told again. */
  const told = new Set<string>();
  let hasToolCalls = false;

  function addText(event: Fields, kind: "text" | "reasoning", mark: string, place: string): void {
    const key = `${itemKey(event)}${mark}${asNumber(event[place]) ?? 0}`;
    told.add(key);
    parts.add(kind, key, asText(event["delta"]));
  }

  function wholeText(event: Fields, kind: "text" | "reasoning", mark: string, place: string, field: string): void {
    const key = `${itemKey(event)}${mark}${asNumber(event[place]) ?? 0}`;
    if (told.has(key)) return;
    told.add(key);
    parts.add(kind, key, asText(event[field]));
  }

  function takeItem(event: Fields, isDone: boolean): void {
    const key = itemKey(event);
    const item = asFields(event["item"]);
    const type = asText(item["type"]);
    if (type === "function_call" || type === "custom_tool_call") {
      hasToolCalls = true;
      const isText = type === "custom_tool_call";
      // The pieces of the input come between the item's two events; here it would be told twice.
      if (parts.toolId(key) === undefined && !told.has(key)) {
        parts.tool(key, { id: asText(item["call_id"]), name: asText(item["name"]), isText });
        told.add(key);
      }
      if (isDone) parts.endTool(key, asText(isText ? item["input"] : item["arguments"]));
    } else if (type === "mcp_call") {
      takeMcpCall(parts, out, key, item, isDone);
    } else if (isDone && PROVIDER_TOOLS.has(type)) {
      takeProviderTool(out, type, item);
    } else if (isDone && type === "image_generation_call" && asText(item["result"]) !== "") {
      const mediaType = `image/${asText(item["output_format"]) || "png"}`;
      out.push({ type: "file", mediaType, url: `data:${mediaType};base64,${asText(item["result"])}` });
    } else if (isDone && type === "reasoning") {
      endReasoning(key, item);
    } else if (isDone && type === "message") {
      asList(item["content"])
        .map(asFields)
        .forEach((content, index) => {
          const mark = content["type"] === "refusal" ? "r" : "t";
          const text = content["text"] ?? content["refusal"];
          wholeText({ ...event, content_index: index, text }, "text", mark, "content_index", "text");
        });
      parts.endAll(key);
    }
  }

  /** What a later request needs to go on from this reasoning stands at its end. */
  function endReasoning(key: string, item: Fields): void {
    const encrypted = asText(item["encrypted_content"]);
    const metadata: ProviderMetadata = {
      openai: {
        itemId: asText(item["id"]),
        ...(encrypted === "" ? {} : { reasoningEncryptedContent: encrypted }),
      },
    };
    asList(item["summary"]).forEach((summary, index) =>
      wholeText(
        { ...event(key), summary_index: index, text: asFields(summary)["text"] },
        "reasoning",
        "s",
        "summary_index",
        "text",
      ),
    );
    if (parts.endAll(key, metadata) > 0 || encrypted === "") return;
    parts.start("reasoning", key);
    parts.end(key, metadata);
  }

  function annotate(annotation: Fields): void {
    const { type, url, title, file_id: fileId, filename } = annotation;
    if (type === "url_citation") return parts.source(asText(url), asText(title));
    const id = asText(fileId);
    if (id === "") return;
    const name = asText(filename);
    parts.document(id, name || id, {
      mediaType: "text/plain",
      ...(name === "" ? {} : { filename: name }),
      providerMetadata: { openai: { type: asText(type), fileId: id } },
    });
  }

  function finish(event: Fields): true {
    const response = asFields(event["response"]);
    parts.endAll();
    parts.endAllTools();
    const usage = response["usage"];
    if (typeof usage === "object" && usage !== null) out.push(usageChunk(readUsage(usage as Fields)));
    const reason = asFields(response["incomplete_details"])["reason"];
    if (event["type"] === "response.incomplete") {
      const finishReason =
        reason === "max_output_tokens" ? "length" : reason === "content_filter" ? "content-filter" : "other";
      out.push({ type: "finish", finishReason });
    } else {
      out.push({ type: "finish", finishReason: hasToolCalls ? "tool-calls" : "stop" });
    }
    return true;
  }

  return {
    take(event) {
      switch (event["type"]) {
        case "response.output_item.added":
          takeItem(event, false);
          return false;
        case "response.output_item.done":
          takeItem(event, true);
          return false;
        case "response.output_text.delta":
          addText(event, "text", "t", "content_index");
          return false;
        case "response.output_text.done":
          wholeText(event, "text", "t", "content_index", "text");
          return false;
        case "response.refusal.delta":
          addText(event, "text", "r", "content_index");
          return false;
        case "response.refusal.done":
          wholeText(event, "text", "r", "content_index", "refusal");
          return false;
        case "response.reasoning_summary_text.delta":
          addText(event, "reasoning", "s", "summary_index");
          return false;
        case "response.reasoning_summary_text.done":
          wholeText(event, "reasoning", "s", "summary_index", "text");
          return false;
        case "response.reasoning_text.delta":
          addText(event, "reasoning", "c", "content_index");
          return false;
        case "response.reasoning_text.done":
          wholeText(event, "reasoning", "c", "content_index", "text");
          return false;
        case "response.function_call_arguments.delta":
        case "response.custom_tool_call_input.delta":
        case "response.mcp_call_arguments.delta":
          if (parts.toolId(itemKey(event)) !== undefined) parts.tool(itemKey(event), { input: asText(event["delta"]) });
          return false;
        case "response.function_call_arguments.done":
        case "response.mcp_call_arguments.done":
          parts.endTool(itemKey(event), asText(event["arguments"]));
          return false;
        case "response.custom_tool_call_input.done":
          parts.endTool(itemKey(event), asText(event["input"]));
          return false;
        case "response.output_text.annotation.added":
          annotate(asFields(event["annotation"]));
          return false;
        case "response.completed":
        case "response.incomplete":
          return finish(event);
        case "response.failed":
        case "response.cancelled":
          throw modelError(asFields(event["response"])["error"] ?? event);
        case "error":
          throw modelError(event);
        default:
          if (event["type"] === undefined && event["error"] !== undefined) throw modelError(event);
          return false;
      }
    },
    end() {
      throw cutError("response.completed");
    },
  };
}

/** An event as {@link itemKey} reads it, for a key that was made by it. */
function event(key: string): Fields {
  return { item_id: key.slice(0, -1) };
}

function takeMcpCall(parts: Parts, out: UiChunk[], key: string, item: Fields, isDone: boolean): void {
  const toolCallId = asText(item["id"]);
  const flags = { providerExecuted: true, dynamic: true } as const;
  if (!isDone) return parts.tool(key, { id: toolCallId, name: asText(item["name"]), ...flags });
  parts.endTool(key, asText(item["arguments"]));
  const { error, output } = item;
  if (error === undefined || error === null)
    out.push({ type: "tool-output-available", toolCallId, output: output ?? null, ...flags });
  else out.push({ type: "tool-output-error", toolCallId, errorText: "The tool failed.", ...flags });
}

function takeProviderTool(out: UiChunk[], type: string, item: Fields): void {
  const { type: _type, id, status, ...rest } = item;
  const toolCallId = asText(id);
  const toolName = type.slice(0, -"_call".length);
  const { results, outputs, ...input } = rest;
  out.push({ type: "tool-input-available", toolCallId, toolName, input, providerExecuted: true });
  if (status === "failed") {
    out.push({ type: "tool-output-error", toolCallId, errorText: "The tool failed.", providerExecuted: true });
  } else {
    const output = results ?? outputs ?? { status: asText(status) };
    out.push({ type: "tool-output-available", toolCallId, output, providerExecuted: true });
  }
}

function readUsage(usage: Fields): TokenUsage {
  const inputTokens = asNumber(usage["input_tokens"]) ?? 0;
  const outputTokens = asNumber(usage["output_tokens"]) ?? 0;
  return {
    inputTokens,
    outputTokens,
    totalTokens: asNumber(usage["total_tokens"]) ?? inputTokens + outputTokens,
    reasoningTokens: asNumber(asFields(usage["output_tokens_details"])["reasoning_tokens"]),
    cachedInputTokens: asNumber(asFields(usage["input_tokens_details"])["cached_tokens"]),
  };
}
