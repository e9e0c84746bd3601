import { expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { fromChatCompletions, type ChatCompletionChunk } from "./openai.ts";

async function* stream(...chunks: readonly ChatCompletionChunk[]): AsyncGenerator<ChatCompletionChunk> {
  yield* chunks;
}
const delta = (content: string | null, finish: string | null = null): ChatCompletionChunk => ({
  choices: [{ delta: { content }, finish_reason: finish }],
});

async function read(...chunks: readonly ChatCompletionChunk[]): Promise<UiChunk[]> {
  const parts: UiChunk[] = [];
  for await (const part of fromChatCompletions(stream(...chunks))) parts.push(part);
  return parts;
}

test("fromChatCompletions() gives the text in one part, and the finish", async () => {
  const usage: ChatCompletionChunk = { choices: [] };
  expect(await read(delta(""), delta("a"), delta(null), delta("b"), delta(null, "stop"), usage)).toEqual([
    { type: "text-start", id: "text-1" },
    { type: "text-delta", id: "text-1", delta: "a" },
    { type: "text-delta", id: "text-1", delta: "b" },
    { type: "text-end", id: "text-1" },
    { type: "finish", finishReason: "stop" },
  ]);
});

test.each([
  ["length", "length"],
  ["content_filter", "content-filter"],
  ["tool_calls", "tool-calls"],
  ["something_new", "other"],
])("fromChatCompletions() turns the finish reason %s into %s", async (given, told) => {
  expect((await read(delta("a", given))).at(-1)).toEqual({ type: "finish", finishReason: told });
});

test("fromChatCompletions() shows a refusal as text, and an answer without a word as none", async () => {
  const refusal: ChatCompletionChunk = { choices: [{ delta: { refusal: "No." }, finish_reason: "stop" }] };
  expect(await read(refusal)).toContainEqual({ type: "text-delta", id: "text-1", delta: "No." });
  expect(await read(delta(null, "stop"))).toEqual([{ type: "finish", finishReason: "stop" }]);
});

test("fromChatCompletions() throws when the stream ends without a finish reason", async () => {
  await expect(read(delta("a"), delta("b"))).rejects.toMatchObject({ code: "source_failed" });
  await expect(read()).rejects.toMatchObject({ code: "source_failed" });
});
