// A model that does what it is asked to: an OpenAI-compatible server whose manner is named by the first word of the last message, for
// everything that can happen between a model and its reader. It tells who is still listening.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a short answer says: two, three and four bytes to a character. */
export const SHORT: readonly string[] = ["Grüße", " aus", " 日本", " 😀", ", kurz."];
/** What a long answer says. */
export const LONG: readonly string[] = Array.from(
  { length: 400 },
  (_, index) => `${index === 0 ? "" : " "}wörd-${index}`,
);

type Manner = (talk: Talk) => Promise<void> | void;

/** One request and its answer. */
class Talk {
  readonly #response: ServerResponse;
  readonly gone: Promise<unknown>;
  readonly gate: Promise<void>;
  /** Whether the request holds the result of a tool. */
  readonly hasResult: boolean;
  /** Which request of its conversation it is, from 1. */
  readonly count: number;

  constructor(response: ServerResponse, facts: { gate: Promise<void>; hasResult: boolean; count: number }) {
    this.#response = response;
    this.gone = once(response, "close");
    this.gate = facts.gate;
    this.hasResult = facts.hasResult;
    this.count = facts.count;
  }

  begin(): void {
    this.#response.writeHead(200, { "content-type": "text/event-stream" });
    this.#response.flushHeaders();
  }

  /** Resolves when the text has left, or when nobody reads any more. */
  async raw(text: string | Uint8Array): Promise<void> {
    if (this.#response.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#response.write(text, () => resolve());
      void this.gone.then(() => resolve());
    });
  }

  send(value: object): Promise<void> {
    return this.raw(`data: ${JSON.stringify(value)}\n\n`);
  }

  async say(words: readonly string[]): Promise<void> {
    for (const content of words) await this.send(choice({ delta: { content } }));
  }

  async call(calls: readonly { readonly id: string; readonly name: string; readonly input: object }[]): Promise<void> {
    for (const [index, { id, name, input }] of calls.entries()) {
      const text = JSON.stringify(input);
      await this.send(
        choice({ delta: { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] } }),
      );
      for (const piece of [text.slice(0, 4), text.slice(4)]) {
        await this.send(choice({ delta: { tool_calls: [{ index, function: { arguments: piece } }] } }));
      }
    }
    await this.finish("tool_calls");
  }

  async finish(reason = "stop"): Promise<void> {
    await this.send(choice({ delta: {}, finish_reason: reason }));
    await this.raw("data: [DONE]\n\n");
    this.#response.end();
  }

  /** Ends the body as if all were well. */
  end(): void {
    this.#response.end();
  }

  reset(): void {
    this.#response.socket?.resetAndDestroy();
  }

  refuse(status: number, error: object, headers: Readonly<Record<string, string>> = {}): void {
    this.#response.writeHead(status, { "content-type": "application/json", ...headers });
    this.#response.end(JSON.stringify({ error }));
  }
}

function choice(fields: object): object {
  return { id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, ...fields }] };
}

const HALF = SHORT.slice(0, 3);

const MANNERS: Readonly<Record<string, Manner>> = {
  async short(talk) {
    talk.begin();
    await talk.say(SHORT);
    await talk.finish();
  },
  async long(talk) {
    talk.begin();
    await talk.say(LONG);
    await talk.finish();
  },
  /** Says three words, and the rest when it is released. */
  async held(talk) {
    talk.begin();
    await talk.say(HALF);
    await Promise.race([talk.gate, talk.gone]);
    await talk.say(SHORT.slice(3));
    await talk.finish();
  },
  async silent(talk) {
    talk.begin();
    await talk.gone;
  },
  /** Not even headers. */
  async mute(talk) {
    await talk.gone;
  },
  async truncated(talk) {
    talk.begin();
    await talk.say(HALF);
    talk.end();
  },
  async done(talk) {
    talk.begin();
    await talk.say(HALF);
    await talk.raw("data: [DONE]\n\n"); // an end without a reason
    talk.end();
  },
  async reset(talk) {
    talk.begin();
    await talk.say(HALF);
    talk.reset();
  },
  async broken(talk) {
    talk.begin();
    await talk.say(HALF);
    await talk.send({ error: { message: "secret", type: "server_error", code: "rate_limit_exceeded" } });
    talk.end();
  },
  async garbled(talk) {
    talk.begin();
    await talk.say(HALF);
    await talk.raw('data: {"choices":[{"index":0,"delta":{"con\n\n');
    talk.end();
  },
  async stall(talk) {
    talk.begin();
    await talk.say(HALF);
    await talk.gone;
  },
  async pings(talk) {
    talk.begin();
    for (const content of SHORT) {
      await talk.raw(": keep-alive\n\nevent: ping\ndata: {}\n\n");
      await talk.send(choice({ delta: { content } }));
    }
    await talk.finish();
  },
  /** Byte by byte, so that every character is cut. */
  async split(talk) {
    talk.begin();
    const bytes = new TextEncoder().encode(
      SHORT.map((content) => `data: ${JSON.stringify(choice({ delta: { content } }))}\r\n\r\n`).join(""),
    );
    for (const byte of bytes) await talk.raw(Uint8Array.of(byte));
    await talk.finish();
  },
  /** Refuses twice, then answers. */
  async busy(talk) {
    if (talk.count <= 2)
      return talk.refuse(429, { message: "secret", code: "rate_limit_exceeded" }, { "retry-after-ms": "1" });
    talk.begin();
    await talk.say(SHORT);
    await talk.finish();
  },
  limited: (talk) => talk.refuse(429, { message: "secret", code: "rate_limit_exceeded" }, { "retry-after": "120" }),
  lengthy: (talk) => talk.refuse(400, { message: "secret", code: "context_length_exceeded" }),
  filtered: (talk) => talk.refuse(400, { message: "secret", code: "content_filter" }),
  refused: (talk) => talk.reset(),
  /** Calls a tool, and says the short words when it has the result. */
  async tool(talk) {
    talk.begin();
    if (!talk.hasResult) return talk.call([{ id: "call-1", name: "weather", input: { city: "Łódź" } }]);
    await talk.say(SHORT);
    await talk.finish();
  },
  /** Calls a tool for ever. */
  async loop(talk) {
    talk.begin();
    await talk.call([{ id: `call-${talk.count}`, name: "weather", input: { city: String(talk.count) } }]);
  },
};

interface Body {
  readonly messages: readonly { readonly role: string; readonly content?: string }[];
}

/** The server, on 127.0.0.1. */
export class ModelServer {
  /** Requests whose answers are being written now. */
  open = 0;
  /** The bodies of the requests so far. */
  readonly asked: Body[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #gate = Promise.withResolvers<void>();

  static async start(): Promise<ModelServer> {
    const model = new ModelServer();
    model.#server.listen(0, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  /** What a client takes as its base URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Lets every held answer go on. */
  release(): void {
    this.#gate.resolve();
    this.#gate = Promise.withResolvers();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk as string;
    const body = JSON.parse(text) as Body;
    this.asked.push(body);
    const prompt = body.messages.findLast(({ role }) => role === "user")?.content ?? "";
    const count = this.asked.filter(({ messages }) => messages.some(({ content }) => content === prompt)).length;
    const hasResult = body.messages.at(-1)?.role === "tool";
    this.open++;
    response.once("close", () => this.open--);
    const manner = MANNERS[/^\w+/.exec(prompt)?.[0] ?? ""] ?? MANNERS["short"]!;
    await manner(new Talk(response, { gate: this.#gate.promise, hasResult, count }));
  }
}
