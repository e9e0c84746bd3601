// A chat server in memory behind a fetch, for the tests of this room and of the hooks. No door reaches it.

import { Chat } from "./chat.ts";
import type { ChatOptions, ChatSnapshot } from "./chat-types.ts";
import {
  type HandBody,
  handBody,
  type ScriptedCall,
  scriptedFetch,
  sseResponse,
} from "./scripted-fetch.test-support.ts";
import type { Fetch } from "./stream-types.ts";
import { type ChatMessage, messageText } from "../wire/ui-message.ts";

/** Speaks the five routes of a chat under `/api/chat`, with one run at a time, and keeps every request. */
export class ScriptedChat {
  saved: ChatMessage[] = [];
  /** `METHOD path` of each request. */
  readonly requests: string[] = [];
  readonly calls: ScriptedCall[];
  readonly fetch: Fetch;
  /** Bodies that are open, one per reader. */
  readonly readers: Set<HandBody> = new Set();
  /** Takes the place of the next answers of the route `METHOD path`. */
  readonly instead: Map<string, (() => Response | Promise<Response>)[]> = new Map();
  running = false;
  #log: string[] = [];

  constructor() {
    const { fetch, calls } = scriptedFetch((call) => this.#answer(call));
    this.fetch = fetch;
    this.calls = calls;
  }

  /** Bodies that the client has neither read to the end nor cancelled. */
  get open(): number {
    return [...this.readers].filter((reader) => !reader.cancelled).length;
  }

  /** Adds a chunk to the run, and sends it to every reader. */
  emit(chunk: Record<string, unknown>): void {
    const block = `id: ${this.#log.length + 1}\ndata: ${JSON.stringify(chunk)}\n\n`;
    this.#log.push(block);
    for (const reader of this.readers) if (!reader.cancelled) reader.write(block);
    if (["finish", "abort", "error"].includes(String(chunk["type"]))) this.running = false;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const reader of this.readers) if (!reader.cancelled) reader.cut();
    this.readers.clear();
  }

  /** Begins a run without a POST, as another tab would. */
  begin(): void {
    this.running = true;
    this.#log = [];
  }

  async #answer(call: ScriptedCall): Promise<Response> {
    const route = `${call.method} ${call.url.replace("/api/chat", "").replace(/[?].*/, "") || "/"}`;
    this.requests.push(route);
    const other = this.instead.get(route)?.shift();
    if (other !== undefined) return other();
    if (route === "POST /") {
      this.begin();
      const { messages } = JSON.parse(String(call.body)) as { messages: ChatMessage[] };
      const known = new Set(this.saved.map((message) => message.id));
      this.saved = [...this.saved, ...messages.filter((message) => !known.has(message.id))];
      return this.#stream(0, false);
    }
    if (route.endsWith("/messages")) {
      return this.saved.length === 0
        ? new Response(null, { status: 404 })
        : Response.json({ id: "c", messages: this.saved });
    }
    if (route.endsWith("/stop")) {
      if (this.running) this.emit({ type: "abort" });
      return new Response(null, { status: 204 });
    }
    if (!this.running && call.cursor === null) return new Response(null, { status: 204 });
    if (!this.running && Number(call.cursor) >= this.#log.length) return new Response(null, { status: 204 });
    return this.#stream(Number(call.cursor ?? 0), true);
  }

  #stream(after: number, replay: boolean): Response {
    const reader = handBody();
    this.readers.add(reader);
    reader.write("retry: 1000\n\n");
    if (replay) reader.write(`: replay\n\n${this.#log.slice(after).join("")}: live\n\n`);
    return sseResponse(reader.stream);
  }
}

/** Resolves once `holds`, looking at each change that `subscribe` tells of. */
export function until(subscribe: (listener: () => void) => () => void, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = subscribe(look);
    look();
  });
}

/** A chat that lives, and what is needed to watch it. */
export interface ChatSetup {
  readonly chat: Chat;
  readonly server: ScriptedChat;
  readonly leave: () => void;
  /** What a screen reader would have heard. */
  readonly announced: string[];
  /** Resolves with the first snapshot that `holds`. */
  readonly when: (holds: (now: ChatSnapshot) => boolean) => Promise<ChatSnapshot>;
}

const lives: (() => void)[] = [];

/** Leaves every chat that a test has set up. */
export function leaveChats(): void {
  for (const leave of lives.splice(0)) leave();
}

/** Attaches a chat to a server. */
export function setupChat(server: ScriptedChat = new ScriptedChat(), options: Partial<ChatOptions> = {}): ChatSetup {
  const chat = new Chat({
    id: "c",
    fetch: server.fetch,
    connection: { minDelayMs: 1, maxDelayMs: 2 },
    live: false,
    ...options,
  });
  const announced: string[] = [];
  chat.subscribe(() => {
    const { announcement } = chat.getSnapshot();
    if (announcement !== "" && announced.at(-1) !== announcement) announced.push(announcement);
  });
  const when: ChatSetup["when"] = async (holds) => {
    await until(chat.subscribe, () => holds(chat.getSnapshot()));
    return chat.getSnapshot();
  };
  const leave = chat.attach();
  lives.push(leave);
  return { chat, server, leave, announced, when };
}

/** Attaches a chat and sends "Hello?"; the answer's connection is open. */
export async function sentChat(options?: Partial<ChatOptions>): Promise<ChatSetup> {
  const all = setupChat(undefined, options);
  await all.when((now) => now.status === "ready");
  all.chat.send("Hello?");
  await all.when((now) => now.connection === "open");
  return all;
}

/** The texts of the messages. */
export function textsOf(now: ChatSnapshot): readonly string[] {
  return now.messages.map((message) => messageText(message));
}

/** A delta of the part `0`. */
export function deltaOf(text: string): Record<string, unknown> {
  return { type: "text-delta", id: "0", delta: text };
}

/** The first chunk of the answer `a1`. */
export const START: Record<string, unknown> = { type: "start", messageId: "a1" };
