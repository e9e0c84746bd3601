import { simulateReadableStream, streamText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { fromAiSdk } from "./ai-sdk.ts";
import { decodeEveryWay, decodeWhole, expectValid, gather, type Codec } from "../../test/upstream-codecs.ts";

const codec: Codec = (source) => fromAiSdk(source);
const providerMetadata = { p: { a: 1 } };
const tool = {
  toolCallId: "c",
  toolName: "f",
  providerExecuted: true,
  dynamic: true,
  title: "F",
  toolMetadata: { a: 1 },
  providerMetadata,
};
const output = { toolCallId: "c", providerExecuted: true, dynamic: true, toolMetadata: { a: 1 }, providerMetadata };
const cited = { type: "source", sourceType: "url", id: "s", url: "https://a.test/" } as const;

/** Each type of chunk of `ai` 7, with every field that it may have. */
const EVERY_CHUNK: readonly UiChunk[] = [
  { type: "start", messageId: "m", messageMetadata: { a: 1 } },
  { type: "start-step" },
  { type: "text-start", id: "t", providerMetadata },
  { type: "text-delta", id: "t", delta: "a", providerMetadata },
  {
    type: "text-end",
    id: "t",
    citations: [{ source: cited, startIndex: 0, endIndex: 1, citedText: "a" }],
    providerMetadata,
  },
  { type: "reasoning-start", id: "r", providerMetadata },
  { type: "reasoning-delta", id: "r", delta: "hm", providerMetadata },
  { type: "reasoning-end", id: "r", providerMetadata },
  { type: "tool-input-start", ...tool, inputEncoding: "json" },
  { type: "tool-input-delta", toolCallId: "c", inputTextDelta: "{}" },
  { type: "tool-input-available", ...tool, input: {} },
  { type: "tool-input-error", ...tool, input: "{", errorText: "x" },
  {
    type: "tool-approval-request",
    approvalId: "a",
    toolCallId: "c",
    approvalDescriptor: 1,
    inputSchemaInput: {},
    reason: "r",
    isAutomatic: false,
    signature: "s",
  },
  {
    type: "tool-approval-response",
    approvalId: "a",
    approved: true,
    reason: "r",
    providerExecuted: true,
    providerMetadata,
  },
  { type: "tool-output-available", ...output, output: { b: 2 }, preliminary: true },
  { type: "tool-output-error", ...output, errorText: "x" },
  { type: "tool-output-denied", toolCallId: "c" },
  { type: "source-url", sourceId: "s", url: "https://a.test/", title: "A", providerMetadata },
  { type: "source-document", sourceId: "d", mediaType: "text/plain", title: "D", filename: "d.txt", providerMetadata },
  { type: "file", url: "data:,a", mediaType: "text/plain", providerMetadata },
  { type: "reasoning-file", url: "data:,a", mediaType: "text/plain", providerMetadata },
  { type: "custom", kind: "p.k", providerMetadata },
  { type: "data-x", id: "d", data: { c: 3 }, transient: true },
  {
    type: "steering-message",
    id: "u",
    parts: [
      { type: "text", text: "go" },
      { type: "file", mediaType: "text/plain", url: "data:,a" },
    ],
  },
  { type: "finish-step" },
  { type: "reset-step" },
  { type: "message-metadata", messageMetadata: { usage: { inputTokens: 1 } } },
  { type: "finish", finishReason: "interrupted", messageMetadata: {} },
  { type: "abort", reason: "r" },
  { type: "error", errorText: "x" },
];

const usage = { inputTokens: { total: 3, noCache: 3 }, outputTokens: { total: 4, text: 4 } };
const answer = [
  { type: "stream-start", warnings: [] },
  { type: "reasoning-start", id: "0" },
  { type: "reasoning-delta", id: "0", delta: "hm" },
  { type: "reasoning-end", id: "0" },
  { type: "text-start", id: "1" },
  { type: "text-delta", id: "1", delta: "a" },
  { type: "text-end", id: "1" },
  { type: "source", sourceType: "url", id: "s", url: "https://a.test/", title: "A" },
  { type: "tool-call", toolCallId: "c", toolName: "f", input: '{"n":1}', providerExecuted: true, dynamic: true },
  { type: "tool-result", toolCallId: "c", toolName: "f", result: { ok: true }, dynamic: true },
];

function ask(parts: readonly object[]): ReturnType<typeof streamText> {
  const model = new MockLanguageModelV4({
    doStream: { stream: simulateReadableStream({ chunks: parts as never[] }) } as never,
  });
  return streamText({ model, prompt: "x", maxRetries: 0, onError: () => undefined });
}

describe("fromAiSdk()", () => {
  test.each(EVERY_CHUNK)("lets a chunk of the type $type through unchanged", async (chunk) => {
    const end: UiChunk = { type: "finish" };
    const { chunks, error } = await decodeEveryWay(codec, [chunk, end], "data: [DONE]\n\n");
    expect(error).toBeUndefined();
    expect(chunks).toEqual([chunk, end]);
  });

  test("throws for a stream that has no terminal, and for an item without a type", async () => {
    const start = { type: "text-start", id: "t" };
    expect((await decodeEveryWay(codec, [start])).error).toMatchObject({ code: "source_failed" });
    expect((await decodeWhole(codec, 'data: {"id":1}\n\n')).error).toMatchObject({ code: "source_failed" });
    for (const type of ["finish", "abort", "error"]) {
      const end = type === "error" ? { type, errorText: "x" } : { type };
      expect((await decodeEveryWay(codec, [start, end])).error).toBeUndefined();
    }
  });

  test("turns a result of streamText into chunks that the AI SDK takes, with the usage", async () => {
    const finish = { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage };
    const { chunks, error } = await gather(fromAiSdk(ask([...answer, finish])));
    expect(error).toBeUndefined();
    await expectValid(chunks);
    expect(chunks.map(({ type }) => type)).toEqual([
      "start",
      "start-step",
      "reasoning-start",
      "reasoning-delta",
      "reasoning-end",
      "text-start",
      "text-delta",
      "text-end",
      "source-url",
      "tool-input-available",
      "tool-output-available",
      "finish-step",
      "message-metadata",
      "finish",
    ]);
    expect(chunks.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
    expect(chunks.at(-2)).toMatchObject({
      messageMetadata: { usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 } },
    });
  });

  test("throws what streamText met, classified", async () => {
    const error = Object.assign(new Error("secret"), { statusCode: 529 });
    const outcome = await gather(fromAiSdk(ask([...answer.slice(0, 6), { type: "error", error }])));
    expect(outcome.error).toMatchObject({ code: "upstream_failed", details: { kind: "overloaded" } });
    expect(String(outcome.error)).not.toContain("secret");
  });

  test("takes a result by any of its shapes, and refuses what is none", async () => {
    const end: UiChunk = { type: "finish", finishReason: "stop" };
    async function* stream(): AsyncGenerator<UiChunk> {
      yield end;
    }
    for (const source of [{ stream: stream() }, { fullStream: stream() }, { toUIMessageStream: stream }, stream()]) {
      expect(await gather(fromAiSdk(source))).toEqual({ chunks: [end] });
    }
    expect(() => fromAiSdk({} as never)).toThrow(expect.objectContaining({ code: "source_invalid" }));
  });
});
