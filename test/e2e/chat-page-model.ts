// A model for the tests of the chat page: it says what the question asks for, and waits where the question says so.

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const CODE = "```ts\nconst a = 1; // one\nb();\n```";
const ANSWER = `## A title\n\nSome **bold** words and [a link](https://example.com/).\n\n${CODE}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n`;
const LONG = Array.from({ length: 60 }, (_, index) => `Paragraph ${index} of a long answer.\n\n`).join("");

/** How many characters it says before it waits or is cut. */
const FIRST_CHARS = 48;
const WAIT_MS = 60_000;

/**
 * Words of the last question: `think` gives reasoning first · `tool` calls a tool at the end · `long` 60 paragraphs · `fail` it
 * is cut · `hold` before that it waits until `release()` is called.
 */
export class ChatPageModel {
  readonly #server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { messages } = JSON.parse(body) as { messages: { content: string }[] };
      void this.#answer(response, messages.at(-1)?.content ?? "");
    });
  });
  /** Answers that wait, and who waits for one that does. */
  readonly #held = new Set<() => void>();
  #onHeld = (): void => undefined;

  static async start(): Promise<ChatPageModel> {
    const model = new ChatPageModel();
    model.#server.listen(0, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  /** What `OPENAI_BASE_URL` is set to. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Lets all answers that wait go on; if none does yet, the first that will. */
  async release(): Promise<void> {
    if (this.#held.size === 0) await new Promise<void>((resolve) => (this.#onHeld = resolve));
    for (const go of this.#held) go();
  }

  close(): void {
    for (const go of this.#held) go();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #hold(response: ServerResponse): Promise<void> {
    const life = new AbortController();
    const left = once(response, "close", { signal: AbortSignal.any([life.signal, AbortSignal.timeout(WAIT_MS)]) });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.add(resolve);
    this.#onHeld();
    await Promise.race([promise, left.catch(() => undefined)]);
    this.#held.delete(resolve);
    life.abort();
  }

  async #answer(response: ServerResponse, question: string): Promise<void> {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const write = (choice: object): boolean =>
      response.write(
        `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", choices: [{ index: 0, ...choice }] })}\n\n`,
      );
    if (question.includes("think")) write({ delta: { reasoning_content: "Let me **see**." } });
    const text = question.includes("long") ? LONG : ANSWER;
    let isHeld = question.includes("hold");
    for (let at = 0; at < text.length && !response.destroyed; at += 4) {
      write({ delta: { content: text.slice(at, at + 4) } });
      await new Promise((go) => setTimeout(go, 3));
      if (at < FIRST_CHARS) continue;
      if (isHeld) await this.#hold(response);
      isHeld = false;
      if (question.includes("fail")) return void response.destroy();
    }
    if (response.destroyed) return;
    if (question.includes("tool")) {
      const call = { name: "weather", arguments: '{"city":"Ulm"}' };
      write({ delta: { tool_calls: [{ index: 0, id: "call-1", type: "function", function: call }] } });
    }
    write({ delta: {}, finish_reason: question.includes("tool") ? "tool_calls" : "stop" });
    response.end("data: [DONE]\n\n");
  }
}
