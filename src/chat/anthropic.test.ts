import { describe, expect, test } from "vitest";
import { fromAnthropic } from "./anthropic.ts";
import { decodeEveryWay, type Codec, type Outcome } from "../../test/upstream-codecs.ts";

const codec: Codec = (source) => fromAnthropic(source);
const read = (...events: readonly object[]): Promise<Outcome> => decodeEveryWay(codec, events);
const begin = {
  type: "message_start",
  message: { usage: { input_tokens: 10, cache_read_input_tokens: 4, output_tokens: 1 } },
};
const start = (index: number, block: object): object => ({ type: "content_block_start", index, content_block: block });
const delta = (index: number, type: string, fields: object): object => ({
  type: "content_block_delta",
  index,
  delta: { type, ...fields },
});
const stop = (index: number): object => ({ type: "content_block_stop", index });
const end = (reason: string, usage: object = {}): readonly object[] => [
  { type: "message_delta", delta: { stop_reason: reason }, usage },
  { type: "message_stop" },
];
const text = (value: string): readonly object[] => [
  start(0, { type: "text", text: "" }),
  delta(0, "text_delta", { text: value }),
  stop(0),
];

describe("fromAnthropic()", () => {
  test("gives thinking with its signature, text, and the usage that was told last", async () => {
    const { chunks } = await read(
      begin,
      start(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, "thinking_delta", { thinking: "hm" }),
      delta(0, "signature_delta", { signature: "si" }),
      delta(0, "signature_delta", { signature: "gn" }),
      stop(0),
      start(1, { type: "redacted_thinking", data: "x" }),
      stop(1),
      start(2, { type: "text", text: "" }),
      delta(2, "text_delta", { text: "a😀" }),
      delta(2, "new_delta", {}),
      stop(2),
      start(3, { type: "new_block" }),
      stop(3),
      { type: "new_event" },
      ...end("end_turn", { output_tokens: 7, input_tokens: null, output_tokens_details: { thinking_tokens: 3 } }),
    );
    expect(chunks).toEqual([
      { type: "reasoning-start", id: "reasoning-1" },
      { type: "reasoning-delta", id: "reasoning-1", delta: "hm" },
      { type: "reasoning-end", id: "reasoning-1", providerMetadata: { anthropic: { signature: "sign" } } },
      { type: "reasoning-start", id: "reasoning-2", providerMetadata: { anthropic: { redactedData: "x" } } },
      { type: "reasoning-end", id: "reasoning-2" },
      { type: "text-start", id: "text-1" },
      { type: "text-delta", id: "text-1", delta: "a😀" },
      { type: "text-end", id: "text-1" },
      {
        type: "message-metadata",
        messageMetadata: {
          usage: { inputTokens: 14, outputTokens: 7, totalTokens: 21, reasoningTokens: 3, cachedInputTokens: 4 },
        },
      },
      { type: "finish", finishReason: "stop" },
    ]);
  });

  test("puts tool calls together, several at once, and says which input is no JSON", async () => {
    const { chunks } = await read(
      start(0, { type: "tool_use", id: "a", name: "f", input: {} }),
      delta(0, "input_json_delta", { partial_json: "" }),
      start(1, { type: "tool_use", id: "b", name: "g", input: {} }),
      delta(0, "input_json_delta", { partial_json: '{"n":' }),
      delta(1, "input_json_delta", { partial_json: '{"m"' }),
      delta(0, "input_json_delta", { partial_json: "1}" }),
      stop(0),
      stop(1),
      ...end("tool_use"),
    );
    expect(chunks).toEqual([
      { type: "tool-input-start", toolCallId: "a", toolName: "f" },
      { type: "tool-input-start", toolCallId: "b", toolName: "g" },
      { type: "tool-input-delta", toolCallId: "a", inputTextDelta: '{"n":' },
      { type: "tool-input-delta", toolCallId: "b", inputTextDelta: '{"m"' },
      { type: "tool-input-delta", toolCallId: "a", inputTextDelta: "1}" },
      { type: "tool-input-available", toolCallId: "a", toolName: "f", input: { n: 1 } },
      expect.objectContaining({ type: "tool-input-error", toolCallId: "b", input: '{"m"' }),
      { type: "finish", finishReason: "tool-calls" },
    ]);
  });

  test("gives Anthropic's own tools, their results and the citations as sources", async () => {
    const found = { type: "web_search_result", url: "https://a.test/", title: "A" };
    const { chunks } = await read(
      start(0, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
      delta(0, "input_json_delta", { partial_json: '{"query":"q"}' }),
      stop(0),
      start(1, { type: "web_search_tool_result", tool_use_id: "s", content: [found] }),
      stop(1),
      start(2, { type: "web_search_tool_result", tool_use_id: "t", content: { type: "web_search_tool_result_error" } }),
      start(3, { type: "text", text: "" }),
      delta(3, "citations_delta", {
        citation: { type: "web_search_result_location", url: "https://b.test/", title: "B", cited_text: "b" },
      }),
      delta(3, "citations_delta", {
        citation: { type: "page_location", document_index: 0, document_title: "Doc", cited_text: "d" },
      }),
      stop(3),
      ...end("pause_turn"),
    );
    expect(chunks.filter(({ type }) => !type.startsWith("text-"))).toEqual([
      { type: "tool-input-start", toolCallId: "s", toolName: "web_search", providerExecuted: true },
      { type: "tool-input-delta", toolCallId: "s", inputTextDelta: '{"query":"q"}' },
      {
        type: "tool-input-available",
        toolCallId: "s",
        toolName: "web_search",
        input: { query: "q" },
        providerExecuted: true,
      },
      { type: "tool-output-available", toolCallId: "s", output: [found], providerExecuted: true },
      { type: "source-url", sourceId: "source-1", url: "https://a.test/", title: "A" },
      { type: "tool-output-error", toolCallId: "t", errorText: "The tool failed.", providerExecuted: true },
      {
        type: "source-url",
        sourceId: "source-2",
        url: "https://b.test/",
        title: "B",
        providerMetadata: { anthropic: { type: "web_search_result_location", citedText: "b" } },
      },
      {
        type: "source-document",
        sourceId: "source-3",
        mediaType: "application/pdf",
        title: "Doc",
        providerMetadata: { anthropic: { type: "page_location", citedText: "d" } },
      },
      { type: "finish", finishReason: "other" },
    ]);
  });

  test.each([
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["refusal", "content-filter"],
    ["new", "other"],
  ])("turns the stop reason %s into %s", async (reason, finishReason) => {
    expect((await read(...end(reason))).chunks).toEqual([{ type: "finish", finishReason }]);
  });

  test("throws an error event, classified, and what was cut", async () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "secret" } };
    const failed = await read(begin, ...text("a"), error);
    expect(failed.error).toMatchObject({ code: "upstream_failed", details: { kind: "overloaded", isTransient: true } });
    expect(String(failed.error)).not.toContain("secret");
    const cut = await read(begin, ...text("a"), end("end_turn")[0]!);
    expect(cut.error).toMatchObject({ code: "source_failed" });
    expect(cut.chunks).toHaveLength(3);
  });
});
