// The AI SDK's own chat without a framework, and a real server for it with one answer per chat.

import { AbstractChat, type ChatInit, type ChatState, type ChatStatus, type UIMessage } from "ai";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { uiMessageStream } from "../../src/chat/ui-message-stream.ts";
import { readJson } from "../../src/http/read-json.ts";
import { sqliteStore } from "../../src/log/sqlite.ts";
import { Streams } from "../../src/log/streams.ts";
import { createListener } from "../../src/node/listener.ts";
import type { UiChunk } from "../../src/wire/ui-chunks.ts";
import { Listeners } from "../../src/client/store.ts";
import { until } from "../../src/client/scripted-chat.test-support.ts";

class State implements ChatState<UIMessage> {
  readonly listeners = new Listeners();
  #status: ChatStatus = "ready";
  #messages: UIMessage[];
  error: Error | undefined;

  constructor(messages: UIMessage[]) {
    this.#messages = messages;
  }

  get status(): ChatStatus {
    return this.#status;
  }

  set status(status: ChatStatus) {
    this.#status = status;
    // The chat sets the error right behind the status.
    queueMicrotask(() => this.listeners.call());
  }

  get messages(): UIMessage[] {
    return this.#messages;
  }

  set messages(messages: UIMessage[]) {
    this.#messages = messages;
    this.listeners.call();
  }

  pushMessage(message: UIMessage): void {
    this.messages = [...this.#messages, message];
  }

  popMessage(): void {
    this.messages = this.#messages.slice(0, -1);
  }

  replaceMessage(index: number, message: UIMessage): void {
    this.messages = this.#messages.with(index, this.snapshot(message));
  }

  snapshot<T>(value: T): T {
    return structuredClone(value);
  }
}

/** The AI SDK's chat as an application holds it. */
export class StockChat extends AbstractChat<UIMessage> {
  readonly #state: State;

  constructor({ messages = [], ...init }: ChatInit<UIMessage>) {
    const state = new State(messages);
    super({ ...init, state });
    this.#state = state;
  }

  /** Resolves with the first state that `holds`. */
  when(holds: () => boolean): Promise<void> {
    return until((listener) => this.#state.listeners.add(listener), holds);
  }

  /** The text of the last message, if it is an answer. */
  get text(): string {
    const message = this.lastMessage;
    if (message?.role !== "assistant") return "";
    return message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  }
}

/** Chunks that a test writes by hand. */
class Script {
  readonly #chunks: UiChunk[] = [];
  #wake: () => void = () => undefined;

  write(...chunks: UiChunk[]): void {
    this.#chunks.push(...chunks);
    this.#wake();
  }

  async *read(signal: AbortSignal): AsyncGenerator<UiChunk> {
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      yield chunk;
      if (chunk.type === "finish") return;
    }
    throw signal.reason;
  }
}

/** A chat server on 127.0.0.1 over a SQLite file: `POST /api/chat`, `GET /api/chat/ID/stream`, `POST /api/chat/ID/stop`. */
export class ChatServer {
  /** `METHOD path` of each request, and its cursor behind a space if it has one. */
  readonly requests: string[] = [];
  readonly script: Script = new Script();
  #streams: Streams | undefined;
  #server: Server | undefined;
  #port = 0;

  get api(): string {
    return `http://127.0.0.1:${this.#port}/api/chat`;
  }

  /** Starts it; anew on the same port. */
  async start(file: string): Promise<void> {
    this.#streams = new Streams({ store: sqliteStore(file) }, () => undefined);
    this.#server = createServer(createListener((request) => this.#answer(request)));
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection. */
  cut(): void {
    this.#server?.closeAllConnections();
  }

  /** Ends the server, its answers as interrupted. */
  async end(): Promise<void> {
    const closed = once(this.#server!, "close");
    this.#server!.close();
    this.cut();
    await closed;
    await this.#streams!.close();
  }

  /** How the answer of a chat has ended. */
  async endOf(id: string): Promise<string | undefined> {
    return (await this.#streams!.head(`answer/${id}`))?.end?.reason;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const cursor = request.headers.get("last-event-id");
    this.requests.push(`${request.method} ${pathname}${cursor === null ? "" : " after"}`);
    const streams = this.#streams!;
    const [, id, what] = /^\/api\/chat(?:\/([^/]+)\/(\w+))?$/.exec(pathname) ?? [];
    if (id === undefined) {
      const body = (await readJson(request)) as { id: string };
      const run = await streams.run<UiChunk>(`answer/${body.id}`, ({ signal }) => this.script.read(signal));
      return uiMessageStream(request, run);
    }
    const name = `answer/${id}`;
    const head = await streams.head(name);
    if (what === "stop") {
      if (head !== undefined) await streams.stop(name);
      return new Response(null, { status: head === undefined ? 404 : 204 });
    }
    if (head === undefined || (head.end !== undefined && cursor === null)) return new Response(null, { status: 204 });
    return uiMessageStream(request, streams.follow<UiChunk>(name));
  }
}
