// The official clients as a second opinion: over the same answer, their objects and the raw bytes give the same chunks.

import Anthropic from "@anthropic-ai/sdk";
import { LLMock } from "@copilotkit/aimock";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { fromAnthropic } from "./anthropic.ts";
import { fromResponses } from "./openai-responses.ts";
import { fromChatCompletions } from "./openai.ts";
import { withCare } from "./upstream-care.ts";
import { expectValid, gather, type Outcome } from "../../test/upstream-codecs.ts";

const WORDS = "Grüße aus Bern 😀, in several pieces.";
const mock = new LLMock({ port: 0, host: "127.0.0.1", chunkSize: 5 });
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  mock.onMessage("hello", { content: WORDS, reasoning: "Let me think." });
  mock.onMessage("tool", {
    toolCalls: [
      { name: "f", arguments: '{"n":1}' },
      { name: "g", arguments: '{"m":2}' },
    ],
  });
  await mock.start();
  openai = new OpenAI({ apiKey: "x", baseURL: `${mock.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: "x", baseURL: mock.url, maxRetries: 0 });
});
afterAll(() => mock.stop());

/** The words, the reasoning and the tool calls of an answer, without the ids that the model makes up anew each time. */
function gist({ chunks, error }: Outcome): object {
  const joined = (type: UiChunk["type"]): string =>
    chunks.map((chunk) => (chunk.type === type && "delta" in chunk ? chunk.delta : "")).join("");
  const end = chunks.at(-1);
  return {
    error,
    text: joined("text-delta"),
    reasoning: joined("reasoning-delta"),
    calls: chunks.flatMap((chunk) => (chunk.type === "tool-input-available" ? [[chunk.toolName, chunk.input]] : [])),
    finish: end?.type === "finish" ? end.finishReason : end,
  };
}

const chat = (content: string) =>
  openai.chat.completions.create({ model: "gpt-5-mini", stream: true, messages: [{ role: "user", content }] });
const responses = (input: string) => openai.responses.create({ model: "gpt-5-mini", stream: true, input });
const messages = (content: string) =>
  anthropic.messages.create({
    model: "claude-test",
    max_tokens: 99,
    stream: true,
    messages: [{ role: "user", content }],
  });

const CLIENTS = [
  [
    "openai's chat completions",
    async (text: string) => fromChatCompletions(await chat(text)),
    async (text: string) => fromChatCompletions(await chat(text).asResponse()),
    false,
  ],
  [
    "openai's responses",
    async (text: string) => fromResponses(await responses(text)),
    async (text: string) => fromResponses(await responses(text).asResponse()),
    true,
  ],
  [
    "anthropic's messages",
    async (text: string) => fromAnthropic(await messages(text)),
    async (text: string) => fromAnthropic(await messages(text).asResponse()),
    true,
  ],
] as const;

describe("the codecs, over the official clients", () => {
  test.each(CLIENTS)("read the same from %s as from its bytes", async (_name, objects, bytes) => {
    const told = await gather(await objects("hello"));
    await expectValid(told.chunks);
    expect(gist(told)).toMatchObject({ error: undefined, text: WORDS, reasoning: "Let me think.", finish: "stop" });
    expect(gist(await gather(await bytes("hello")))).toEqual(gist(told));
  });

  test.each(CLIENTS)("read the tool calls of %s", async (_name, objects, bytes) => {
    const told = gist(await gather(await objects("tool")));
    expect(told).toMatchObject({
      calls: [
        ["f", { n: 1 }],
        ["g", { m: 2 }],
      ],
      finish: "tool-calls",
    });
    expect(gist(await gather(await bytes("tool")))).toEqual(told);
  });

  test("classify what the clients throw for an error inside a stream", async () => {
    const answer = (wire: string) => async (): Promise<Response> =>
      new Response(wire, { headers: { "content-type": "text/event-stream" } });
    const bad = new OpenAI({
      apiKey: "x",
      fetch: answer('data: {"error":{"code":"rate_limit_exceeded","message":"secret"}}\n\n'),
    });
    const asked = await bad.chat.completions.create({ model: "x", stream: true, messages: [] });
    expect((await gather(fromChatCompletions(asked))).error).toMatchObject({ details: { kind: "rate_limit" } });
    const full = new Anthropic({
      apiKey: "x",
      fetch: answer('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"secret"}}\n\n'),
    });
    const stream = await full.messages.create({ model: "x", max_tokens: 1, stream: true, messages: [] });
    expect((await gather(fromAnthropic(stream))).error).toMatchObject({ details: { kind: "overloaded" } });
  });

  test("abort the request of a client when the run stops", async () => {
    let aborted: AbortSignal | undefined;
    const client = new OpenAI({
      apiKey: "x",
      fetch: async (_url, init) => {
        aborted = init?.signal ?? undefined;
        const first = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
        const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(first)) });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      },
    });
    const controller = new AbortController();
    const ask = withCare(async ({ signal }) =>
      fromChatCompletions(await client.chat.completions.create({ model: "x", stream: true, messages: [] }, { signal })),
    );
    const generator = ask({ signal: controller.signal });
    await generator.next();
    await generator.next();
    const waiting = generator.next();
    controller.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
    expect(aborted?.aborted).toBe(true);
  });
});
