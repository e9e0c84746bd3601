import { afterEach, describe, expect, test, vi } from "vitest";
import type { ChatSnapshot } from "./chat-types.ts";
import { MAX_FILES } from "./chat-input.ts";
import { MAX_QUEUED } from "./chat-queue.ts";
import {
  type ChatSetup,
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
});

/** The bodies of the first `count` POSTs, once they are made. */
const posts = (server: ScriptedChat, count: number): Promise<Record<string, unknown>[]> =>
  vi.waitFor(() => {
    const calls = server.calls.filter((call) => call.method === "POST" && call.url === "/api/chat");
    expect(calls).toHaveLength(count);
    return calls.map((call) => JSON.parse(String(call.body)) as Record<string, unknown>);
  });
const isReady = (now: ChatSnapshot): boolean => now.status === "ready";
const isOpen = (now: ChatSnapshot): boolean => now.connection === "open";

/** A chat with one question and its whole answer. */
async function answeredChat(options?: Parameters<typeof setupChat>[1]): Promise<ChatSetup> {
  const all = await sentChat(options);
  all.server.emit(START);
  all.server.emit(deltaOf("Hi."));
  all.server.emit({ type: "finish" });
  await all.when(isReady);
  return all;
}

describe("Chat", () => {
  test("send() refuses, queues or replaces while it streams, as it is told", async () => {
    const { chat, server, when } = await sentChat();
    expect(chat.send("refused")).toBe(false);
    expect(chat.send("second", { whileStreaming: "queue" })).toBe(true);
    expect(chat.send("third", { whileStreaming: "queue" })).toBe(true);
    expect(chat.getSnapshot().queued.map((message) => message.parts)).toEqual([
      [{ type: "text", text: "second" }],
      [{ type: "text", text: "third" }],
    ]);
    expect(chat.unqueue(chat.getSnapshot().queued[1]!.id)).toBe(true);
    expect(chat.unqueue("none")).toBe(false);
    server.emit(START);
    server.emit(deltaOf("one"));
    server.emit({ type: "finish" });
    await when((now) => now.queued.length === 0 && isOpen(now));
    expect(textsOf(chat.getSnapshot())).toEqual(["Hello?", "one", "second"]);
    server.emit({ type: "start", messageId: "a2" });
    server.emit(deltaOf("half"));
    await when((now) => textsOf(now)[3] === "half");
    expect(chat.send("no, this", { whileStreaming: "replace" })).toBe(true);
    const now = chat.getSnapshot();
    expect(textsOf(now)).toEqual(["Hello?", "one", "second", "half", "no, this"]);
    expect(now.messages[3]?.end).toEqual({ reason: "stopped" });
    expect((await posts(server, 3)).map((body) => body["history"])).toEqual([
      [],
      [now.messages[0]!.id, "a1"],
      [now.messages[0]!.id, "a1", now.messages[2]!.id, "a2"],
    ]);
    expect(server.open).toBeLessThanOrEqual(1);
  });

  test("a queue holds MAX_QUEUED messages and not one more, and waits when the answer was stopped", async () => {
    const { chat, server, when } = await sentChat({ whileStreaming: "queue" });
    for (let index = 0; index < MAX_QUEUED; index++) expect(chat.send(`m${index}`)).toBe(true);
    expect(chat.send("one more")).toBe(false);
    server.emit({ type: "abort" });
    expect((await when(isReady)).queued).toHaveLength(MAX_QUEUED);
    await posts(server, 1);
    chat.unqueue(chat.getSnapshot().queued.at(-1)!.id);
    expect(chat.send("go on")).toBe(true);
    expect(textsOf(chat.getSnapshot()).at(-1)).toBe("m0");
  });

  test("edit() begins a branch beside the message, and regenerate() asks for another answer", async () => {
    const { chat, server, when } = await answeredChat();
    const [question] = chat.getSnapshot().messages;
    expect(chat.edit("a1", "not mine to edit")).toBe(false);
    expect(chat.edit(question!.id, " ")).toBe(false);
    expect(chat.edit(question!.id, "Hello, you?")).toBe(true);
    expect(textsOf(chat.getSnapshot())).toEqual(["Hello, you?"]);
    await when(isOpen);
    server.emit({ type: "start", messageId: "a2" });
    server.emit({ type: "finish" });
    await when(isReady);
    const edited = chat.getSnapshot().messages[0]!.id;
    expect((await posts(server, 2))[1]).toMatchObject({
      trigger: "submit-message",
      messageId: question!.id,
      history: [],
    });
    expect(edited).not.toBe(question!.id);
    expect(chat.regenerate("none")).toBe(false);
    expect(chat.regenerate("a2")).toBe(true);
    expect((await posts(server, 3))[2]).toMatchObject({
      trigger: "regenerate-message",
      messageId: "a2",
      messages: [{ id: edited }],
    });
  });

  test("switchBranch() shows the path through a sibling, and what cannot be loaded is an error", async () => {
    const { chat, server } = await answeredChat();
    const end = { reason: "completed" } as const;
    const messages = [
      {
        id: "q2",
        role: "user",
        parts: [{ type: "text", text: "Other" }],
        branch: { index: 1, count: 2, previousId: "q" },
      },
      { id: "b", role: "assistant", parts: [{ type: "text", text: "Yes" }], end },
    ];
    server.instead.set("GET /c/messages", [() => Response.json({ id: "c", messages, title: "T", revision: "12" })]);
    expect(await chat.switchBranch("q2")).toBe(true);
    expect(chat.getSnapshot()).toMatchObject({ messages, title: "T", status: "ready" });
    expect(server.calls.at(-1)?.url).toBe("/api/chat/c/messages?count=100&branch=q2");
    server.instead.set("GET /c/messages", [
      () => new Response(null, { status: 404 }),
      () => new Response(null, { status: 500 }),
    ]);
    server.instead.get("GET /c/messages")!.shift();
    expect(await chat.switchBranch("q3")).toBe(false);
    expect(chat.getSnapshot()).toMatchObject({ messages, error: { status: 500 } });
  });

  test("loadEarlier() puts the page before in front, and what was there stays the same objects", async () => {
    const server = new ScriptedChat();
    const message = (id: string): object => ({ id, role: "assistant", parts: [], end: { reason: "completed" } });
    server.instead.set("GET /c/messages", [
      () => Response.json({ messages: [message("3"), message("4")], before: "3" }),
      () => Response.json({ messages: [message("1"), message("2")] }),
    ]);
    const { chat, when } = setupChat(server, { historyCount: 2 });
    const before = await when(isReady);
    expect(before.hasEarlier).toBe(true);
    await Promise.all([chat.loadEarlier(), chat.loadEarlier()]);
    const now = chat.getSnapshot();
    expect(now.messages.map(({ id }) => id)).toEqual(["1", "2", "3", "4"]);
    expect([now.hasEarlier, now.messages[2] === before.messages[0]]).toEqual([false, true]);
    await chat.loadEarlier();
    expect(server.calls.map((call) => call.url.split("?")[1])).toEqual(["count=2", "count=2&before=3"]);
  });

  test("files are sent as parts, an edit keeps them, and there are MAX_FILES and not one more", async () => {
    const { chat, server, when } = setupChat();
    await when(isReady);
    const file = { url: "/api/files/1", mediaType: "image/png", filename: "a.png" };
    const full = { text: "", files: Array.from({ length: MAX_FILES }, () => file) };
    expect(() => chat.send({ ...full, files: [...full.files, file] })).toThrow(/at most 20 files/);
    expect(() => chat.send({ text: "", files: [{ ...file, url: "x".repeat(2049) }] })).toThrow(/at most 2048/);
    expect(chat.send(full)).toBe(true);
    expect(((await posts(server, 1))[0]!["messages"] as ChatSnapshot["messages"])[0]!.parts).toEqual(
      full.files.map((each) => ({ type: "file", ...each })),
    );
    await when(isOpen);
    server.emit({ type: "finish" });
    await when(isReady);
    chat.edit(chat.getSnapshot().messages[0]!.id, "look");
    expect(chat.getSnapshot().messages[0]!.parts).toHaveLength(MAX_FILES + 1);
  });

  test("results of tools and approvals are kept until each call has one, then sent back, and the next answer goes on", async () => {
    const { chat, server, when } = await sentChat();
    server.emit(START);
    server.emit({ type: "tool-input-available", toolCallId: "1", toolName: "time", input: {} });
    await when((now) => now.messages.length === 2);
    expect(chat.addToolResult({ toolCallId: "1", output: "noon" })).toBe(true);
    expect(chat.addToolResult({ toolCallId: "9", output: "noon" })).toBe(false);
    server.emit({ type: "tool-input-available", toolCallId: "2", toolName: "pay", input: {} });
    server.emit({ type: "tool-approval-request", approvalId: "p", toolCallId: "2" });
    server.emit({ type: "finish" });
    await when(isReady);
    await posts(server, 1);
    expect(chat.getSnapshot().messages[1]?.parts[0]).toMatchObject({ state: "output-available", output: "noon" });
    expect(chat.respondToApproval({ approvalId: "q", approved: true })).toBe(false);
    expect(chat.respondToApproval({ approvalId: "p", approved: false, reason: "dear" })).toBe(true);
    expect((await posts(server, 2))[1]).toMatchObject({
      trigger: "submit-message",
      messageId: "a1",
      messages: [
        { id: "a1", role: "assistant", parts: [{ output: "noon" }, { approval: { approved: false, reason: "dear" } }] },
      ],
    });
    await when(isOpen);
    server.emit({ type: "start", messageId: "a2" });
    server.emit(deltaOf("Well then."));
    server.emit({ type: "finish" });
    expect((await when(isReady)).messages.map(({ id }) => id).slice(1)).toEqual(["a1", "a2"]);
  });

  test("an answer whose tools have run on the server is complete: nothing is sent back, and what waits comes next", async () => {
    const { chat, server, when } = await sentChat();
    server.emit(START);
    server.emit({ type: "tool-input-available", toolCallId: "1", toolName: "time", input: {} });
    server.emit({ type: "tool-output-available", toolCallId: "1", output: "noon" });
    await when((now) => now.messages.length === 2);
    chat.send("next", { whileStreaming: "queue" });
    server.emit({ type: "finish" });
    expect((await posts(server, 2))[1]!["messages"]).toMatchObject([{ role: "user", parts: [{ text: "next" }] }]);
    await when(isOpen);
    server.emit({ type: "start", messageId: "a2" });
    server.emit({ type: "tool-input-available", toolCallId: "2", toolName: "time", input: {} });
    server.emit({ type: "tool-output-available", toolCallId: "2", output: "noon" });
    server.emit({ type: "finish" });
    await when(isReady);
    chat.send("last");
    expect((await posts(server, 3))[2]!["messages"]).toMatchObject([{ role: "user", parts: [{ text: "last" }] }]);
  });

  test("sendHistory sends all messages, for servers that keep none", async () => {
    const { chat, server } = await answeredChat({ sendHistory: true });
    chat.send("next");
    expect((await posts(server, 2)).map((body) => (body["messages"] as unknown[]).length)).toEqual([1, 3]);
  });
});
