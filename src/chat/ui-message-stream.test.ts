import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Chat } from "@ai-sdk/react";
import {
  DefaultChatTransport,
  readUIMessageStream,
  uiMessageChunkSchema,
  type UIMessage,
  type UIMessageChunk,
} from "ai";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { createListener } from "../node/listener.ts";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../wire/ui-message.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { Conversations } from "./conversations.ts";
import type { Answerer } from "./conversations-types.ts";
import { uiMessageStream } from "./ui-message-stream.ts";
import { GOLDEN_CHUNKS } from "./ui-message-stream.test-support.ts";

let streams: Streams;
let chats: Conversations;
let server: Server;
let api: string;
let answer: Answerer;
let query = "";

beforeEach(async () => {
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  chats = new Conversations(streams);
  server = createServer(createListener(handle));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/chat`;
  query = "";
});
afterEach(async () => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await streams.close();
});

async function handle(request: Request): Promise<Response> {
  const id = /\/api\/chat\/([^/]+)\/stream/.exec(request.url)?.[1];
  if (id !== undefined) {
    const latest = await chats.latest(id);
    const head = latest && (await streams.head(latest.name));
    if (latest === undefined || head?.end !== undefined) return new Response(null, { status: 204 });
    return uiMessageStream(request, latest);
  }
  const body = (await request.json()) as { readonly id: string; readonly messages: ChatMessage[] };
  const message = body.messages.at(-1)!;
  return uiMessageStream(request, await chats.send({ id: body.id, message, answer }), { heartbeatMs: 5 });
}

const chatOf = (messages: UIMessage[] = []): Chat<UIMessage> =>
  new Chat({
    id: "c",
    messages,
    transport: new DefaultChatTransport({ api: `${api}${query}` }),
    onError: () => undefined,
  });
const textOfLast = (chat: Chat<UIMessage>): string =>
  (chat.messages.at(-1)?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");

/** Says what it is told to, and waits in between. */
function paced(): {
  readonly answer: Answerer;
  readonly say: (...chunks: (UiChunk | Error)[]) => void;
  readonly end: () => void;
} {
  const queue: (UiChunk | Error | undefined)[] = [];
  let wake = (): void => undefined;
  const say = (...chunks: (UiChunk | Error)[]): void => {
    queue.push(...chunks);
    wake();
  };
  const end = (): void => {
    queue.push(undefined);
    wake();
  };
  return {
    say,
    end,
    answer: async function* ({ signal }) {
      signal.addEventListener("abort", () => wake());
      while (!signal.aborted) {
        while (queue.length > 0) {
          const next = queue.shift();
          if (next instanceof Error) throw next;
          if (next === undefined) return;
          yield next;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

const open: readonly UiChunk[] = [
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "Hel" },
];
const close: readonly UiChunk[] = [
  { type: "text-delta", id: "t", delta: "lo" },
  { type: "text-end", id: "t" },
];

/** The compiler holds this list to be that of the AI SDK's types. */
const ALL_TYPES: Record<Exclude<UIMessageChunk["type"], `data-${string}`>, true> = {
  start: true,
  "text-start": true,
  "text-delta": true,
  "text-end": true,
  "reasoning-start": true,
  "reasoning-delta": true,
  "reasoning-end": true,
  "tool-input-start": true,
  "tool-input-delta": true,
  "tool-input-available": true,
  "tool-input-error": true,
  "tool-approval-request": true,
  "tool-approval-response": true,
  "tool-output-available": true,
  "tool-output-error": true,
  "tool-output-denied": true,
  "source-url": true,
  "source-document": true,
  file: true,
  "reasoning-file": true,
  custom: true,
  "start-step": true,
  "finish-step": true,
  "reset-step": true,
  "steering-message": true,
  "message-metadata": true,
  finish: true,
  abort: true,
  error: true,
};

describe("uiMessageStream() passes every chunk of the protocol", () => {
  test("the golden chunks are all that the protocol has", () => {
    const golden = GOLDEN_CHUNKS.map(([type]) => type).filter((type) => !type.startsWith("data-"));
    expect(golden.toSorted()).toEqual(Object.keys(ALL_TYPES).toSorted());
  });

  test.each(GOLDEN_CHUNKS)("%s goes through unchanged, and the AI SDK takes it", async (_, { before = [], chunk }) => {
    await streams.append("s", [{ type: "start", messageId: "m" }, ...before, chunk], { end: { reason: "completed" } });
    const response = await uiMessageStream(new Request("http://test/"), streams.follow<UiChunk>("s"));
    const datas = (await response.text())
      .split("\n") // and not by U+2028, which ends no line of an event stream
      .flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
    expect(datas.at(-2)).toBe(JSON.stringify(chunk));
    const checked = await (await schemaOf()).validate!(JSON.parse(datas.at(-2)!));
    expect(checked).toMatchObject({ success: true, value: chunk });

    const chunks = datas.slice(0, -1).map((data) => JSON.parse(data) as UIMessageChunk);
    const errors: unknown[] = [];
    let message: UIMessage | undefined;
    const stream = new ReadableStream<UIMessageChunk>({
      start(controller) {
        for (const each of chunks) controller.enqueue(structuredClone(each));
        controller.enqueue({ type: "message-metadata", messageMetadata: {} }); // not every chunk shows by itself
        controller.close();
      },
    });
    for await (const each of readUIMessageStream({ stream, onError: (error) => void errors.push(error) }))
      message = each;
    expect(errors).toHaveLength(chunk["type"] === "error" ? 1 : 0);
    const ours = chunks.reduce(
      (state, each) => foldChunk(state, each as unknown as MessageChunk),
      emptyAnswer(""),
    ).message;
    expect(ours.parts.map((part) => part.type)).toEqual(message!.parts.map((part) => part.type));
  });
});

function schemaOf(): Promise<Awaited<ReturnType<typeof uiMessageChunkSchema>>> {
  return Promise.resolve(uiMessageChunkSchema());
}

describe("uiMessageStream() with the stock client", () => {
  test("sends, and gives headers that it expects and heartbeats that it passes over", async () => {
    const script = paced();
    answer = script.answer;
    const chat = chatOf();
    const sent = chat.sendMessage({ text: "hi" });
    script.say(...open);
    await vi.waitFor(() => expect(textOfLast(chat)).toBe("Hel"));
    const other = await fetch(`${api}/c/stream`);
    expect(other.headers.get("content-type")).toContain("text/event-stream");
    expect(other.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    expect(other.headers.get("x-accel-buffering")).toBe("no");
    await other.body?.cancel();
    script.say(...close);
    script.end();
    await sent;
    expect([chat.status, textOfLast(chat), chat.error]).toEqual(["ready", "Hello", undefined]);
  });

  test.each(["", "?prelude=1"])(
    "resumes in another tab with the same message id, and to the same end (api%s)",
    async (asked) => {
      query = asked;
      const script = paced();
      answer = script.answer;
      const first = chatOf();
      const sent = first.sendMessage({ text: "hi" });
      script.say(...open);
      await vi.waitFor(() => expect(textOfLast(first)).toBe("Hel"));
      const second = chatOf(structuredClone(first.messages.slice(0, 1)));
      const resumed = second.resumeStream();
      await vi.waitFor(() => expect(textOfLast(second)).toBe("Hel"));
      expect(second.messages.at(-1)!.id).toBe(first.messages.at(-1)!.id);
      script.say(...close);
      script.end();
      await Promise.all([sent, resumed]);
      expect(JSON.parse(JSON.stringify(second.messages))).toEqual(JSON.parse(JSON.stringify(first.messages)));
      expect(second.status).toBe("ready");
    },
  );

  test("resumes with 204 when nothing runs: ready, without an error", async () => {
    const chat = chatOf();
    await chat.resumeStream();
    expect([chat.status, chat.messages.length, chat.error]).toEqual(["ready", 0, undefined]);
  });

  test("an answer that fails is an error, and what came of it stays", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined); // where the failing answer is reported
    const script = paced();
    answer = script.answer;
    const chat = chatOf();
    const sent = chat.sendMessage({ text: "hi" });
    script.say(...open, new Error("secret"));
    await sent;
    expect([chat.status, textOfLast(chat)]).toEqual(["error", "Hel"]);
    expect(chat.error?.message).toBe("The answer failed before its end.");
  });

  test("an answer whose process died is an error", async () => {
    const script = paced();
    answer = script.answer;
    const chat = chatOf();
    const sent = chat.sendMessage({ text: "hi" });
    script.say(...open);
    await vi.waitFor(() => expect(textOfLast(chat)).toBe("Hel"));
    await streams.drain();
    await sent;
    expect([chat.status, textOfLast(chat)]).toEqual(["error", "Hel"]);
    expect(chat.error?.message).toContain("interrupted");
  });

  test("a connection that is cut never looks finished, and the rest comes by resuming", async () => {
    const script = paced();
    answer = script.answer;
    const chat = chatOf();
    const sent = chat.sendMessage({ text: "hi" });
    script.say(...open);
    await vi.waitFor(() => expect(textOfLast(chat)).toBe("Hel"));
    server.closeAllConnections();
    await sent;
    expect(chat.status).toBe("error");
    const resumed = chat.resumeStream();
    await vi.waitFor(() => expect(chat.status).toBe("streaming"));
    script.say(...close);
    script.end();
    await resumed;
    expect([chat.status, textOfLast(chat), chat.messages.length]).toEqual(["ready", "Hello", 2]);
  });
});
