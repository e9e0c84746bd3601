import { afterEach, describe, expect, test, vi } from "vitest";
import {
  START,
  ScriptedChat,
  deltaOf,
  leaveChats,
  sentChat,
  setupChat,
  textsOf,
} from "./scripted-chat.test-support.ts";

afterEach(() => {
  leaveChats();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("Chat", () => {
  test("a chat that is new loads nothing and is ready after one request", async () => {
    const { server, when, chat } = setupChat();
    expect(chat.getSnapshot().status).toBe("loading");
    expect((await when((now) => now.status === "ready")).messages).toEqual([]);
    expect(server.requests).toEqual(["GET /c/messages"]);
  });

  test("send() shows the message at once, posts it in the AI SDK's shape, and folds the answer", async () => {
    const { chat, server, when, announced } = setupChat();
    await when((now) => now.status === "ready");
    expect(chat.send("  ")).toBe(false);
    expect(chat.send({ text: "Hello?" })).toBe(true);
    const now = chat.getSnapshot();
    expect(now).toMatchObject({ status: "submitted", messages: [{ role: "user", delivery: "sending" }] });
    expect(chat.send("again")).toBe(false);
    await when((now) => now.connection === "open");
    const user = chat.getSnapshot().messages[0];
    expect(user).toEqual({ id: expect.any(String), role: "user", parts: [{ type: "text", text: "Hello?" }] });
    const posted = server.calls.find((call) => call.method === "POST");
    expect(JSON.parse(String(posted?.body))).toEqual({
      id: "c",
      messages: [user],
      trigger: "submit-message",
      history: [],
      key: expect.stringMatching(/^[0-9a-f]{24}$/),
    });

    server.emit(START);
    server.emit(deltaOf("Good "));
    server.emit(deltaOf("day."));
    await when((now) => textsOf(now)[1] === "Good day.");
    expect(chat.getSnapshot().status).toBe("streaming");
    server.emit({ type: "finish" });
    const done = await when((now) => now.status === "ready");
    expect(done.messages[1]).toMatchObject({ id: "a1", end: { reason: "completed" } });
    expect(done).toMatchObject({ connection: "idle", error: null, announcement: "Answer finished" });
    expect(announced).toEqual(["Answer started", "Answer finished"]);
    expect(server.open).toBe(0);
  });

  test("an answer that is cut comes back through the stream route, without a doubled or missing character", async () => {
    const { chat, server, when } = await sentChat();
    server.emit(START);
    server.emit(deltaOf("ab"));
    await when((now) => textsOf(now)[1] === "ab");
    server.cut();
    await when((now) => now.connection === "waiting");
    server.emit(deltaOf("cd"));
    await when((now) => textsOf(now)[1] === "abcd");
    server.emit(deltaOf("ef"));
    server.emit({ type: "finish" });
    const done = await when((now) => now.status === "ready");
    expect(textsOf(done)).toEqual(["Hello?", "abcdef"]);
    expect(server.calls.at(-1)).toMatchObject({ method: "GET", url: "/api/chat/c/stream?prelude=1", cursor: "2" });
    expect(chat.getSnapshot().error).toBeNull();
  });

  test("a page that is loaded half-way shows the whole answer so far in one piece, then follows", async () => {
    const server = new ScriptedChat();
    server.saved = [
      { id: "u", role: "user", parts: [{ type: "text", text: "Q" }] },
      { id: "a1", role: "assistant", parts: [{ type: "text", text: "par" }] },
    ];
    server.begin();
    for (const chunk of [START, deltaOf("par"), deltaOf("tial")]) server.emit(chunk);
    const { chat, when } = setupChat(server);
    const shown = new Set<string>();
    chat.subscribe(() => shown.add(textsOf(chat.getSnapshot())[1] ?? ""));
    await when((now) => textsOf(now)[1] === "partial");
    server.emit(deltaOf(" answer"));
    server.emit({ type: "finish" });
    const done = await when((now) => now.status === "ready");
    expect(textsOf(done)).toEqual(["Q", "partial answer"]);
    expect([...shown]).toEqual(["", "par", "partial", "partial answer"].filter((text) => shown.has(text)));
    expect(server.requests).toEqual(["GET /c/messages", "GET /c/stream"]);
  });

  test("a tail without its start goes on with the saved answer", async () => {
    const server = new ScriptedChat();
    server.saved = [{ id: "a1", role: "assistant", parts: [] }];
    server.begin();
    server.emit(deltaOf("tail"));
    const { when } = setupChat(server);
    expect((await when((now) => textsOf(now)[0] === "tail")).messages[0]?.id).toBe("a1");
  });

  test("a chat whose last answer has ended, or that runs nothing, asks for no more than it must", async () => {
    const server = new ScriptedChat();
    server.saved = [{ id: "a", role: "assistant", parts: [], end: { reason: "completed" } }];
    await setupChat(server).when((now) => now.status === "ready");
    expect(server.requests).toEqual(["GET /c/messages"]);
    const other = new ScriptedChat();
    other.saved = [{ id: "u", role: "user", parts: [] }];
    await setupChat(other).when((now) => now.status === "ready");
    expect(other.requests).toEqual(["GET /c/messages", "GET /c/stream", "GET /c/messages"]);
  });

  test("an answer that ended while the page was cut off is taken from the saved messages, with its end", async () => {
    const { server, when, announced } = await sentChat();
    server.emit(START);
    server.emit(deltaOf("half"));
    await when((now) => textsOf(now)[1] === "half");
    server.running = false;
    const end = { reason: "interrupted", message: "The server stopped." } as const;
    server.saved = [...server.saved, { id: "a1", role: "assistant", parts: [{ type: "text", text: "half a" }], end }];
    server.cut();
    const now = await when((now) => now.status === "error");
    expect(textsOf(now)).toEqual(["Hello?", "half a"]);
    expect(now.error).toMatchObject({ code: "source_failed", message: "The server stopped." });
    expect(announced.at(-1)).toBe("Answer interrupted");
  });

  test.each([
    [{ type: "error", errorText: "Model gone." }, "failed", "Answer failed: Model gone."],
    [{ type: "error", errorText: "Died.", reason: "interrupted" }, "interrupted", "Answer interrupted"],
  ])("a terminal %j is shown as what it is, and the next message works", async (chunk, reason, announcement) => {
    const { chat, server, when } = await sentChat();
    server.emit(START);
    server.emit(deltaOf("x"));
    server.emit(chunk);
    const now = await when((now) => now.status === "error");
    expect(now.messages[1]?.end?.reason).toBe(reason);
    expect(now.announcement).toBe(announcement);
    expect(chat.send("next")).toBe(true);
    await when((now) => now.connection === "open");
    expect(chat.getSnapshot().error).toBeNull();
  });

  test("a POST that is refused keeps the message, marks it, and retry() sends it again", async () => {
    const { chat, server, when, announced } = setupChat();
    await when((now) => now.status === "ready");
    const problem = { detail: "Too long.", code: "input_invalid", field: "messages" };
    const headers = { "content-type": "application/problem+json" };
    server.instead.set("POST /", [() => new Response(JSON.stringify(problem), { status: 422, headers })]);
    chat.send("Hello?");
    const now = await when((now) => now.status === "error");
    expect(now.messages).toMatchObject([{ role: "user", delivery: "failed" }]);
    expect(now.error).toMatchObject({ status: 422, details: { field: "messages" } });
    expect(announced).toEqual([expect.stringContaining("Too long.")]);
    expect(chat.retry()).toBe(true);
    await when((now) => now.connection === "open");
    expect(chat.getSnapshot().messages[0]?.delivery).toBeUndefined();
    const [first, again] = server.calls.filter((call) => call.method === "POST").map((call) => String(call.body));
    expect(again).toBe(first); // with its key: should the server have taken it after all, nothing is done twice
  });

  test("retry() drops the answer and names it", async () => {
    const { chat, server, when } = await sentChat();
    server.emit(START);
    server.emit(deltaOf("bad"));
    server.emit({ type: "abort" });
    await when((now) => now.status === "ready");
    chat.retry();
    expect(textsOf(chat.getSnapshot())).toEqual(["Hello?"]);
    await when((now) => now.connection === "open");
    expect(JSON.parse(String(server.calls.at(-1)?.body))).toMatchObject({
      trigger: "regenerate-message",
      messageId: "a1",
    });
  });

  test("a chat that cannot be loaded is an error, and retry() loads it", async () => {
    const server = new ScriptedChat();
    server.instead.set("GET /c/messages", [
      () => new Response(null, { status: 500 }),
      () => Response.json({ messages: [{ id: 1 }] }),
    ]);
    const { chat, when } = setupChat(server);
    expect((await when((now) => now.status === "error")).error).toMatchObject({
      code: "connection_failed",
      status: 500,
    });
    chat.retry();
    await when((now) => now.status === "loading");
    expect((await when((now) => now.status === "error")).error?.code).toBe("decode_failed");
    chat.retry();
    await when((now) => now.status === "ready");
  });

  test("at most one commit per frame while it streams, and the end at once", async () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
    vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
    const { chat, server, when } = await sentChat();
    let commits = 0;
    chat.subscribe(() => (commits += 1));
    server.emit(START);
    for (let index = 0; index < 200; index += 1) server.emit(deltaOf(`${index} `));
    await vi.waitFor(() => expect(frames.length).toBe(1));
    expect(commits).toBe(0);
    frames.shift()?.();
    expect(commits).toBe(1);
    server.emit(deltaOf("last"));
    server.emit({ type: "finish" });
    const done = await when((now) => now.status === "ready");
    expect(textsOf(done)[1]).toMatch(/198 199 last$/);
    expect(commits).toBe(2);
  });
});
