// Chat and what it has missed: merged histories, one commit for all of it, and gaps.

import { afterEach, describe, expect, test, vi } from "vitest";
import { messageText } from "../wire/ui-message.ts";
import {
  deltaOf,
  leaveChats,
  ScriptedChat,
  sentChat,
  setupChat,
  START,
  textsOf,
} from "./scripted-chat.test-support.ts";
import { type HandBody, handBody, sseResponse } from "./scripted-fetch.test-support.ts";

afterEach(() => {
  leaveChats();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const QUESTION = { id: "u", role: "user", parts: [{ type: "text", text: "Hello?" }] } as const;
const block = (chunk: object, id?: number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(chunk)}\n\n`;
const opening = (after: number): string => `retry: 1\nid: ${after}\n\n: replay\n\n`;
/** What 12 chunks merge to, without the mark behind it. */
const MERGED = [block(START), block({ type: "text-start", id: "0" }), block(deltaOf("a long text "), 12)];

/** A server where an answer runs; its readers are written to by hand. */
function runningServer(bodies: readonly HandBody[]): ScriptedChat {
  const server = new ScriptedChat();
  server.saved = [QUESTION];
  server.running = true;
  server.instead.set(
    "GET /c/stream",
    bodies.map((body) => () => sseResponse(body.stream)),
  );
  return server;
}

describe("Chat that joins late", () => {
  test("asks for a merged history where it has no cursor, and for the rest behind one", async () => {
    const [first, second] = [handBody(), handBody()];
    const { server, when } = setupChat(runningServer([first, second]));
    await when((now) => now.connection === "open");
    first.write(`${opening(0)}${MERGED.join("")}: live\n\n`);
    await when((now) => now.status === "streaming");
    first.cut();
    await when((now) => now.connection === "waiting");
    await when((now) => now.connection === "open");
    second.write(`${opening(12)}${block(deltaOf("and more"), 13)}: live\n\n`);
    const now = await when((now) => textsOf(now)[1]?.endsWith("more") === true);
    expect(textsOf(now)[1]).toBe("a long text and more");
    const joins = server.calls.filter(({ url }) => url.includes("/stream"));
    expect(joins.map(({ url, cursor }) => [url, cursor])).toEqual([
      ["/api/chat/c/stream?prelude=1", null],
      ["/api/chat/c/stream?prelude=1", "12"],
    ]);
  });

  test.each([
    ["merged", 1],
    ["chunk by chunk", 2_500],
  ])("shows what was written before in one commit, however it comes: %s", async (_, count) => {
    const body = handBody();
    const { chat, when } = setupChat(runningServer([body]));
    await when((now) => now.connection === "open");
    const shown: string[] = [];
    chat.subscribe(() => {
      const answer = chat.getSnapshot().messages[1];
      if (answer !== undefined && messageText(answer) !== shown.at(-1)) shown.push(messageText(answer));
    });
    body.write(opening(0));
    body.write(block(START, count === 1 ? undefined : 1));
    body.write(block({ type: "text-start", id: "0" }, count === 1 ? undefined : 2));
    for (let index = 0; index < count; index++) {
      body.write(block(deltaOf(`word${index} `), index + 3));
      // In pieces, as a network brings it.
      if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    body.write(": live\n\n");
    const whole = Array.from({ length: count }, (_, index) => `word${index} `).join("");
    await when((now) => textsOf(now)[1] === whole);
    expect(shown).toEqual([whole]);
  });

  test("a merged history that is cut comes anew and takes the place of its piece", async () => {
    const [first, second] = [handBody(), handBody()];
    const { when } = setupChat(runningServer([first, second]));
    await when((now) => now.connection === "open");
    first.write(opening(0) + MERGED.slice(0, 2).join("") + block(deltaOf("a long ")));
    await when((now) => now.connection === "open");
    first.cut();
    await when((now) => now.connection === "waiting");
    await when((now) => now.connection === "open");
    second.write(`${opening(0)}${MERGED.join("")}: live\n\n`);
    const now = await when((now) => textsOf(now)[1] === "a long text ");
    expect(now.messages[1]?.parts).toHaveLength(1);
  });
});

describe("Chat and gaps", () => {
  test("a gap loads what is kept and joins anew, and no hole is shown", async () => {
    const { chat, server, when } = await sentChat();
    server.emit(START);
    server.emit({ type: "text-start", id: "0" });
    server.emit(deltaOf("one "));
    await when((now) => textsOf(now)[1] === "one ");
    const texts: string[] = [];
    chat.subscribe(() => texts.push(textsOf(chat.getSnapshot())[1] ?? ""));
    const gap = handBody();
    server.instead.set("GET /c/stream", [() => sseResponse(gap.stream)]);
    gap.write(`retry: 1\nid: 5\n\n: gap {"asked":"3","earliest":"5","latest":"9"}\n\n${block(deltaOf("four "), 6)}`);
    server.emit(deltaOf("two three "));
    server.emit(deltaOf("four "));
    server.cut();
    const now = await when((now) => textsOf(now)[1] === "one two three four ");
    expect(now).toMatchObject({ status: "streaming", error: null });
    expect(texts.filter((text) => text.includes("four") && !text.includes("three"))).toEqual([]);
    expect(server.requests.slice(-3)).toEqual(["GET /c/stream", "GET /c/messages", "GET /c/stream"]);
    expect(gap.cancelled).toBe(true);
  });
});

describe("Chat and a page that sleeps", () => {
  /** A page whose window and document can be told things. */
  function stubPage(): { readonly window: EventTarget; readonly document: EventTarget } {
    const window = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: "visible", baseURI: "http://test/" });
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
    vi.stubGlobal("document", document);
    return { window, document };
  }

  const persisted = (): Event => Object.assign(new Event("pageshow"), { persisted: true });

  test.each([
    ["out of the back/forward cache", 0, (page: ReturnType<typeof stubPage>) => page.window.dispatchEvent(persisted())],
    [
      "shown after a sleep",
      60_000,
      (page: ReturnType<typeof stubPage>) => page.document.dispatchEvent(new Event("visibilitychange")),
    ],
    [
      "online after a sleep",
      60_000,
      (page: ReturnType<typeof stubPage>) => page.window.dispatchEvent(new Event("online")),
    ],
  ])(
    "goes on behind its cursor when the page comes %s, though the connection says nothing",
    async (_, sleptMs, wake) => {
      const page = stubPage();
      const { server, when } = await sentChat();
      server.emit(START);
      server.emit(deltaOf("before "));
      await when((now) => textsOf(now)[1] === "before ");
      // The old connection is silent for ever, and nothing says so.
      const [silent] = server.readers;
      server.readers.clear();
      server.emit(deltaOf("meanwhile "));
      vi.setSystemTime(Date.now() + sleptMs);
      wake(page);
      const now = await when((now) => textsOf(now)[1] === "before meanwhile ");
      expect(now.status).toBe("streaming");
      expect(server.calls.at(-1)).toMatchObject({ url: "/api/chat/c/stream?prelude=1", cursor: "2" });
      expect(silent?.cancelled).toBe(true);
    },
  );
});
