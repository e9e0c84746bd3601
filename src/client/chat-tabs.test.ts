import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Answerer } from "../chat/conversations-types.ts";
import { Conversations } from "../chat/conversations.ts";
import { uiMessageStream } from "../chat/ui-message-stream.ts";
import { problem } from "../http/problem.ts";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { sse } from "../reply/sse.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { type ChatMessage, messageText } from "../wire/ui-message.ts";
import { Chat } from "./chat.ts";
import type { ChatOptions, ChatSnapshot } from "./chat-types.ts";
import { until } from "./scripted-chat.test-support.ts";

let streams: Streams;
let chats: Conversations;
let requests: string[];
let open: number;
let release: () => void;
let gate: Promise<void>;
const leaves: (() => void)[] = [];

beforeEach(() => {
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  chats = new Conversations(streams);
  requests = [];
  open = 0;
  gate = new Promise((resolve) => (release = resolve));
});
afterEach(async () => {
  for (const leave of leaves.splice(0)) leave();
  await streams.close();
});

/** Says "half", and the rest once the gate is open. */
const answer: Answerer = async function* ({ messages, signal }): AsyncGenerator<UiChunk> {
  yield { type: "text-delta", id: "t", delta: "half" };
  const stopped = new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error)),
  );
  await Promise.race([gate, stopped]);
  yield { type: "text-delta", id: "t", delta: ` ${messages.length}` };
};

async function handle(request: Request): Promise<Response> {
  const url = new URL(request.url);
  const [, what] = /^\/api\/chat(?:\/c\/(\w+))?$/.exec(url.pathname) ?? [];
  if (what === undefined) {
    const body = (await request.json()) as {
      messages: ChatMessage[];
      history: string[];
      key: string;
      messageId?: string;
      trigger: string;
    };
    const { messages, history, key, messageId: replaces, trigger } = body;
    const isRegeneration = trigger === "regenerate-message";
    const message = messages.at(-1)!;
    const run = await chats.send({ id: "c", message, history, key, replaces, isRegeneration, answer });
    return uiMessageStream(request, run);
  }
  if (what === "turns") return sse(request, chats.follow("c"));
  if (what === "stop") {
    await chats.stop("c");
    return new Response(null, { status: 204 });
  }
  if (what === "messages") {
    const page = await chats.page("c", {
      count: Number(url.searchParams.get("count")),
      branch: url.searchParams.get("branch") ?? undefined,
    });
    return page === undefined ? new Response(null, { status: 404 }) : Response.json(page);
  }
  const latest = await chats.latest("c");
  const head = latest && (await streams.head(latest.name));
  const isOver = head === undefined || (head.end !== undefined && !request.headers.has("last-event-id"));
  return latest === undefined || isOver ? new Response(null, { status: 204 }) : uiMessageStream(request, latest);
}

const fetch: ChatOptions["fetch"] = async (input, init) => {
  const { signal, ...rest } = init;
  const request = new Request(new URL(String(input), "http://test"), rest);
  requests.push(`${request.method} ${new URL(request.url).pathname}`);
  const response = await handle(request).catch((error: unknown) => problem(error));
  const { body } = response;
  if (body === null) return response;
  // As a browser does: an abort cuts the body.
  const through = new TransformStream<Uint8Array, Uint8Array>();
  open += 1;
  void body.pipeTo(through.writable, signal ? { signal } : {}).then(
    () => (open -= 1),
    () => (open -= 1),
  );
  return new Response(through.readable, response);
};

interface Tab {
  readonly chat: Chat;
  readonly when: (holds: (now: ChatSnapshot) => boolean) => Promise<ChatSnapshot>;
}

function openTab(options: Partial<ChatOptions> = {}): Tab {
  const chat = new Chat({ id: "c", fetch, connection: { minDelayMs: 1, maxDelayMs: 2 }, ...options });
  leaves.push(chat.attach());
  return {
    chat,
    when: async (holds) => {
      await until(chat.subscribe, () => holds(chat.getSnapshot()));
      return chat.getSnapshot();
    },
  };
}

const said = (now: ChatSnapshot): string[] => now.messages.map(messageText);

describe("two tabs on one store", () => {
  test("a turn that one begins appears in the other by itself, is followed there live, and can be stopped from there", async () => {
    const one = openTab();
    await one.when((now) => now.status === "ready");
    one.chat.send("a");
    release();
    await one.when((now) => now.status === "ready" && said(now)[1] === "half 1");
    const two = openTab();
    await two.when((now) => said(now)[1] === "half 1" && now.status === "ready");
    gate = new Promise((resolve) => (release = resolve));
    two.chat.send("b");
    await one.when((now) => now.status === "streaming" && said(now)[3] === "half");
    await one.chat.stop();
    const ends = await Promise.all([one, two].map((tab) => tab.when((now) => now.messages[3]?.end !== undefined)));
    for (const now of ends) expect(now.messages[3]?.end).toEqual({ reason: "stopped" });
    expect(ends[0]!.messages.map(({ id }) => id)).toEqual(ends[1]!.messages.map(({ id }) => id));
  });

  test("a message whose answer was lost on the way is sent again and joins its run: the model is asked once", async () => {
    let isLost = false;
    let asked = 0;
    const lossy: ChatOptions["fetch"] = async (input, init) => {
      const response = await fetch(input, init);
      if (init.method !== "POST") return response;
      asked += 1;
      if (isLost) return response;
      isLost = true;
      await response.body?.cancel();
      throw new TypeError("Failed to fetch");
    };
    const { chat, when } = openTab({ fetch: lossy, live: false });
    await when((now) => now.status === "ready");
    chat.send("one");
    expect((await when((now) => now.status === "error")).messages).toMatchObject([{ delivery: "failed" }]);
    expect(chat.retry()).toBe(true);
    await when((now) => said(now)[1] === "half");
    release();
    const now = await when((now) => now.status === "ready");
    expect(said(now)).toEqual(["one", "half 1"]);
    expect(asked).toBe(2);
    expect((await chats.messages("c"))?.length).toBe(2);
    const { messages } = (await chats.export("c"))!;
    expect(messages).toHaveLength(2); // on all branches
  });

  test("a message that takes the turn of another tab's answer appears there behind what that had said", async () => {
    const [one, two] = [openTab(), openTab()];
    await Promise.all([one, two].map((tab) => tab.when((now) => now.status === "ready")));
    one.chat.send("a");
    await one.when((now) => said(now)[1] === "half");
    await two.chat.refresh();
    await two.when((now) => said(now)[1] === "half");
    expect(two.chat.send("b", { whileStreaming: "replace" })).toBe(true);
    await two.when((now) => said(now)[3] === "half");
    release();
    const shown = await one.when((now) => said(now)[3] === "half 3" && now.status === "ready");
    expect(said(shown)).toEqual(["a", "half", "b", "half 3"]);
    expect(shown.messages[1]?.end).toEqual({ reason: "stopped" });
  });

  test("branches made in one tab are there in the other, and each shows the one it has switched to", async () => {
    release();
    const one = openTab();
    await one.when((now) => now.status === "ready");
    one.chat.send("a");
    await one.when((now) => now.messages[1]?.end !== undefined);
    const two = openTab();
    await two.when((now) => now.messages.length === 2 && now.status === "ready");
    two.chat.edit(two.chat.getSnapshot().messages[0]!.id, "A");
    const now = await one.when((now) => said(now)[0] === "A" && now.messages[1]?.end !== undefined);
    expect(now.messages[0]?.branch).toMatchObject({ index: 1, count: 2 });
    expect(await one.chat.switchBranch(now.messages[0]!.branch!.previousId!)).toBe(true);
    expect(said(one.chat.getSnapshot())).toEqual(["a", "half 1"]);
    expect(said(two.chat.getSnapshot())).toEqual(["A", "half 1"]);
    expect(two.chat.regenerate()).toBe(true);
    await two.when((now) => now.messages[1]?.branch?.count === 2);
    expect(said(one.chat.getSnapshot())).toEqual(["a", "half 1"]);
  });

  test("a tab holds one connection, whether it waits or follows, and none once it is left", async () => {
    const one = openTab();
    await one.when((now) => now.status === "ready");
    one.chat.send("a");
    await one.when((now) => said(now)[1] === "half");
    expect(open).toBe(1);
    release();
    await one.when((now) => now.status === "ready" && now.title === "a");
    expect(open).toBeLessThanOrEqual(1);
    leaves.pop()!();
    await vi.waitFor(() => expect(open).toBe(0));
  });

  test("a conversation that is deleted is empty in the tab that shows it", async () => {
    release();
    const one = openTab();
    await one.when((now) => now.status === "ready");
    one.chat.send("a");
    await one.when((now) => now.status === "ready" && now.title === "a");
    await chats.delete("c");
    expect((await one.when((now) => now.messages.length === 0)).status).toBe("ready");
  });
});
