// A model for the tests: an OpenAI-compatible server that streams numbered words, and tells who is still listening.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the model answers, chosen by a word in the last message; `slow` if there is none of them in it. */
const MANNERS = {
  /** 240 words, one every 10 ms, and not more than {@link Model.upTo}. */
  slow: { words: 240, everyMs: 10 },
  /** 20 words, at once. */
  quick: { words: 20, everyMs: 0 },
  /** Not a word for as long as anybody listens. */
  silent: { words: 0, everyMs: 25 },
  /** 10 words, then the connection is cut. */
  cut: { words: 10, everyMs: 5 },
} as const;

export class Model {
  /** Requests whose answers are being written now. */
  open = 0;
  /** Requests so far. */
  asked = 0;
  /**
   * How many words an answer may have by now. What is to happen in the middle of an answer is certain to happen there if
   * the answer waits for it: a slow machine takes longer to look than the model to speak.
   */
  upTo: number = Infinity;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(): Promise<Model> {
    const model = new Model();
    model.#server.listen(0, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  /** What `OPENAI_BASE_URL` is set to. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
    const { messages } = JSON.parse(body) as { messages: { content: string }[] };
    const prompt = messages.at(-1)!.content;
    const manner = (Object.keys(MANNERS) as (keyof typeof MANNERS)[]).find((each) => prompt.includes(each)) ?? "slow";
    const { words, everyMs } = MANNERS[manner];
    this.asked++;
    this.open++;
    const left = once(response, "close").then(() => this.open--);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const write = (choice: object): void => {
      response.write(
        `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", choices: [{ index: 0, ...choice }] })}\n\n`,
      );
    };
    for (let index = 0; index < words; index++) {
      while (index >= this.upTo && !response.destroyed) await new Promise((resolve) => setTimeout(resolve, 25));
      if (response.destroyed) break;
      write({ delta: { content: `${index === 0 ? "" : " "}wörd-${index}` } });
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    if (manner === "cut") response.destroy();
    if (manner === "silent") {
      response.flushHeaders();
      await left;
    }
    if (response.destroyed) return;
    write({ delta: {}, finish_reason: "stop" });
    response.end("data: [DONE]\n\n");
  }
}
