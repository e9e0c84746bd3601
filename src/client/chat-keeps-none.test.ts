// Chat with a server that keeps nothing: what the page has is all there is, and it stays.

import { afterEach, describe, expect, test, vi } from "vitest";
import { deltaOf, leaveChats, ScriptedChat, setupChat, START, textsOf } from "./scripted-chat.test-support.ts";

afterEach(() => {
  leaveChats();
  vi.unstubAllGlobals();
});

/** Answers, and forgets: it has neither saved messages nor answers that could be joined. */
class ForgetfulChat extends ScriptedChat {
  forget(): void {
    this.saved = [];
    this.running = false;
    this.begin();
    this.running = false;
  }
}

describe("Chat with sendHistory", () => {
  test("coming back to the page keeps the messages, though the server knows none", async () => {
    const window = new EventTarget();
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
    const server = new ForgetfulChat();
    const { chat, when } = setupChat(server, { sendHistory: true, initialMessages: [] });
    await when((now) => now.status === "ready");
    chat.send("Hello?");
    await when((now) => now.connection === "open");
    server.emit(START);
    server.emit(deltaOf("Hi."));
    server.emit({ type: "finish" });
    await when((now) => now.status === "ready");
    server.forget();
    await chat.refresh();
    window.dispatchEvent(new Event("focus"));
    await vi.waitFor(() =>
      expect(server.requests.filter((each) => each.endsWith("/messages")).length).toBeGreaterThan(0),
    );
    expect(textsOf(chat.getSnapshot())).toEqual(["Hello?", "Hi."]);
    expect(chat.getSnapshot().messages[1]?.end).toEqual({ reason: "completed" });
  });

  test("an answer that is cut ends as interrupted, with what had come", async () => {
    const server = new ForgetfulChat();
    const { chat, when } = setupChat(server, { sendHistory: true, initialMessages: [] });
    await when((now) => now.status === "ready");
    chat.send("Hello?");
    await when((now) => now.connection === "open");
    server.emit(START);
    server.emit(deltaOf("Hi"));
    await when((now) => textsOf(now)[1] === "Hi");
    server.forget();
    server.instead.set("GET /c/stream", [() => new Response(null, { status: 404 })]);
    server.cut();
    const now = await when((now) => now.status === "error");
    expect(textsOf(now)).toEqual(["Hello?", "Hi"]);
    expect(now.messages[1]?.end?.reason).toBe("interrupted");
  });
});
