// Bodies of UI message streams as their readers see them: the events in some bytes, the AI SDK's own verdict, and a reader that can leave.

import { DefaultChatTransport, readUIMessageStream, type UIMessage } from "ai";
import { createParser } from "eventsource-parser";
import type { UiChunk } from "../../src/wire/ui-chunks.ts";

/** An event as a client gets it. */
export interface Item {
  readonly id: string | undefined;
  readonly data: string;
}

/** The whole events in these bytes: what is cut is as if it had never come. */
export function itemsIn(bytes: Uint8Array): readonly Item[] {
  const items: Item[] = [];
  const parser = createParser({ onEvent: ({ id, data }) => void items.push({ id, data }) });
  parser.feed(new TextDecoder().decode(bytes, { stream: true }));
  return items;
}

export const datas = (items: readonly Item[]): readonly string[] => items.map(({ data }) => data);
export const chunksOf = (items: readonly Item[]): readonly UiChunk[] =>
  datas(items)
    .filter((data) => data !== "[DONE]")
    .map((data) => JSON.parse(data) as UiChunk);
export const lastId = (items: readonly Item[]): string | undefined => items.findLast(({ id }) => id !== undefined)?.id;

/** What the AI SDK's own reader makes of a body. */
export async function judged(
  body: Uint8Array<ArrayBuffer>,
): Promise<{ readonly id: string; readonly text: string; readonly errors: number }> {
  const transport = new DefaultChatTransport({ api: "http://127.0.0.1/", fetch: async () => new Response(body) });
  const stream = (await transport.reconnectToStream({ chatId: "c" }))!;
  let message: UIMessage | undefined;
  let errors = 0;
  for await (const each of readUIMessageStream({ stream, onError: () => errors++ })) message = each;
  const text = message?.parts.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "";
  return { id: message?.id ?? "", text, errors };
}

/** Numbers from 0 to 1, the same in each run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A reader that takes what has come so far. */
export class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #controller: AbortController;
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array();

  constructor(response: Response, controller: AbortController) {
    this.#reader = response.body!.getReader();
    this.#controller = controller;
  }

  get items(): readonly Item[] {
    return itemsIn(this.bytes);
  }

  /** Reads until `holds`, or to the end. */
  async until(holds: (reader: Reader) => boolean = () => false): Promise<this> {
    while (!holds(this)) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      const joined = new Uint8Array(this.bytes.length + value.length);
      joined.set(this.bytes);
      joined.set(value, this.bytes.length);
      this.bytes = joined;
    }
    return this;
  }

  says(text: string): Promise<this> {
    return this.until(({ items }) =>
      chunksOf(items)
        .map((chunk) => (chunk.type === "text-delta" ? chunk.delta : ""))
        .join("")
        .startsWith(text),
    );
  }

  leave(): void {
    this.#controller.abort();
  }
}
