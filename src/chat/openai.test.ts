import { describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { fromChatCompletions } from "./openai.ts";
import { decodeEveryWay, decodeWhole, gather, type Codec, type Outcome } from "../../test/upstream-codecs.ts";

const codec: Codec = (source) => fromChatCompletions(source);
const choice = (delta: object, finish: string | null = null, index = 0): object => ({
  object: "chat.completion.chunk",
  choices: [{ index, delta, finish_reason: finish }],
});
const call = (index: number | undefined, id: string | undefined, name: string | undefined, args: string): object =>
  choice({ tool_calls: [{ index, id, type: "function", function: { name, arguments: args } }] });
const read = (...events: readonly object[]): Promise<Outcome> => decodeEveryWay(codec, events, "data: [DONE]\n\n");
const stop = choice({}, "stop");
const finish = (finishReason: string): UiChunk => ({ type: "finish", finishReason }) as UiChunk;

describe("fromChatCompletions()", () => {
  test("gives the text in one part, the usage and the finish, and reads the first choice only", async () => {
    const usage = {
      choices: [],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 4,
        total_tokens: 13,
        prompt_tokens_details: { cached_tokens: 5 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    };
    const told = await read(
      choice({ content: "" }),
      choice({ content: "a" }),
      choice({ content: null }),
      choice({ content: "no" }, null, 1),
      choice({ content: "ü😀" }),
      stop,
      usage,
    );
    expect(told).toEqual({
      chunks: [
        { type: "text-start", id: "text-1" },
        { type: "text-delta", id: "text-1", delta: "a" },
        { type: "text-delta", id: "text-1", delta: "ü😀" },
        { type: "text-end", id: "text-1" },
        {
          type: "message-metadata",
          messageMetadata: {
            usage: { inputTokens: 9, outputTokens: 4, totalTokens: 13, reasoningTokens: 2, cachedInputTokens: 5 },
          },
        },
        finish("stop"),
      ],
    });
  });

  test.each([
    ["length", "length"],
    ["content_filter", "content-filter"],
    ["tool_calls", "tool-calls"],
    ["function_call", "tool-calls"],
    ["something_new", "other"],
  ])("turns the finish reason %s into %s", async (given, told) => {
    expect((await read(choice({ content: "a" }, given))).chunks.at(-1)).toEqual(finish(told));
  });

  test("shows a refusal as text, and an answer without a word as none", async () => {
    expect((await read(choice({ refusal: "No." }), stop)).chunks).toContainEqual({
      type: "text-delta",
      id: "text-1",
      delta: "No.",
    });
    expect((await read(stop)).chunks).toEqual([finish("stop")]);
  });

  test.each(["reasoning_content", "reasoning"])(
    "gives %s as reasoning that ends where the text begins",
    async (field) => {
      const { chunks } = await read(
        choice({ [field]: "hm" }),
        choice({ content: "a" }),
        choice({ [field]: "so" }),
        stop,
      );
      expect(chunks.map((chunk) => ("id" in chunk ? `${chunk.type} ${chunk.id}` : chunk.type))).toEqual([
        "reasoning-start reasoning-1",
        "reasoning-delta reasoning-1",
        "reasoning-end reasoning-1",
        "text-start text-1",
        "text-delta text-1",
        "text-end text-1",
        "reasoning-start reasoning-2",
        "reasoning-delta reasoning-2",
        "reasoning-end reasoning-2",
        "finish",
      ]);
    },
  );

  test("puts several tool calls together by their index, and says which input is no JSON", async () => {
    const { chunks } = await read(
      call(0, "c0", "weather", ""),
      call(1, "c1", "time", '{"zone":'),
      call(0, undefined, undefined, '{"city":"Bern"}'),
      call(1, undefined, undefined, '"CET"'),
      call(2, "c2", "now", ""),
      choice({}, "tool_calls"),
    );
    expect(chunks).toEqual([
      { type: "tool-input-start", toolCallId: "c0", toolName: "weather" },
      { type: "tool-input-start", toolCallId: "c1", toolName: "time" },
      { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '{"zone":' },
      { type: "tool-input-delta", toolCallId: "c0", inputTextDelta: '{"city":"Bern"}' },
      { type: "tool-input-delta", toolCallId: "c1", inputTextDelta: '"CET"' },
      { type: "tool-input-start", toolCallId: "c2", toolName: "now" },
      { type: "tool-input-available", toolCallId: "c0", toolName: "weather", input: { city: "Bern" } },
      {
        type: "tool-input-error",
        toolCallId: "c1",
        toolName: "time",
        input: '{"zone":"CET"',
        errorText: "The model's input for the tool is no valid JSON.",
      },
      { type: "tool-input-available", toolCallId: "c2", toolName: "now", input: {} },
      finish("tool-calls"),
    ]);
  });

  test("tells calls apart that share an index, or have none", async () => {
    const inputs = ({ chunks }: Outcome): unknown[] =>
      chunks.flatMap((chunk) => (chunk.type === "tool-input-available" ? [[chunk.toolCallId, chunk.input]] : []));
    const wanted = [
      ["a", { n: 1 }],
      ["b", { n: 2 }],
    ];
    const end = choice({}, "tool_calls");
    expect(
      inputs(await read(call(0, "a", "f", '{"n":1}'), call(0, "b", "f", '{"n":'), call(0, "b", undefined, "2}"), end)),
    ).toEqual(wanted);
    expect(inputs(await read(call(undefined, "a", "f", '{"n":1}'), call(undefined, "b", "f", '{"n":2}'), end))).toEqual(
      wanted,
    );
  });

  test("gives citations as sources, once each", async () => {
    const annotations = [{ type: "url_citation", url_citation: { url: "https://a.test/", title: "A" } }];
    const { chunks } = await read(choice({ content: "a", annotations }), choice({ annotations }), stop);
    expect(chunks.filter(({ type }) => type === "source-url")).toEqual([
      { type: "source-url", sourceId: "source-1", url: "https://a.test/", title: "A" },
    ]);
  });

  test("throws when the stream ends without a finish reason, what was said before it kept", async () => {
    for (const end of ["", "data: [DONE]\n\n"]) {
      const { chunks, error } = await decodeEveryWay(codec, [choice({ content: "a" })], end);
      expect(error).toMatchObject({ code: "source_failed", details: { kind: "network" } });
      expect(chunks).toHaveLength(2);
    }
    expect((await decodeWhole(codec, "")).error).toMatchObject({ code: "source_failed" });
    expect((await decodeWhole(codec, "<html>Log in</html>")).error).toMatchObject({ code: "source_failed" });
  });

  test("throws the error that the stream holds, classified, and nothing of its words", async () => {
    const { chunks, error } = await read(choice({ content: "a" }), {
      error: { message: "secret org-123", type: "server_error", code: "rate_limit_exceeded" },
    });
    expect(error).toMatchObject({ code: "upstream_failed", details: { kind: "rate_limit" } });
    expect(String(error)).not.toContain("secret");
    expect(chunks).toHaveLength(2);
    const named = await decodeWhole(codec, 'event: error\ndata: {"message":"x","type":"overloaded_error"}\n\n');
    expect(named.error).toMatchObject({ details: { kind: "overloaded" } });
    expect((await read(choice({}, "error"))).error).toMatchObject({ code: "upstream_failed" });
  });

  test("throws for an event that is no JSON, and for a response that was refused", async () => {
    expect((await decodeWhole(codec, "data: {oops\n\n")).error).toMatchObject({ code: "source_failed" });
    const refused = new Response('{"error":{"code":"context_length_exceeded"}}', { status: 400 });
    expect((await gather(codec(refused))).error).toMatchObject({ details: { kind: "context_length" } });
    const busy = new Response("slow down", { status: 429, headers: { "retry-after": "7" } });
    expect((await gather(codec(busy))).error).toMatchObject({ details: { kind: "rate_limit", retryAfterMs: 7000 } });
  });

  test("releases the upstream at once when its reader leaves, even while a read is under way", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    const generator = fromChatCompletions(body);
    const waiting = generator.next();
    await Promise.resolve();
    await generator.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(cancelled).toBe(true);
    expect(await generator.next()).toEqual({ done: true, value: undefined });
  });
});
