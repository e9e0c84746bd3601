// One chunk of every type of the UI message stream, version 1, with every member that it may have.

import type { MessageChunk } from "../wire/ui-message.ts";

const providerMetadata = { acme: { n: 1 } };
const toolMetadata = { from: "server" };
const call = { toolCallId: "call", toolName: "weather" };

/** What must stand before the chunk for the AI SDK to take it. */
export interface GoldenChunk {
  readonly before?: readonly MessageChunk[] | undefined;
  readonly chunk: MessageChunk;
}

const textStart = { type: "text-start", id: "t", providerMetadata };
const reasoningStart = { type: "reasoning-start", id: "r", providerMetadata };
const inputStart = {
  type: "tool-input-start",
  ...call,
  inputEncoding: "json",
  providerExecuted: true,
  providerMetadata,
  toolMetadata,
  dynamic: true,
  title: "Weather",
};
const available = {
  type: "tool-input-available",
  ...call,
  input: { city: "Łódź\u2028", nothing: null },
  providerExecuted: false,
  providerMetadata,
  toolMetadata,
  dynamic: true,
  title: "Weather",
};
const request = {
  type: "tool-approval-request",
  approvalId: "a",
  toolCallId: "call",
  approvalDescriptor: { kind: "payment" },
  inputSchemaInput: { city: "x" },
  reason: "It costs.",
  isAutomatic: true,
  signature: "s",
};

const CHUNKS: readonly GoldenChunk[] = [
  { chunk: { type: "start", messageId: "m", messageMetadata: { model: "x" } } },
  { chunk: textStart },
  { before: [textStart], chunk: { type: "text-delta", id: "t", delta: "a\r\n\n b \u2028 🙂", providerMetadata } },
  { before: [textStart], chunk: { type: "text-end", id: "t", providerMetadata } },
  { chunk: reasoningStart },
  { before: [reasoningStart], chunk: { type: "reasoning-delta", id: "r", delta: "hm", providerMetadata } },
  { before: [reasoningStart], chunk: { type: "reasoning-end", id: "r", providerMetadata } },
  { chunk: inputStart },
  { before: [inputStart], chunk: { type: "tool-input-delta", toolCallId: "call", inputTextDelta: '{"city":"Ł' } },
  { chunk: available },
  { chunk: { ...available, type: "tool-input-error", errorText: "No such city." } },
  { before: [available], chunk: request },
  {
    before: [available, request],
    chunk: {
      type: "tool-approval-response",
      approvalId: "a",
      approved: false,
      reason: "Too dear.",
      providerExecuted: false,
      providerMetadata,
    },
  },
  {
    before: [available],
    chunk: {
      type: "tool-output-available",
      toolCallId: "call",
      output: [1, { deep: null }],
      providerExecuted: true,
      providerMetadata,
      toolMetadata,
      dynamic: true,
      preliminary: true,
    },
  },
  {
    before: [available],
    chunk: {
      type: "tool-output-error",
      toolCallId: "call",
      errorText: "Broken.",
      providerExecuted: true,
      providerMetadata,
      toolMetadata,
      dynamic: true,
    },
  },
  { before: [available], chunk: { type: "tool-output-denied", toolCallId: "call" } },
  { chunk: { type: "source-url", sourceId: "s", url: "https://a.test/", title: "A", providerMetadata } },
  {
    chunk: {
      type: "source-document",
      sourceId: "s",
      mediaType: "application/pdf",
      title: "D",
      filename: "d.pdf",
      providerMetadata,
    },
  },
  { chunk: { type: "file", url: "https://a.test/a.png", mediaType: "image/png", providerMetadata } },
  { chunk: { type: "reasoning-file", url: "data:,x", mediaType: "text/plain", providerMetadata } },
  { chunk: { type: "custom", kind: "acme.compaction", providerMetadata } },
  { chunk: { type: "data-weather", id: "w", data: { degrees: 20 }, transient: false } },
  { chunk: { type: "start-step" } },
  { chunk: { type: "finish-step" } },
  { before: [{ type: "start-step" }, textStart], chunk: { type: "reset-step" } },
  { chunk: { type: "steering-message", id: "u", parts: [{ type: "text", text: "also tomorrow" }] } },
  { chunk: { type: "message-metadata", messageMetadata: { usage: { inputTokens: 1 } } } },
  { chunk: { type: "finish", finishReason: "tool-calls", messageMetadata: { done: true } } },
  { chunk: { type: "abort", reason: "stopped" } },
  { chunk: { type: "error", errorText: "It broke.", reason: "failed" } },
];

/** The golden chunks by their type. */
export const GOLDEN_CHUNKS: readonly (readonly [type: string, golden: GoldenChunk])[] = CHUNKS.map((golden) => [
  String(golden.chunk["type"]),
  golden,
]);
