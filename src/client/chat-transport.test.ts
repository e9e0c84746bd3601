// TailraceChatTransport over a scripted fetch: what it sends, what it gives, and how a cut is mended.

import { DefaultChatTransport, type ChatTransport, type UIMessage } from "ai";
import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { TailraceChatTransport } from "./chat-transport.ts";
import {
  CHUNKS,
  DONE,
  errorOf,
  fastTransport,
  readAll,
  sendOptions,
  type WireOptions,
  wireOf,
} from "./chat-transport.test-support.ts";
import type { ChatTransportOptions } from "./chat-transport-types.ts";
import { bodyOf, handBody, scriptedFetch, sseResponse, toBytes } from "./scripted-fetch.test-support.ts";
import type { Fetch } from "./stream-types.ts";
import type { MessageChunk } from "../wire/ui-message.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A transport whose requests are answered in turn; the last answer stays. */
function scripted(answers: readonly ((cursor: string | null) => Response)[], options: ChatTransportOptions = {}) {
  const script = scriptedFetch((call, attempt) => answers[Math.min(attempt, answers.length) - 1]!(call.cursor));
  return { transport: fastTransport(script.fetch, options), calls: script.calls };
}

/** The first chunks, and then a broken connection. */
const head = (count: number, options?: WireOptions): Response =>
  sseResponse(
    bodyOf(
      [
        wireOf(null, options)
          .split("\n\n")
          .slice(0, count + 1)
          .join("\n\n") + "\n\n",
      ],
      "break",
    ),
  );

describe("TailraceChatTransport", () => {
  test("fits where the AI SDK takes a transport", () => {
    expectTypeOf<TailraceChatTransport>().toExtend<ChatTransport<UIMessage>>();
    const transport: ChatTransport<UIMessage> = new TailraceChatTransport();
    expect(transport.resumeStreamIsReplay).toBe(true);
  });

  test("sendMessages() sends what DefaultChatTransport sends", async () => {
    const { fetch, calls } = scriptedFetch(() => sseResponse(wireOf()));
    const shared = { api: "/api/chat?v=1", body: { session: 7 }, headers: { "x-app": "1" } };
    const call = {
      ...sendOptions({ trigger: "regenerate-message", messageId: "a0" }),
      headers: { "x-call": "2" },
      body: { model: "m" },
    };
    const own = new DefaultChatTransport<UIMessage>({ ...shared, fetch: fetch as typeof globalThis.fetch });
    await readAll(await own.sendMessages(call as never));
    await readAll(await fastTransport(fetch, shared).sendMessages(call));
    const [theirs, ours] = calls.map(({ url, method, body, headers }) => ({
      url,
      method,
      body: JSON.parse(String(body)) as unknown,
      headers: ["x-app", "x-call", "content-type"].map((name) => headers.get(name)),
    }));
    expect(ours).toEqual(theirs);
    expect(ours?.headers).toEqual(["1", "2", "application/json"]);
    expect(ours?.body).toMatchObject({
      id: "c",
      trigger: "regenerate-message",
      messageId: "a0",
      session: 7,
      model: "m",
    });
  });

  test("reconnectToStream() settles no more once a message of its chat is sent, and leaves other chats alone", async () => {
    const answers: ((response: Response) => void)[] = [];
    const left: string[] = [];
    const fetch: Fetch = (input, init) => {
      if (init.method === "POST") return Promise.resolve(sseResponse(wireOf()));
      init.signal?.addEventListener("abort", () => left.push(String(input)));
      return new Promise((resolve) => answers.push(resolve));
    };
    const transport = fastTransport(fetch);
    const life = new AbortController();
    const settled = vi.fn<() => void>();
    const overtaken = transport.reconnectToStream({ chatId: "c", abortSignal: life.signal });
    overtaken.then(settled, settled);
    const other = transport.reconnectToStream({ chatId: "d" });
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    expect(await readAll(await transport.sendMessages<MessageChunk>(sendOptions()))).toEqual(CHUNKS);
    expect(left).toEqual(["/api/chat/c/stream?prelude=1"]);
    for (const answer of answers) answer(new Response(null, { status: 204 }));
    expect(await other).toBeNull();
    expect(settled).not.toHaveBeenCalled();
    const reason = new Error("left");
    life.abort(reason);
    await expect(overtaken).rejects.toBe(reason);
  });

  test("sendMessages() sends the last message alone if asked, and makes headers and body anew each time", async () => {
    const { fetch, calls } = scriptedFetch(() => sseResponse(wireOf()));
    let count = 0;
    const transport = fastTransport(fetch, {
      lastMessageOnly: true,
      headers: () => ({ "x-count": String(++count) }),
      body: () => Promise.resolve({ count }),
    });
    const messages = Array.from({ length: 22 }, (_, index) => ({ id: String(index) }));
    await readAll(await transport.sendMessages(sendOptions({ messages })));
    await readAll(await transport.sendMessages(sendOptions({ messages: messages.slice(0, 21) })));
    expect(calls.map(({ headers }) => headers.get("x-count"))).toEqual(["1", "2"]);
    expect(calls.map(({ body }) => JSON.parse(String(body)) as unknown)).toMatchObject([
      { messages: [{ id: "21" }], history: messages.slice(1, 21).map(({ id }) => id), count: 0 },
      { messages: [{ id: "20" }], history: messages.slice(0, 20).map(({ id }) => id), count: 1 },
    ]);
  });

  test("sendMessages() rejects a refusal with its reason, and a page that is no stream", async () => {
    const problem = { status: 422, headers: { "content-type": "application/problem+json" } };
    const { transport } = scripted([
      () => new Response('{"detail":"Too long."}', problem),
      () => new Response("<h1>Log in</h1>", { headers: { "content-type": "text/html" } }),
      () => new Response(null, { status: 204 }),
    ]);
    const send = (): Promise<unknown> => transport.sendMessages(sendOptions());
    await expect(send()).rejects.toMatchObject({
      code: "response_refused",
      status: 422,
      message: expect.stringContaining("Too long"),
    });
    await expect(send()).rejects.toMatchObject({
      code: "response_refused",
      message: expect.stringContaining("text/html"),
    });
    await expect(send()).rejects.toMatchObject({
      code: "response_refused",
      message: expect.stringContaining("without a stream"),
    });
  });

  test.each([".", ".."])("a chat of the id %s is refused: its address would be another's", async (chatId) => {
    const { transport, calls } = scripted([() => sseResponse(wireOf())]);
    await expect(transport.reconnectToStream({ chatId })).rejects.toMatchObject({ code: "input_invalid" });
    expect(calls).toEqual([]);
  });

  test("reconnectToStream() asks where the AI SDK asks, and gives null for 204 and 404", async () => {
    const { transport, calls } = scripted(
      [
        () => sseResponse(wireOf()),
        () => new Response(null, { status: 204 }),
        () => new Response(null, { status: 404 }),
      ],
      { api: "/api/chat/?v=1" },
    );
    expect(await readAll(await transport.reconnectToStream({ chatId: "a/b" }))).toEqual(CHUNKS);
    expect(await transport.reconnectToStream({ chatId: "c" })).toBeNull();
    expect(await transport.reconnectToStream({ chatId: "c" })).toBeNull();
    expect(calls[0]).toMatchObject({ method: "GET", url: "/api/chat/a%2Fb/stream?v=1&prelude=1", cursor: null });
  });

  test("reconnectToStream() rejects after maxAttempts, not one before", async () => {
    const down = (): Response => new Response(null, { status: 503 });
    const connection = { minDelayMs: 1, maxDelayMs: 2, maxAttempts: 3 };
    const lost = scripted([down], { connection });
    await expect(lost.transport.reconnectToStream({ chatId: "c" })).rejects.toMatchObject({
      code: "connection_failed",
    });
    expect(lost.calls).toHaveLength(3);
    const found = scripted([down, down, () => sseResponse(wireOf())], { connection });
    expect(await readAll(await found.transport.reconnectToStream({ chatId: "c" }))).toEqual(CHUNKS);
  });
});

describe("TailraceChatTransport and cuts", () => {
  test.each(["break", "close"] as const)(
    "an answer cut at any byte (%s) is given whole, each chunk once",
    async (how) => {
      const full = toBytes(wireOf());
      for (let cut = 0; cut < full.length; cut++) {
        const { fetch, calls } = scriptedFetch((call, attempt) => {
          if (attempt > 1) return sseResponse(wireOf(call.cursor));
          let sent = false;
          const text = full.slice(0, cut);
          const parts = new ReadableStream<Uint8Array<ArrayBuffer>>({
            pull(controller) {
              if (!sent && text.length > 0) controller.enqueue(text);
              else if (how === "close") controller.close();
              else controller.error(new TypeError("terminated"));
              sent = true;
            },
          });
          return sseResponse(parts);
        });
        const chunks = await readAll(await fastTransport(fetch).sendMessages(sendOptions()));
        expect(chunks, `cut at ${cut}`).toEqual(CHUNKS);
        expect(calls.slice(1).map(({ method, url }) => `${method} ${url}`)).toEqual(
          calls.length === 1 ? [] : ["GET /api/chat/c/stream?prelude=1"],
        );
      }
    },
  );

  test("after maxAttempts the answer ends with an error chunk, and one before it goes on", async () => {
    const down = (): Response => new Response(null, { status: 502 });
    const connection = { minDelayMs: 1, maxDelayMs: 2, maxAttempts: 3 };
    const lost = scripted([() => head(3), down], { connection });
    const chunks = await readAll(await lost.transport.sendMessages(sendOptions()));
    expect(chunks.slice(0, -1)).toEqual(CHUNKS.slice(0, 3));
    expect(errorOf(chunks)).toContain("3 attempts");
    const found = scripted([() => head(3), down, (cursor) => sseResponse(wireOf(cursor))], { connection });
    expect(await readAll(await found.transport.sendMessages(sendOptions()))).toEqual(CHUNKS);
  });

  test("an answer that the server no longer runs ends with an error chunk", async () => {
    const { transport } = scripted([() => head(3), () => new Response(null, { status: 204 })]);
    expect(errorOf(await readAll(await transport.sendMessages(sendOptions())))).toContain("no longer runs");
  });

  test("[DONE] without a terminal chunk ends with an error chunk", async () => {
    const { transport, calls } = scripted([() => sseResponse(wireOf(null, { chunks: CHUNKS.slice(0, 3) }))]);
    expect(errorOf(await readAll(await transport.sendMessages(sendOptions())))).toContain("without saying how");
    expect(calls).toHaveLength(1);
  });

  test("what is no chunk ends with an error chunk", async () => {
    const { transport } = scripted([() => sseResponse(`id: 1\ndata: {"type":"start"}\n\ndata: hello\n\n${DONE}`)]);
    expect(errorOf(await readAll(await transport.sendMessages(sendOptions())))).toContain("no chunk");
  });

  test.each([
    { type: "error", errorText: "x" },
    { type: "abort", reason: "stopped" },
  ])("a terminal of the server's own stays the last: $type", async (terminal) => {
    const chunks = [...CHUNKS.slice(0, 3), terminal];
    const { transport } = scripted([() => sseResponse(wireOf(null, { chunks }))]);
    expect(await readAll(await transport.sendMessages(sendOptions()))).toEqual(chunks);
  });

  test("chunks behind a finish are given, also when they were cut off; and the server need not have any", async () => {
    const chunks = [...CHUNKS, { type: "data-title", data: "T" }];
    const cut = (): Response => head(CHUNKS.length, { chunks });
    const more = scripted([cut, (cursor) => sseResponse(wireOf(cursor, { chunks }))]);
    expect(await readAll(await more.transport.sendMessages(sendOptions()))).toEqual(chunks);
    const none = scripted([cut, () => new Response(null, { status: 500 })]);
    expect(await readAll(await none.transport.sendMessages(sendOptions()))).toEqual(CHUNKS);
    expect(none.calls).toHaveLength(2);
  });

  test.each([true, false])("a server that begins anew doubles nothing (ids: %s)", async (ids) => {
    const { transport } = scripted([() => head(3, { ids }), () => sseResponse(wireOf(null, { ids }))]);
    expect(await readAll(await transport.sendMessages(sendOptions()))).toEqual(CHUNKS);
  });

  test("another answer, and a rest without ids, are no continuation: an error chunk", async () => {
    const other = [{ type: "start", messageId: "a2" }, ...CHUNKS.slice(1)];
    const rest = { ids: false, chunks: CHUNKS.slice(3) };
    for (const [first, second, words] of [
      [head(3), sseResponse(wireOf(null, { chunks: other })), "another answer"],
      [head(3, { ids: false }), sseResponse(wireOf(null, rest)), "no ids"],
    ] as const) {
      const { transport } = scripted([() => first, () => second]);
      const chunks = await readAll(await transport.sendMessages(sendOptions()));
      expect(chunks.slice(0, -1)).toEqual(CHUNKS.slice(0, 3));
      expect(errorOf(chunks)).toContain(words);
    }
  });

  test("Retry-After is a lower bound, and online does not undercut it", async () => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
    vi.useFakeTimers();
    const wait = (): Response => new Response(null, { status: 503, headers: { "retry-after": "20" } });
    const { transport, calls } = scripted([() => head(3), wait, (cursor) => sseResponse(wireOf(cursor))]);
    const all = transport.sendMessages<MessageChunk>(sendOptions()).then(readAll);
    await vi.advanceTimersByTimeAsync(19_000);
    page.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await all).toEqual(CHUNKS);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("online hurries, and silence of idleMs is a cut", async () => {
    const page = new EventTarget();
    const added = vi.fn(page.addEventListener.bind(page));
    const removed = vi.fn(page.removeEventListener.bind(page));
    vi.stubGlobal("addEventListener", added);
    vi.stubGlobal("removeEventListener", removed);
    vi.useFakeTimers();
    const silent = handBody();
    const { transport, calls } = scripted([() => sseResponse(silent.stream), (cursor) => sseResponse(wireOf(cursor))], {
      connection: { minDelayMs: 60_000, maxDelayMs: 60_000, idleMs: 5_000 },
    });
    const all = transport.sendMessages<MessageChunk>(sendOptions()).then(readAll);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(silent.cancelled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(silent.cancelled).toBe(true);
    expect(calls).toHaveLength(1);
    page.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(0);
    expect(await all).toEqual(CHUNKS);
    expect(vi.getTimerCount()).toBe(0);
    expect(added).toHaveBeenCalled();
    expect(removed.mock.calls).toEqual(added.mock.calls);
  });
});
