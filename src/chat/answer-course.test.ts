import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { type ChatMessage, messageText } from "../wire/ui-message.ts";
import { fromAgUi } from "./ag-ui-in.ts";
import { fromAiSdk } from "./ai-sdk.ts";
import { courseOf, errorChunk } from "./answer-course.ts";
import { fromAnthropic } from "./anthropic.ts";
import type { Answerer } from "./conversations-types.ts";
import { Conversations } from "./conversations.ts";
import { modelError } from "./model-errors.ts";
import { fromResponses } from "./openai-responses.ts";
import { fromChatCompletions } from "./openai.ts";
import { fromText } from "./plain-text.ts";
import { toAgUi } from "./to-ag-ui-reply.ts";
import { toChatCompletions } from "./to-chat-completions-reply.ts";
import { textOf, uiMessageStream } from "./ui-message-stream.ts";
import { gather } from "../../test/upstream-codecs.ts";

let streams: Streams;
let chats: Conversations;

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => undefined); // where a failed run is reported
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  chats = new Conversations(streams);
});
afterEach(() => streams.close());

async function* give(items: readonly unknown[], failure?: Error): AsyncGenerator<never> {
  yield* items as readonly never[];
  if (failure !== undefined) throw failure;
}

interface Way {
  readonly read: (source: AsyncGenerator<never>) => AsyncIterable<UiChunk>;
  /** Events that say `half`, and no end. */
  readonly half: readonly unknown[];
  /** An event that says that the answer failed. */
  readonly error?: unknown;
  readonly abort?: unknown;
  /** What its reader is told of `error`. */
  readonly told?: RegExp;
}

const delta = { choices: [{ index: 0, delta: { content: "half" } }] };
const uiText = [
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "half" },
];

/** Every codec, and what an upstream says in its format before it breaks. */
const WAYS: Readonly<Record<string, Way>> = {
  fromChatCompletions: {
    read: fromChatCompletions,
    half: [delta],
    error: { error: { message: "secret", code: "rate_limit_exceeded" } },
    told: /takes no more requests/,
  },
  fromResponses: {
    read: fromResponses,
    half: [
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { type: "message", id: "m", role: "assistant", content: [] },
      },
      { type: "response.output_text.delta", item_id: "m", output_index: 0, content_index: 0, delta: "half" },
    ],
    error: { type: "error", code: "context_length_exceeded", message: "secret" },
    told: /too long for the model/,
  },
  fromAnthropic: {
    read: fromAnthropic,
    half: [
      { type: "message_start", message: { usage: { input_tokens: 1, output_tokens: 1 } } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "half" } },
    ],
    error: { type: "error", error: { type: "overloaded_error", message: "secret" } },
    told: /overloaded/,
  },
  "fromAiSdk of UI chunks": {
    read: fromAiSdk,
    half: [{ type: "start", messageId: "another" }, ...uiText],
    error: { type: "error", errorText: "The model said no." },
    abort: { type: "abort", reason: "budget" },
    told: /The model said no/,
  },
  "fromAiSdk of parts": {
    read: fromAiSdk,
    half: [{ type: "start" }, { type: "text-start", id: "t" }, { type: "text-delta", id: "t", text: "half" }],
    error: { type: "error", error: Object.assign(new Error("secret"), { statusCode: 529 }) },
    abort: { type: "abort" },
    told: /overloaded/,
  },
  fromAgUi: {
    read: fromAgUi,
    half: [
      { type: "RUN_STARTED", threadId: "t", runId: "r" },
      { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: "half" },
    ],
    error: { type: "RUN_ERROR", message: "secret", code: "x" },
    told: /\w/,
  },
  fromText: { read: fromText as Way["read"], half: ["half"] },
  "an answerer of its own": { read: (source) => source, half: uiText, error: { type: "error", errorText: "No." } },
};

interface Ending {
  readonly reason: string | undefined;
  readonly answer: ChatMessage;
  /** The types of the last chunks that a reader of the UI message stream gets. */
  readonly chunks: readonly UiChunk[];
}

let count = 0;

async function ask(answer: Answerer): Promise<Ending> {
  const id = `c${++count}`;
  const run = await chats.send({
    id,
    answer,
    message: { id: "q", role: "user", parts: [{ type: "text", text: "?" }] },
  });
  const reason = (await run.ended())?.reason;
  const body = await (await uiMessageStream(new Request("http://127.0.0.1/"), run)).text();
  const lines = [...body.matchAll(/^data: (.*)$/gm)].map((match) => match[1]!);
  expect(lines.pop()).toBe("[DONE]");
  const chunks = lines.map((line) => JSON.parse(line) as UiChunk);
  expect(chunks[0]).toEqual({ type: "start", messageId: run.name });
  const terminals = chunks.filter(({ type }) => type === "finish" || type === "error" || type === "abort");
  expect(terminals).toEqual([chunks.at(-1)]);
  expect(chunks.filter(({ type }) => type === "start")).toHaveLength(1);
  const answered = (await chats.messages(id))!.at(-1)!;
  expect(answered.id).toBe(run.name);
  // Kept beside the run by now, or folded again: it is the same.
  expect(await chats.messages(id)).toEqual([expect.anything(), answered]);
  const words = (async () => {
    for await (const word of textOf(run)) expect(word).not.toBe("");
  })();
  const request = new Request("http://127.0.0.1/");
  const completion = await (await toChatCompletions(request, run, { model: "m" })).text();
  const agUi = await toAgUi(request, run, { threadId: "t", runId: "r" }).text();
  if (reason === "completed") {
    await words;
    expect(completion).toMatch(/"finish_reason":"\w/);
    expect(agUi).toContain('"success"');
  } else {
    await expect(words).rejects.toMatchObject({ code: "source_failed" });
    expect(completion).not.toMatch(/"finish_reason":"\w/);
    expect(completion).not.toContain("[DONE]");
    expect(agUi).toMatch(/RUN_ERROR|"cancelled"/);
    expect(agUi).not.toContain('"success"');
  }
  return { reason, answer: answered, chunks };
}

describe("an answer through every codec", () => {
  test.each(Object.entries(WAYS).filter(([name]) => name !== "fromText" && !name.startsWith("an")))(
    "%s: an upstream that just ends is a failed answer, with its words kept",
    async (_name, { read, half }) => {
      const { reason, answer, chunks } = await ask(() => read(give(half)));
      expect([reason, messageText(answer), answer.end?.reason]).toEqual(["failed", "half", "failed"]);
      expect(chunks.at(-1)).toMatchObject({
        type: "error",
        errorText: expect.stringContaining("cut"),
        reason: "failed",
      });
    },
  );

  test.each(Object.entries(WAYS))("%s: a connection that breaks is a failed answer", async (name, { read, half }) => {
    const broken = Object.assign(new Error("secret"), { code: "ECONNRESET" });
    const { reason, answer, chunks } = await ask(() => read(give(half, broken)));
    expect([reason, messageText(answer), answer.end?.reason]).toEqual(["failed", "half", "failed"]);
    // What nobody has classified is not told, since it may say too much.
    const told = name.startsWith("an ") ? /failed before its end/ : /connection to the model/;
    expect(chunks.at(-1)).toMatchObject({ type: "error", errorText: expect.stringMatching(told) });
    expect(JSON.stringify(chunks)).not.toContain("secret");
  });

  test.each(Object.entries(WAYS).filter(([, way]) => way.error !== undefined))(
    "%s: an error in the stream is a failed answer, which says its class",
    async (_name, { read, half, error, told = /No\./ }) => {
      const { reason, answer, chunks } = await ask(() => read(give([...half, error])));
      expect([reason, messageText(answer), answer.end?.reason]).toEqual(["failed", "half", "failed"]);
      expect(answer.end?.message).toMatch(told);
      expect(JSON.stringify(chunks)).not.toContain("secret");
    },
  );

  test.each(Object.entries(WAYS).filter(([, way]) => way.abort !== undefined))(
    "%s: an abort of its own is a stopped answer",
    async (_name, { read, half, abort }) => {
      const { reason, answer } = await ask(() => read(give([...half, abort])));
      expect([reason, messageText(answer), answer.end?.reason]).toEqual(["stopped", "half", "stopped"]);
    },
  );

  test("a finish whose reason is error is a failed answer, with its metadata", async () => {
    const finish = { type: "finish", finishReason: "error", messageMetadata: { tokens: 3 } };
    const { reason, answer } = await ask(() => fromAiSdk(give([...uiText, finish])));
    expect([reason, messageText(answer), answer.end?.reason]).toEqual(["failed", "half", "failed"]);
    expect(answer.metadata).toEqual({ tokens: 3 });
  });

  test("an answer that fails behind a finish has not finished", async () => {
    const { reason } = await ask(() => give([...uiText, { type: "finish" }], new Error("secret")));
    expect(reason).toBe("failed");
  });
});

describe("courseOf()", () => {
  const run = (chunks: readonly UiChunk[]): ReturnType<typeof gather> => gather(courseOf(give(chunks)));

  test("joins several calls into one answer: no start, one finish, the metadata of all", async () => {
    const { chunks } = await run([
      { type: "start", messageId: "1", messageMetadata: { a: 1 } },
      { type: "finish", finishReason: "tool-calls", messageMetadata: { b: 2 } },
      { type: "start", messageId: "2" },
      { type: "text-start", id: "t" },
      { type: "finish", finishReason: "stop", messageMetadata: { c: 3 } },
    ]);
    expect(chunks).toEqual([
      { type: "message-metadata", messageMetadata: { a: 1 } },
      { type: "message-metadata", messageMetadata: { b: 2 } },
      { type: "text-start", id: "t" },
      { type: "finish", finishReason: "stop", messageMetadata: { c: 3 } },
    ]);
  });

  test("keeps the finish behind the end of its step", async () => {
    const { chunks } = await run([{ type: "finish", finishReason: "length" }, { type: "finish-step" }]);
    expect(chunks).toEqual([{ type: "finish-step" }, { type: "finish", finishReason: "length" }]);
  });

  test("puts a finish behind chunks that lack one", async () => {
    expect(await run([])).toEqual({ chunks: [{ type: "finish" }] });
  });

  test("gives nothing behind an error or an abort, and releases what it reads", async () => {
    for (const last of [{ type: "error", errorText: "No." } as const, { type: "abort" } as const]) {
      let isReleased = false;
      const source = async function* (): AsyncGenerator<UiChunk> {
        try {
          yield last;
          yield { type: "text-start", id: "t" };
        } finally {
          isReleased = true;
        }
      };
      const { chunks, error } = await gather(courseOf(source()));
      expect([chunks, isReleased]).toEqual([[last], true]);
      expect(error === undefined).toBe(last.type === "abort");
    }
  });
});

describe("errorChunk()", () => {
  test("says the class and how long to wait, and nothing of an error that nobody has classified", () => {
    const busy = modelError(Object.assign(new Error("secret"), { status: 429, headers: { "retry-after": "20" } }));
    expect(errorChunk(busy)).toEqual({
      type: "error",
      errorText: "The model takes no more requests at the moment. Try again later. It asks to wait 20 s.",
      reason: "failed",
    });
    expect(errorChunk(new Error("secret"))).toBeUndefined();
    expect(errorChunk(Object.assign(new Error("secret"), { status: 429 }))).toBeUndefined();
  });
});
