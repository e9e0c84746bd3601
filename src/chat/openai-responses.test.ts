import { describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { fromResponses } from "./openai-responses.ts";
import { decodeEveryWay, type Codec, type Outcome } from "../../test/upstream-codecs.ts";

const codec: Codec = (source) => fromResponses(source);
const read = (...events: readonly object[]): Promise<Outcome> =>
  decodeEveryWay(
    codec,
    events.map((event, index) => ({ ...event, sequence_number: index })),
  );
const at = (type: string, index: number, more: object = {}): object => ({
  type: `response.${type}`,
  output_index: index,
  ...more,
});
const completed = { type: "response.completed", response: { status: "completed" } };
const added = (index: number, item: object): object => at("output_item.added", index, { item });
const done = (index: number, item: object): object => at("output_item.done", index, { item });
const finish: UiChunk = { type: "finish", finishReason: "stop" };

describe("fromResponses()", () => {
  test("gives text, its annotations as sources, a refusal as text, and the usage", async () => {
    const { chunks } = await read(
      { type: "response.created", response: {} },
      { type: "response.something_new", output_index: 9 },
      added(0, { type: "message", id: "m" }),
      at("content_part.added", 0, { item_id: "m", content_index: 0 }),
      at("output_text.delta", 0, { item_id: "m", content_index: 0, delta: "a€" }),
      at("output_text.annotation.added", 0, {
        annotation: { type: "url_citation", url: "https://a.test/", title: "A" },
      }),
      at("output_text.annotation.added", 0, {
        annotation: { type: "file_citation", file_id: "f1", filename: "a.txt" },
      }),
      at("output_text.done", 0, { item_id: "m", content_index: 0, text: "a€" }),
      at("refusal.delta", 0, { item_id: "m", content_index: 1, delta: "No." }),
      done(0, {
        type: "message",
        id: "m",
        content: [
          { type: "output_text", text: "a€" },
          { type: "refusal", refusal: "No." },
        ],
      }),
      {
        type: "response.completed",
        response: {
          usage: {
            input_tokens: 3,
            output_tokens: 4,
            total_tokens: 7,
            input_tokens_details: { cached_tokens: 1 },
            output_tokens_details: { reasoning_tokens: 2 },
          },
        },
      },
    );
    expect(chunks).toEqual([
      { type: "text-start", id: "text-1" },
      { type: "text-delta", id: "text-1", delta: "a€" },
      { type: "source-url", sourceId: "source-1", url: "https://a.test/", title: "A" },
      {
        type: "source-document",
        sourceId: "source-2",
        mediaType: "text/plain",
        title: "a.txt",
        filename: "a.txt",
        providerMetadata: { openai: { type: "file_citation", fileId: "f1" } },
      },
      { type: "text-start", id: "text-2" },
      { type: "text-delta", id: "text-2", delta: "No." },
      { type: "text-end", id: "text-1" },
      { type: "text-end", id: "text-2" },
      {
        type: "message-metadata",
        messageMetadata: {
          usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7, reasoningTokens: 2, cachedInputTokens: 1 },
        },
      },
      finish,
    ]);
  });

  test("tells a text once that comes only as a whole", async () => {
    const item = { type: "message", id: "m", content: [{ type: "output_text", text: "whole" }] };
    expect((await read(done(0, item), completed)).chunks.map(({ type }) => type)).toEqual([
      "text-start",
      "text-delta",
      "text-end",
      "finish",
    ]);
  });

  test("gives reasoning summaries with what a later request needs, also when there is no summary", async () => {
    const { chunks } = await read(
      added(0, { type: "reasoning", id: "r" }),
      at("reasoning_summary_text.delta", 0, { summary_index: 0, delta: "hm" }),
      at("reasoning_summary_text.done", 0, { summary_index: 0, text: "hm" }),
      done(0, { type: "reasoning", id: "r", summary: [{ text: "hm" }], encrypted_content: "x" }),
      done(1, { type: "reasoning", id: "s", summary: [], encrypted_content: "y" }),
      completed,
    );
    const openai = (itemId: string, reasoningEncryptedContent: string): object => ({
      providerMetadata: { openai: { itemId, reasoningEncryptedContent } },
    });
    expect(chunks).toEqual([
      { type: "reasoning-start", id: "reasoning-1" },
      { type: "reasoning-delta", id: "reasoning-1", delta: "hm" },
      { type: "reasoning-end", id: "reasoning-1", ...openai("r", "x") },
      { type: "reasoning-start", id: "reasoning-2" },
      { type: "reasoning-end", id: "reasoning-2", ...openai("s", "y") },
      finish,
    ]);
  });

  test("puts function calls and custom calls together, each told once", async () => {
    const { chunks } = await read(
      added(0, { type: "function_call", id: "i0", call_id: "c0", name: "f", arguments: "" }),
      at("function_call_arguments.delta", 0, { item_id: "i0", delta: '{"n":' }),
      at("function_call_arguments.delta", 0, { item_id: "i0", delta: "1}" }),
      at("function_call_arguments.done", 0, { item_id: "i0", arguments: '{"n":1}' }),
      done(0, { type: "function_call", id: "i0", call_id: "c0", name: "f", arguments: '{"n":1}' }),
      done(1, { type: "function_call", id: "i1", call_id: "c1", name: "g", arguments: "{" }),
      added(2, { type: "custom_tool_call", id: "i2", call_id: "c2", name: "h", input: "" }),
      at("custom_tool_call_input.delta", 2, { item_id: "i2", delta: "free {" }),
      done(2, { type: "custom_tool_call", id: "i2", call_id: "c2", name: "h", input: "free {" }),
      completed,
    );
    expect(chunks).toEqual([
      { type: "tool-input-start", toolCallId: "c0", toolName: "f" },
      { type: "tool-input-delta", toolCallId: "c0", inputTextDelta: '{"n":' },
      { type: "tool-input-delta", toolCallId: "c0", inputTextDelta: "1}" },
      { type: "tool-input-available", toolCallId: "c0", toolName: "f", input: { n: 1 } },
      { type: "tool-input-start", toolCallId: "c1", toolName: "g" },
      { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: "{" },
      expect.objectContaining({ type: "tool-input-error", toolCallId: "c1", input: "{" }),
      { type: "tool-input-start", toolCallId: "c2", toolName: "h", inputEncoding: "text" },
      { type: "tool-input-delta", toolCallId: "c2", inputTextDelta: "free {" },
      { type: "tool-input-available", toolCallId: "c2", toolName: "h", input: "free {" },
      { type: "finish", finishReason: "tool-calls" },
    ]);
  });

  test("gives the provider's own tools with their outputs, and images as files", async () => {
    const { chunks } = await read(
      done(0, { type: "web_search_call", id: "w", status: "completed", action: { query: "q" } }),
      done(1, { type: "image_generation_call", id: "i", result: "AAAA" }),
      added(2, { type: "mcp_call", id: "p", name: "ask", arguments: "" }),
      at("mcp_call_arguments.delta", 2, { item_id: "p", delta: "{}" }),
      done(2, { type: "mcp_call", id: "p", name: "ask", arguments: "{}", output: "yes", error: null }),
      completed,
    );
    expect(chunks).toEqual([
      {
        type: "tool-input-available",
        toolCallId: "w",
        toolName: "web_search",
        input: { action: { query: "q" } },
        providerExecuted: true,
      },
      { type: "tool-output-available", toolCallId: "w", output: { status: "completed" }, providerExecuted: true },
      { type: "file", mediaType: "image/png", url: "data:image/png;base64,AAAA" },
      { type: "tool-input-start", toolCallId: "p", toolName: "ask", providerExecuted: true, dynamic: true },
      { type: "tool-input-delta", toolCallId: "p", inputTextDelta: "{}" },
      {
        type: "tool-input-available",
        toolCallId: "p",
        toolName: "ask",
        input: {},
        providerExecuted: true,
        dynamic: true,
      },
      { type: "tool-output-available", toolCallId: "p", output: "yes", providerExecuted: true, dynamic: true },
      finish,
    ]);
  });

  test.each([
    ["max_output_tokens", "length"],
    ["content_filter", "content-filter"],
    ["new", "other"],
  ])("turns what is incomplete by %s into %s", async (reason, finishReason) => {
    const event = { type: "response.incomplete", response: { incomplete_details: { reason } } };
    expect((await read(event)).chunks).toEqual([{ type: "finish", finishReason }]);
  });

  test("throws what failed, classified, and what was cut", async () => {
    const text = at("output_text.delta", 0, { delta: "a" });
    const failed = { type: "response.failed", response: { error: { code: "rate_limit_exceeded", message: "secret" } } };
    expect((await read(text, failed)).error).toMatchObject({
      code: "upstream_failed",
      details: { kind: "rate_limit" },
    });
    const error = { type: "error", code: "server_error", message: "secret" };
    expect((await read(text, error)).error).toMatchObject({ code: "upstream_failed", details: { isTransient: true } });
    const cut = await read(text);
    expect(cut.error).toMatchObject({ code: "source_failed" });
    expect(cut.chunks).toHaveLength(2);
  });
});
