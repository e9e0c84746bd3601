// AG-UI 1.0 events as the parts of an answer.

import type { TokenUsage, UiChunk } from "../wire/ui-chunks.ts";
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

/** What is read of an AG-UI event; the types of `@ag-ui/core` fit. More is read where it is there. */
export interface AgUiEvent {
  readonly type: string;
}

/** Names that a custom event may have to become the name of a data part. */
const DATA_NAME = /^[\w.:-]{1,100}$/;

/**
 * The parts of the answer that an agent's events bring. State, activities, messages, sub-agents and custom events become data
 * parts: `data-state` (a snapshot, in place of the last), `data-state-delta` (a JSON Patch, one part each), `data-messages`,
 * `data-activity`, `data-activity-delta`, `data-subagent`, `data-raw`, and `data-NAME` for the custom event NAME. Types that are
 * not known are passed over.
 *
 * @param source an iterable or stream of events, or the raw server-sent events
 * @throws {TailraceError} `source_failed` if the stream ends without `RUN_FINISHED`; `upstream_failed` or `upstream_slow` with
 *   `details.kind` for `RUN_ERROR` and errors of the connection
 */
export function fromAgUi(source: Upstream<AgUiEvent>): AsyncGenerator<UiChunk, void, undefined> {
  return decodeUpstream(source, createAgUiCodec);
}

function createAgUiCodec(out: UiChunk[]): EventCodec {
  const parts = createParts(out);
  let hasToolCalls = false;
  /** What a chunk without an id goes on with. */
  let lastText = "";
  let lastReasoning = "";
  let lastTool = "";

  function data(name: string, value: unknown, id?: string): void {
    out.push({ type: `data-${name}`, ...(id === undefined ? {} : { id }), data: value });
  }

  function tool(event: Fields, input: string): void {
    const id = asText(event["toolCallId"]) || lastTool;
    // A chunk of another call ends the one before.
    if (event["type"] === "TOOL_CALL_CHUNK" && id !== lastTool) parts.endTool(lastTool);
    lastTool = id;
    hasToolCalls = true;
    parts.tool(id, { id, name: asText(event["toolCallName"]), input });
  }

  function finish(event: Fields): true {
    parts.endAll();
    parts.endAllTools();
    const usage = asList(event["usage"]).map(asFields);
    if (usage.length > 0) out.push(usageChunk(sumUsage(usage)));
    const outcome = asFields(event["outcome"])["type"];
    if (outcome === "cancelled" || outcome === "cancel") out.push({ type: "abort", reason: "cancelled" });
    else if (outcome === "interrupt") out.push({ type: "finish", finishReason: "interrupted" });
    else out.push({ type: "finish", finishReason: hasToolCalls && lastText === "" ? "tool-calls" : "stop" });
    return true;
  }

  function takeText(event: Fields): void {
    const id = asText(event["messageId"]) || lastText;
    const key = `text:${id}`;
    switch (event["type"]) {
      case "TEXT_MESSAGE_START":
        parts.start("text", key);
        break;
      case "TEXT_MESSAGE_END":
        parts.end(key);
        break;
      default:
        // A chunk of another message ends the one before.
        if (event["type"] === "TEXT_MESSAGE_CHUNK" && id !== lastText) parts.end(`text:${lastText}`);
        parts.add("text", key, asText(event["delta"]));
    }
    lastText = id;
  }

  function takeReasoning(event: Fields): void {
    const id = asText(event["messageId"]) || lastReasoning;
    const key = `reasoning:${id}`;
    switch (event["type"]) {
      case "REASONING_MESSAGE_START":
        parts.start("reasoning", key);
        break;
      case "REASONING_MESSAGE_END":
      case "REASONING_END":
        parts.end(key);
        break;
      case "REASONING_ENCRYPTED_VALUE":
        out.push({
          type: "custom",
          kind: "ag-ui.reasoning-encrypted-value",
          providerMetadata: {
            "ag-ui": {
              subtype: asText(event["subtype"]),
              entityId: asText(event["entityId"]),
              encryptedValue: asText(event["encryptedValue"]),
            },
          },
        });
        return;
      case "REASONING_MESSAGE_CHUNK":
        if (id !== lastReasoning) parts.end(`reasoning:${lastReasoning}`);
        parts.add("reasoning", key, asText(event["delta"]));
        break;
      case "REASONING_MESSAGE_CONTENT":
        parts.add("reasoning", key, asText(event["delta"]));
        break;
      default: // REASONING_START only announces its messages
    }
    lastReasoning = id;
  }

  function takeTool(event: Fields): void {
    switch (event["type"]) {
      case "TOOL_CALL_END":
        parts.endTool(asText(event["toolCallId"]));
        break;
      case "TOOL_CALL_RESULT": {
        const toolCallId = asText(event["toolCallId"]);
        parts.endTool(toolCallId);
        out.push({ type: "tool-output-available", toolCallId, output: event["content"] ?? null });
        break;
      }
      default:
        tool(event, asText(event["delta"]));
    }
  }

  function takeData(event: Fields): void {
    const { type, messageId, activityType } = event;
    switch (type) {
      case "STATE_SNAPSHOT":
        return data("state", event["snapshot"] ?? null, "state");
      case "STATE_DELTA":
        return data("state-delta", asList(event["delta"]));
      case "MESSAGES_SNAPSHOT":
        return data("messages", asList(event["messages"]), "messages");
      case "ACTIVITY_SNAPSHOT":
        return data("activity", { activityType, content: event["content"] }, asText(messageId));
      case "ACTIVITY_DELTA":
        return data("activity-delta", { messageId, activityType, patch: asList(event["patch"]) });
      case "RAW":
        return data("raw", { event: event["event"], source: event["source"] });
      case "CUSTOM": {
        const name = asText(event["name"]);
        const value = event["value"] ?? null;
        return DATA_NAME.test(name) ? data(name, value) : data("custom", { name, value });
      }
      case "SUBAGENT_STARTED":
      case "SUBAGENT_FINISHED":
      case "SUBAGENT_ERROR": {
        const { type: _type, subagentRunId, rawEvent: _raw, ...rest } = event;
        const status = type === "SUBAGENT_STARTED" ? "running" : type === "SUBAGENT_FINISHED" ? "finished" : "failed";
        return data("subagent", { ...rest, status }, asText(subagentRunId));
      }
      default: // RUN_STARTED, and what is newer than this
    }
  }

  return {
    take(event) {
      const type = asText(event["type"]);
      if (type === "RUN_FINISHED") return finish(event);
      if (type === "RUN_ERROR" || type === "error") throw modelError(event);
      if (type.startsWith("TEXT_MESSAGE_")) takeText(event);
      else if (type.startsWith("REASONING_")) takeReasoning(event);
      else if (type.startsWith("TOOL_CALL_")) takeTool(event);
      else if (type === "STEP_STARTED") out.push({ type: "start-step" });
      else if (type === "STEP_FINISHED") {
        // Readers forget what was open when a step ends; a message that goes on gets a part of its own.
        parts.endAll();
        out.push({ type: "finish-step" });
      } else takeData(event);
      return false;
    },
    end() {
      throw cutError("RUN_FINISHED");
    },
  };
}

/** A run may have used several models. */
function sumUsage(usages: readonly Fields[]): TokenUsage {
  const sum = (name: string): number | undefined => {
    const counts = usages.map((usage) => asNumber(usage[name])).filter((count) => count !== undefined);
    return counts.length === 0 ? undefined : counts.reduce((total, count) => total + count, 0);
  };
  const inputTokens = sum("inputTokens") ?? 0;
  const outputTokens = sum("outputTokens") ?? 0;
  return {
    inputTokens,
    outputTokens,
    totalTokens: sum("totalTokens") ?? inputTokens + outputTokens,
    reasoningTokens: sum("reasoningTokens"),
    cachedInputTokens: sum("cachedInputTokens"),
  };
}
