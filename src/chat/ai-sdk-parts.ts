// The parts that the AI SDK's `streamText` gives, each as the UI chunks that it stands for.

import type { TokenUsage, UiChunk } from "../wire/ui-chunks.ts";
import { modelError } from "./model-errors.ts";
import { asFields, asList, asNumber, asText, type Fields } from "./upstream-events.ts";
import { usageChunk } from "./upstream-parts.ts";

/** Fields that a chunk of a tool may have beside its own. */
const TOOL_FIELDS = ["providerExecuted", "providerMetadata", "toolMetadata", "dynamic", "title"];
const OUTPUT_FIELDS = TOOL_FIELDS.filter((name) => name !== "title");

/**
 * The chunks for one item of type `type`. One that is a UI chunk already is given back as it is.
 *
 * @throws {TailraceError} with `details.kind` for a part that holds an error
 */
export function chunksOfPart(type: string, part: Fields): readonly UiChunk[] {
  switch (type) {
    case "text-delta":
    case "reasoning-delta":
      if (typeof part["delta"] === "string") break;
      return [{ type, id: asText(part["id"]), delta: asText(part["text"]), ...pick(part, ["providerMetadata"]) }];
    case "tool-input-start":
    case "tool-input-delta":
      if (typeof part["toolCallId"] === "string") break;
      return [toolInput(type, part)];
    case "tool-call":
      return [toolCall(part)];
    case "tool-result":
      return [
        chunk({
          type: "tool-output-available",
          toolCallId: part["toolCallId"],
          output: part["output"] ?? null,
          ...pick(part, [...OUTPUT_FIELDS, "preliminary"]),
        }),
      ];
    case "tool-error":
      return [
        chunk({
          type: "tool-output-error",
          toolCallId: part["toolCallId"],
          errorText: "The tool failed.",
          ...pick(part, OUTPUT_FIELDS),
        }),
      ];
    case "tool-output-denied":
      return [chunk({ type, toolCallId: part["toolCallId"] })];
    case "tool-approval-request":
      if (typeof part["toolCallId"] === "string") break;
      return [approvalRequest(part)];
    case "tool-approval-response":
      return [
        chunk({ type, ...pick(part, ["approvalId", "approved", "reason", "providerExecuted", "providerMetadata"]) }),
      ];
    case "source":
      return [source(part)];
    case "file":
    case "reasoning-file": {
      if (typeof part["url"] === "string") break;
      const { mediaType, base64 } = asFields(part["file"]);
      const url = `data:${asText(mediaType)};base64,${asText(base64)}`;
      return [{ type, mediaType: asText(mediaType), url, ...pick(part, ["providerMetadata"]) }];
    }
    case "steering-message":
      if (Array.isArray(part["parts"])) break;
      return [{ type, id: asText(part["id"]), parts: steeringParts(asFields(part["message"])["content"]) }];
    case "start-step":
      return [{ type }]; // what was asked is in it, and not for readers
    case "finish-step":
      return [{ type }];
    case "finish":
      if (part["totalUsage"] === undefined) break;
      return [
        usageChunk(readUsage(asFields(part["totalUsage"]))),
        chunk({ type, ...pick(part, ["finishReason", "messageMetadata"]) }),
      ];
    case "error":
      if (typeof part["errorText"] === "string") break;
      throw modelError(part["error"]);
    case "tool-input-end":
    case "ping":
    case "raw":
      return [];
    default:
  }
  return [chunk(part)];
}

/** A record whose fields the caller has put together, or has been given as a chunk, is taken for one. */
function chunk(fields: Fields): UiChunk {
  return fields as UiChunk;
}

function pick(part: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(
    names.flatMap((name) => (part[name] === undefined || part[name] === null ? [] : [[name, part[name]]])),
  );
}

function toolInput(type: "tool-input-start" | "tool-input-delta", part: Fields): UiChunk {
  const toolCallId = asText(part["id"]);
  if (type === "tool-input-delta") return { type, toolCallId, inputTextDelta: asText(part["delta"]) };
  return chunk({ type, toolCallId, ...pick(part, ["toolName", "inputEncoding", ...TOOL_FIELDS]) });
}

function toolCall(part: Fields): UiChunk {
  const { toolCallId, toolName, input } = part;
  const fields = { toolCallId, toolName, input, ...pick(part, TOOL_FIELDS) };
  if (part["invalid"] !== true) return chunk({ type: "tool-input-available", ...fields });
  return chunk({ type: "tool-input-error", ...fields, errorText: "The model's input for the tool is not valid." });
}

function approvalRequest(part: Fields): UiChunk {
  return chunk({
    type: "tool-approval-request",
    approvalId: part["approvalId"],
    toolCallId: asFields(part["toolCall"])["toolCallId"],
    ...pick(part, ["approvalDescriptor", "reason", "isAutomatic", "signature"]),
  });
}

function source(part: Fields): UiChunk {
  const sourceId = asText(part["id"]);
  if (part["sourceType"] === "url") {
    return chunk({ type: "source-url", sourceId, ...pick(part, ["url", "title", "providerMetadata"]) });
  }
  return chunk({
    type: "source-document",
    sourceId,
    ...pick(part, ["mediaType", "title", "filename", "providerMetadata"]),
  });
}

/** The texts of a message that was put in; what is no text is left out. */
function steeringParts(content: unknown): readonly { readonly type: "text"; readonly text: string }[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return asList(content)
    .map(asFields)
    .flatMap(({ type, text }) => (type === "text" ? [{ type: "text" as const, text: asText(text) }] : []));
}

function readUsage(usage: Fields): TokenUsage {
  const inputTokens = asNumber(usage["inputTokens"]) ?? 0;
  const outputTokens = asNumber(usage["outputTokens"]) ?? 0;
  const { reasoningTokens } = asFields(usage["outputTokenDetails"]);
  const { cacheReadTokens } = asFields(usage["inputTokenDetails"]);
  return {
    inputTokens,
    outputTokens,
    totalTokens: asNumber(usage["totalTokens"]) ?? inputTokens + outputTokens,
    reasoningTokens: asNumber(reasoningTokens) ?? asNumber(usage["reasoningTokens"]),
    cachedInputTokens: asNumber(cacheReadTokens) ?? asNumber(usage["cachedInputTokens"]),
  };
}
