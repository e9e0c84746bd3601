import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI, { APIError, APIUserAbortError, InternalServerError, NotFoundError, RateLimitError } from "openai";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TailraceError } from "../errors.ts";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { createListener } from "../node/listener.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { completionsRoute, type CompletionContext, type CompletionsRouteOptions } from "./completions-route.ts";
import { toChatCompletions } from "./to-chat-completions-reply.ts";

const servers: Server[] = [];
let streams: Streams;
const errors: unknown[] = [];

beforeEach(() => {
  errors.length = 0;
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map(close));
  await streams.close();
});

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function clientOf(
  answer: CompletionsRouteOptions["answer"],
  more: Partial<CompletionsRouteOptions> = {},
): Promise<OpenAI> {
  const onError = (error: unknown): void => void errors.push(error);
  const server = createServer(
    createListener(completionsRoute({ answer, models: ["m", "n"], streams, onError, ...more })),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return new OpenAI({ apiKey: "k", baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
}

const usage = { inputTokens: 7, outputTokens: 3, totalTokens: 10, cachedInputTokens: 2, reasoningTokens: 1 };
const ask = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };

async function* words(): AsyncGenerator<UiChunk> {
  yield { type: "start", messageId: "x" };
  yield { type: "reasoning-start", id: "r" };
  yield { type: "reasoning-delta", id: "r", delta: "hm" };
  yield { type: "reasoning-end", id: "r" };
  yield { type: "text-start", id: "t" };
  yield { type: "text-delta", id: "t", delta: "Hel" };
  yield { type: "text-delta", id: "t", delta: "lo" };
  yield { type: "text-end", id: "t" };
  yield { type: "message-metadata", messageMetadata: { usage } } as unknown as UiChunk;
  yield { type: "finish", finishReason: "length" };
}

async function* tools(): AsyncGenerator<UiChunk> {
  const chunks: readonly object[] = [
    { type: "tool-input-start", toolCallId: "a", toolName: "one" },
    { type: "tool-input-delta", toolCallId: "a", inputTextDelta: '{"x"' },
    { type: "tool-input-available", toolCallId: "b", toolName: "two", input: { y: 2 } },
    { type: "tool-input-delta", toolCallId: "a", inputTextDelta: ":1}" },
    { type: "tool-input-available", toolCallId: "a", toolName: "one", input: { x: 1 } },
    { type: "tool-input-available", toolCallId: "c", toolName: "own", input: {}, providerExecuted: true },
    { type: "finish" },
  ];
  yield* chunks as readonly UiChunk[];
}

async function failAfter(count: number, error: unknown): Promise<AsyncGenerator<UiChunk>> {
  return (async function* () {
    let at = 0;
    for await (const chunk of words()) {
      if (at++ === count) throw error;
      yield chunk;
    }
  })();
}
const failing = (count: number, error: unknown) =>
  async function* (): AsyncGenerator<UiChunk> {
    yield* await failAfter(count, error);
  };

describe("completionsRoute() with the stock client", () => {
  test("streams role, reasoning, content, finish reason and the usage last", async () => {
    const client = await clientOf(words);
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await listOf(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: "assistant", content: "" },
      { reasoning_content: "hm" },
      { content: "Hel" },
      { content: "lo" },
      {},
      undefined,
    ]);
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([
      null,
      null,
      null,
      null,
      "length",
      undefined,
    ]);
    expect(chunks.at(-1)).toMatchObject({
      object: "chat.completion.chunk",
      model: "m",
      choices: [],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10, prompt_tokens_details: { cached_tokens: 2 } },
    });
    expect(new Set(chunks.map(({ id, created }) => `${id} ${created}`)).size).toBe(1);
  });

  test("ends a whole stream with [DONE], and tells no usage unless asked", async () => {
    const client = await clientOf(words);
    const response = await client.chat.completions.create({ ...ask, stream: true }).asResponse();
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const body = await response.text();
    expect(body.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(body).not.toContain("usage");
  });

  test("answers in one object", async () => {
    const client = await clientOf(words);
    const completion = await client.chat.completions.create(ask);
    expect(completion).toMatchObject({
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "length" }],
      usage: { total_tokens: 10, completion_tokens_details: { reasoning_tokens: 1 } },
    });
  });

  test("gives tool calls by index, streamed and in one object, without those that the provider runs", async () => {
    const client = await clientOf(tools);
    const calls = [
      { id: "a", type: "function", function: { name: "one", arguments: '{"x":1}' } },
      { id: "b", type: "function", function: { name: "two", arguments: '{"y":2}' } },
    ];
    const completion = await client.chat.completions.create(ask);
    expect(completion.choices[0]).toMatchObject({
      message: { content: null, tool_calls: calls },
      finish_reason: "tool_calls",
    });
    const final = await client.chat.completions.stream(ask).finalChatCompletion();
    expect(final.choices[0]!.message.tool_calls).toMatchObject(calls);
  });

  test("gives the answer the messages, tools and pictures among them, and the other parameters", async () => {
    const seen: CompletionContext[] = [];
    const client = await clientOf((context) => {
      seen.push(context);
      return words();
    });
    await client.chat.completions.create({
      model: "n",
      temperature: 0.5,
      messages: [
        { role: "developer", content: "be kind" },
        {
          role: "user",
          content: [
            { type: "text", text: "look" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "a", content: "42" },
      ],
    });
    expect(seen[0]).toMatchObject({ model: "n", params: { temperature: 0.5 } });
    expect(seen[0]!.messages.map(({ role, parts }) => [role, parts])).toEqual([
      ["system", [{ type: "text", text: "be kind" }]],
      [
        "user",
        [
          { type: "text", text: "look" },
          { type: "file", url: "data:image/png;base64,AA==", mediaType: "image/png" },
        ],
      ],
      ["assistant", [{ type: "tool-f", toolCallId: "a", state: "output-available", input: {}, output: "42" }]],
    ]);
  });

  test("a failure before the first words has a status, and tells nothing of an error that is not the reader's", async () => {
    const client = await clientOf(failing(1, new Error("secret")));
    for (const stream of [true, false]) {
      const error = (await client.chat.completions
        .create({ ...ask, stream })
        .catch((caught: unknown) => caught)) as APIError;
      expect(error).toBeInstanceOf(InternalServerError);
      expect(error).toMatchObject({ type: "server_error", code: "source_failed" });
      expect(error.message).not.toContain("secret");
    }
    expect(errors).toHaveLength(2);
  });

  test("an error of the model's own client keeps its class: a rate limit is 429 with its Retry-After", async () => {
    const headers = new Headers({ "retry-after": "7" });
    const limited = new RateLimitError(429, { message: "secret", code: "rate_limit_exceeded" }, "secret", headers);
    const client = await clientOf(failing(0, limited));
    const error = await client.chat.completions.create({ ...ask, stream: true }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error).toMatchObject({ code: "rate_limit_exceeded", type: "rate_limit_error" });
    expect((error as RateLimitError).headers.get("retry-after")).toBe("7");
    expect((error as RateLimitError).message).not.toContain("secret");
  });

  test("an error of a known status keeps it", async () => {
    const client = await clientOf(failing(0, new TailraceError("queue_full", "Try again in 5 seconds.")));
    await expect(client.chat.completions.create(ask)).rejects.toThrow(RateLimitError);
    await expect(client.chat.completions.create({ ...ask, stream: true })).rejects.toThrow("Try again in 5 seconds.");
  });

  test.each([
    ["throws", failing(6, new Error("secret")), "failed"],
    [
      "says an error",
      async function* (): AsyncGenerator<UiChunk> {
        yield { type: "text-delta", id: "t", delta: "Hel" };
        yield { type: "error", errorText: "Too long." };
      },
      "Too long.",
    ],
    [
      "finishes with an error",
      async function* (): AsyncGenerator<UiChunk> {
        yield { type: "text-delta", id: "t", delta: "Hel" };
        yield { type: "finish", finishReason: "error" };
      },
      "broke its answer off",
    ],
  ])("an answer that %s never looks finished", async (_, answer, message) => {
    const client = await clientOf(answer);
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) seen.push(chunk);
    };
    const error = (await read().catch((caught: unknown) => caught)) as APIError;
    expect(error).toBeInstanceOf(APIError);
    expect(error.message).toContain(message);
    expect(JSON.stringify(seen)).toContain("Hel");
    expect(JSON.stringify(seen)).not.toMatch(/"finish_reason":"/);
    const raw = await (await client.chat.completions.create({ ...ask, stream: true }).asResponse()).text();
    expect(raw).not.toContain("[DONE]");
    await expect(client.chat.completions.create(ask)).rejects.toBeInstanceOf(InternalServerError);
  });

  test("an answer that returns without a finish gets one, and a source that lacks it was cut", async () => {
    const answer = async function* (): AsyncGenerator<UiChunk> {
      yield { type: "text-delta", id: "t", delta: "Hel" };
    };
    const client = await clientOf(answer);
    expect((await client.chat.completions.create(ask)).choices[0]).toMatchObject({ finish_reason: "stop" });
    const onError = (error: unknown): void => void errors.push(error);
    const reply = await toChatCompletions(new Request("http://test/"), answer(), { model: "m", onError });
    const body = await reply.text();
    expect(body).toContain('"code":"stopped"');
    expect(body).not.toMatch(/\[DONE\]|"finish_reason":"/);
    const whole = await toChatCompletions(new Request("http://test/"), answer(), {
      model: "m",
      stream: false,
      onError,
    });
    expect(whole.status).toBe(500);
  });

  test("a reader that leaves stops the answer, streamed or not, and before its first words", async () => {
    for (const isStreamed of [true, false]) {
      let aborted!: () => void;
      const stopped = new Promise<void>((resolve) => (aborted = resolve));
      let began!: () => void;
      const begun = new Promise<void>((resolve) => (began = resolve));
      const client = await clientOf(async function* ({ signal }) {
        if (isStreamed) yield { type: "text-delta", id: "t", delta: "a" };
        began();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted();
      });
      const controller = new AbortController();
      const answer = client.chat.completions.create({ ...ask, stream: isStreamed }, { signal: controller.signal });
      const settled = (answer as Promise<unknown>).catch((caught: unknown) => caught);
      await begun;
      if (isStreamed) await settled;
      controller.abort();
      await stopped;
      const error = await settled;
      // The reader that was streaming had its answer by then; the other one's request was aborted.
      expect(error instanceof APIUserAbortError).toBe(!isStreamed);
    }
  });

  test("the same key joins the same run, which goes on without its reader; another question is another run", async () => {
    const answer = vi.fn(words);
    const client = await clientOf(answer);
    const options = { headers: { "Idempotency-Key": "abc" } };
    const [one, two] = await Promise.all([
      client.chat.completions.create(ask, options),
      client.chat.completions.create(ask, options),
    ]);
    expect([one, two].map(({ choices }) => choices[0]!.message.content)).toEqual(["Hello", "Hello"]);
    await listOf(await client.chat.completions.create({ ...ask, stream: true }, options));
    expect(answer).toHaveBeenCalledTimes(1);
    await client.chat.completions.create({ ...ask, model: "n" }, options);
    expect(answer).toHaveBeenCalledTimes(2);
    await client.chat.completions.create(ask);
    expect(answer).toHaveBeenCalledTimes(3);
  });

  test("a run that failed is made again under its key", async () => {
    let count = 0;
    const client = await clientOf(async function* () {
      if (count++ === 0) throw new Error("once");
      yield* words();
    });
    const options = { headers: { "Idempotency-Key": "abc" } };
    await expect(client.chat.completions.create(ask, options)).rejects.toBeInstanceOf(InternalServerError);
    expect((await client.chat.completions.create(ask, options)).choices[0]!.message.content).toBe("Hello");
  });

  test("lists the models, and gives one", async () => {
    const client = await clientOf(words);
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["m", "n"]);
    expect(await client.models.retrieve("n")).toMatchObject({ id: "n", object: "model" });
    await expect(client.models.retrieve("x")).rejects.toBeInstanceOf(NotFoundError);
    await expect(client.chat.completions.create({ ...ask, model: "x" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
    });
  });

  test("an answer in one object may be as long as its limit and not longer", async () => {
    const client = await clientOf(words, { maxChars: 7 }); // "hm" and "Hello"
    await client.chat.completions.create(ask);
    const next = await clientOf(words, { maxChars: 6 });
    await expect(next.chat.completions.create(ask)).rejects.toThrow("6 characters");
  });
});
