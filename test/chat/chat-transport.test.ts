// TailraceChatTransport in the AI SDK's own chat, against a real server: what the stock client makes of it.

import { DefaultChatTransport } from "ai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TailraceChatTransport } from "../../src/client/chat-transport.ts";
import { ChatServer, StockChat } from "./stock-chat.ts";
import type { UiChunk } from "../../src/wire/ui-chunks.ts";

let folder: string;
let server: ChatServer;
let chats: StockChat[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-stock-"));
  chats = [];
  server = new ChatServer();
  await server.start(join(folder, "log.db"));
});
afterEach(async () => {
  await Promise.all(chats.map((chat) => chat.dispose()));
  await server.end();
  await rm(folder, { recursive: true, force: true });
});

function makeChat(finished?: (how: { isAbort: boolean; isError: boolean }) => void): StockChat {
  const transport = new TailraceChatTransport({
    api: server.api,
    connection: { minDelayMs: 1, maxDelayMs: 20, maxAttempts: 500 },
  });
  const chat = new StockChat({ id: "c", transport, ...(finished === undefined ? {} : { onFinish: finished }) });
  chats.push(chat);
  return chat;
}

const WORDS = ["Grüße", " aus", " 日本", ", wörd", " für", " wörd"];
const deltas: UiChunk[] = WORDS.map((delta) => ({ type: "text-delta", id: "t", delta }));
const OPENING: UiChunk[] = [
  { type: "start", messageId: "a1" },
  { type: "text-start", id: "t" },
];
const CLOSING: UiChunk[] = [{ type: "text-end", id: "t" }, { type: "finish" }];

/** Sends, and waits for the first word. */
async function begun(chat: StockChat): Promise<{ readonly sent: Promise<void> }> {
  const sent = chat.sendMessage({ text: "Hello?" });
  server.script.write(...OPENING, deltas[0]!);
  await chat.when(() => chat.text === WORDS[0]);
  return { sent };
}

describe("the AI SDK's chat with TailraceChatTransport", () => {
  test("sends and reads an answer to its end", async () => {
    const chat = makeChat();
    server.script.write(...OPENING, ...deltas, ...CLOSING);
    await chat.sendMessage({ text: "Hello?" });
    expect([chat.status, chat.text, chat.messages.length]).toEqual(["ready", WORDS.join(""), 2]);
    expect(server.requests).toEqual(["POST /api/chat"]);
  });

  test("a connection that is cut after each chunk is one answer, without an error in between", async () => {
    const seen: string[] = [];
    const chat = makeChat();
    const sent = chat.sendMessage({ text: "Hello?" });
    server.script.write(...OPENING);
    for (const [index, delta] of deltas.entries()) {
      const before = WORDS.slice(0, index).join("");
      await chat.when(() => chat.text === before && chat.status === (index === 0 ? chat.status : "streaming"));
      seen.push(chat.text);
      server.cut();
      server.script.write(delta);
    }
    await chat.when(() => chat.text === WORDS.join(""));
    server.cut();
    server.script.write(...CLOSING);
    await sent;
    expect([chat.status, chat.error, chat.text, chat.messages.length]).toEqual(["ready", undefined, WORDS.join(""), 2]);
    expect(seen).toEqual(WORDS.map((_, index) => WORDS.slice(0, index).join("")));
    expect(server.requests.filter((request) => request.startsWith("POST"))).toEqual(["POST /api/chat"]);
    expect(server.requests.filter((request) => request.endsWith("/stream after")).length).toBeGreaterThan(3);
  });

  test("resumes on mount with the same message id, to the same text", async () => {
    const one = makeChat();
    const sent = one.sendMessage({ text: "Hello?" });
    server.script.write(...OPENING, ...deltas.slice(0, 3));
    await one.when(() => one.text === WORDS.slice(0, 3).join(""));
    const two = makeChat();
    const resumed = two.resumeStream();
    await two.when(() => two.text === one.text);
    server.script.write(...deltas.slice(3), ...CLOSING);
    await Promise.all([sent, resumed]);
    for (const chat of [one, two]) {
      expect([chat.status, chat.text, chat.lastMessage?.id]).toEqual(["ready", WORDS.join(""), "a1"]);
    }
    await two.resumeStream(); // it has ended: 204
    expect([two.status, two.text]).toEqual(["ready", WORDS.join("")]);
  });

  test("stop() stops the answer on the server, and keeps what was written", async () => {
    const chat = makeChat();
    const { sent } = await begun(chat);
    await chat.stop();
    await sent;
    expect([chat.status, chat.text]).toEqual(["ready", WORDS[0]]);
    await expect.poll(() => server.endOf("c")).toBe("stopped");
  });

  test("stop() before the first token stops the answer on the server", async () => {
    const chat = makeChat();
    const sent = chat.sendMessage({ text: "Hello?" });
    await expect.poll(() => server.requests).toEqual(["POST /api/chat"]);
    await chat.stop();
    await sent;
    expect([chat.status, chat.text]).toEqual(["ready", ""]);
    await expect.poll(() => server.endOf("c")).toBe("stopped");
  });

  test("stop() right after the send leaves no answer that is written for nobody", async () => {
    const chat = makeChat();
    const sent = chat.sendMessage({ text: "Hello?" });
    await chat.when(() => chat.status === "submitted");
    await chat.stop();
    await sent;
    expect(chat.status).toBe("ready");
    // The message had not left yet. The next one is sent, and is not hit by a stop that comes late.
    server.script.write(...OPENING, ...deltas, ...CLOSING);
    await chat.sendMessage({ text: "Once more?" });
    expect([chat.status, chat.text]).toEqual(["ready", WORDS.join("")]);
    expect(await server.endOf("c")).toBe("completed");
  });

  test("a stop from elsewhere ends the answer here", async () => {
    const chat = makeChat();
    const { sent } = await begun(chat);
    await new TailraceChatTransport({ api: server.api }).stop("c");
    await sent;
    expect([chat.status, chat.text]).toEqual(["ready", WORDS[0]]);
  });

  test("dispose() leaves the answer, which the server goes on to write", async () => {
    const chat = makeChat();
    const { sent } = await begun(chat);
    await chat.dispose();
    await sent;
    server.script.write(...deltas.slice(1), ...CLOSING);
    await expect.poll(() => server.endOf("c")).toBe("completed");
    expect(server.requests).toEqual(["POST /api/chat"]);
  });

  test("a server that restarts is an error and no finished answer; the stock transport fails at once", async () => {
    const ends: boolean[] = [];
    const chat = makeChat(({ isError }) => ends.push(isError));
    const stock = new StockChat({ id: "c", transport: new DefaultChatTransport({ api: server.api }) });
    const { sent } = await begun(chat);
    const resumed = stock.resumeStream();
    await stock.when(() => stock.text === WORDS[0]);
    await server.end();
    await resumed;
    expect([stock.status, stock.error?.message]).toEqual(["error", "terminated"]);
    await server.start(join(folder, "log.db"));
    await sent;
    expect([chat.status, chat.text]).toEqual(["error", WORDS[0]]);
    expect(chat.error?.message).toContain("interrupted");
    expect(ends).toEqual([true]);
  });
});
