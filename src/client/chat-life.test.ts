import { afterEach, describe, expect, test, vi } from "vitest";
import { START, deltaOf, leaveChats, sentChat, setupChat, textsOf } from "./scripted-chat.test-support.ts";

afterEach(() => {
  leaveChats();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("Chat", () => {
  test("stop() reaches the server, keeps following, and keeps what was written", async () => {
    const { chat, server, when, announced } = await sentChat();
    server.emit(START);
    server.emit(deltaOf("some"));
    await when((now) => textsOf(now)[1] === "some");
    void chat.stop();
    expect(chat.getSnapshot()).toMatchObject({ stopping: true, status: "streaming" });
    const now = await when((now) => now.status === "ready");
    expect(now.messages[1]).toMatchObject({ parts: [{ text: "some" }], end: { reason: "stopped" } });
    expect(now.stopping).toBe(false);
    expect(announced.at(-1)).toBe("Answer stopped");
    expect(server.requests.filter((request) => request === "POST /c/stop")).toHaveLength(1);
  });

  test("stop() works before the first token, also when it overtakes its message", async () => {
    const { chat, server, when } = setupChat();
    await when((now) => now.status === "ready");
    let answer = (): void => undefined;
    const late = new Promise<void>((resolve) => (answer = resolve));
    const own = server.fetch;
    server.instead.set("POST /", [
      async () => {
        await late;
        return own("/api/chat", { method: "POST", body: '{"messages":[{"id":"u","role":"user","parts":[]}]}' });
      },
    ]);
    chat.send("Hello?");
    await chat.stop();
    expect(server.requests).toContain("POST /c/stop");
    answer();
    const now = await when((now) => now.status === "ready");
    expect(now.messages[1]).toMatchObject({ role: "assistant", end: { reason: "stopped" } });
    expect(server.requests.filter((request) => request === "POST /c/stop")).toHaveLength(2);
  });

  test("stop() from another tab ends this one", async () => {
    const { server, when } = await sentChat();
    const other = setupChat(server);
    server.emit(START);
    server.emit(deltaOf("x"));
    await other.when((now) => now.status === "streaming");
    await other.chat.stop();
    expect((await when((now) => now.status === "ready")).messages[1]?.end).toEqual({ reason: "stopped" });
  });

  test("stop() closes here after stopTimeoutMs, says so, and not before", async () => {
    const { chat, server, when } = await sentChat({ stopTimeoutMs: 5000 });
    server.emit(START);
    server.emit(deltaOf("x"));
    await when((now) => now.status === "streaming");
    vi.useFakeTimers();
    server.instead.set("POST /c/stop", [() => new Promise<Response>(() => undefined)]);
    void chat.stop();
    await vi.advanceTimersByTimeAsync(4999);
    expect(chat.getSnapshot().stopping).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    const now = chat.getSnapshot();
    expect(now).toMatchObject({ status: "ready", stopping: false, connection: "idle", announcement: "Answer stopped" });
    expect(now.messages[1]?.end?.message).toContain("within 5000 ms");
    expect(now.error?.code).toBe("connection_failed");
    expect(server.open).toBe(0);
  });

  test("stop() that the server refuses is an error, and the answer goes on", async () => {
    const { chat, server, when } = await sentChat();
    server.instead.set("POST /c/stop", [() => new Response(null, { status: 403 })]);
    await chat.stop();
    expect(chat.getSnapshot()).toMatchObject({ stopping: false, status: "submitted", error: { status: 403 } });
    server.emit(START);
    server.emit({ type: "finish" });
    await when((now) => now.status === "ready");
  });

  test("leaving while a stop is awaited leaves no timer", async () => {
    const { chat, server, leave } = await sentChat();
    vi.useFakeTimers();
    server.instead.set("POST /c/stop", [() => new Promise<Response>(() => undefined)]);
    void chat.stop();
    expect(vi.getTimerCount()).toBe(1);
    leave();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("leaving closes the connection, and never stops the run", async () => {
    const { server, leave, when } = await sentChat();
    server.emit(START);
    server.emit(deltaOf("x"));
    await when((now) => now.status === "streaming");
    leave();
    expect(server.open).toBe(0);
    expect(server.running).toBe(true);
    expect(server.requests.some((request) => request.endsWith("/stop"))).toBe(false);
  });

  test("attach() again picks the answer up, and StrictMode's double attach makes one request", async () => {
    const { chat, server, leave, when } = await sentChat();
    server.emit(START);
    server.emit(deltaOf("x"));
    await when((now) => now.status === "streaming");
    leave();
    server.emit(deltaOf("y"));
    server.requests.length = 0;
    const first = chat.attach();
    first();
    const last = chat.attach();
    await when((now) => textsOf(now)[1] === "xy");
    expect(server.requests).toEqual(["GET /c/messages", "GET /c/stream"]);
    last();
    expect(server.open).toBe(0);
  });

  test("coming back to the page shows what another tab has done, and follows what runs there", async () => {
    const window = new EventTarget();
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
    const { server, when } = setupChat();
    await when((now) => now.status === "ready");
    server.saved = [{ id: "u", role: "user", parts: [{ type: "text", text: "from tab two" }] }];
    server.begin();
    server.emit(START);
    window.dispatchEvent(new Event("focus"));
    window.dispatchEvent(new Event("focus"));
    await when((now) => now.status === "submitted");
    expect(server.requests).toEqual(["GET /c/messages", "GET /c/messages", "GET /c/stream"]);
    server.emit(deltaOf("live"));
    expect(textsOf(await when((now) => now.status === "streaming"))).toEqual(["from tab two", "live"]);
  });
});
