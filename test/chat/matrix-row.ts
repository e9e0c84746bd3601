// One row of the matrix: a host that is up, the model it asks, and what a test does with a conversation of its own on it.

/* oxlint-disable vitest/no-standalone-expect -- tests call these */

import { expect } from "vitest";
import type { Host } from "./hosts.ts";
import { datas, type Item, itemsIn, lastId, Reader } from "./matrix-reading.ts";
import { ModelServer } from "./model-server.ts";

/** How long something is waited for that must come. */
export const PATIENCE: { readonly timeout: number } = { timeout: 90_000 };

/** A message as the server keeps it. */
export interface Saved {
  readonly role: string;
  readonly text: string;
  readonly end: string | undefined;
  readonly told: string | undefined;
}

/** What the tests of a row share. */
export class Row {
  readonly #start: (modelUrl: string) => Promise<Host>;
  #model: ModelServer | undefined;
  #host: Host | undefined;
  #count = 0;
  #readers: Reader[] = [];

  constructor(start: (modelUrl: string) => Promise<Host>) {
    this.#start = start;
  }

  get model(): ModelServer {
    return this.#model!;
  }

  get host(): Host {
    return this.#host!;
  }

  /** The conversation of the test that runs. */
  get id(): string {
    return `c${this.#count}`;
  }

  async begin(): Promise<void> {
    this.#model = await ModelServer.start();
    this.#host = await this.#start(this.#model.url);
  }

  async end(): Promise<void> {
    await this.#host?.end();
    await this.#model?.close();
  }

  /** Begins a test. */
  next(): void {
    this.#count++;
  }

  /** Ends a test: nobody reads any more, and the model writes for nobody. */
  async settle(): Promise<void> {
    for (const reader of this.#readers.splice(0)) reader.leave();
    await expect.poll(() => this.model.open, PATIENCE).toBe(0);
  }

  readonly open = async (url: string, init: RequestInit = {}): Promise<Reader> => {
    const controller = new AbortController();
    const response = await fetch(url, { ...init, signal: controller.signal });
    expect(response.status).toBe(200);
    const reader = new Reader(response, controller);
    this.#readers.push(reader);
    return reader;
  };

  readonly send = (
    text: string,
    base: string = this.host.one,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reader> => {
    const message = { id: `q-${text}`, role: "user", parts: [{ type: "text", text }] };
    const body = JSON.stringify({ id: this.id, trigger: "submit-message", messages: [message] });
    return this.open(`${base}/api/chat`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });
  };

  /** The whole body of an answer, which is as long as it is. */
  readonly whole = async (
    text: string,
    ...where: [base?: string, headers?: Readonly<Record<string, string>>]
  ): Promise<Uint8Array<ArrayBuffer>> => (await (await this.send(text, ...where)).until()).bytes;

  readonly resumeAt = (base: string): string => `${base}/api/chat/${this.id}/stream`;

  /** What is missing behind `cursor`; nothing behind the end. */
  readonly rest = async (base: string, cursor: string): Promise<readonly Item[]> => {
    const response = await fetch(this.resumeAt(base), { headers: { "last-event-id": cursor } });
    if (response.status === 204) return [];
    expect(response.status).toBe(200);
    return itemsIn(await response.bytes());
  };

  readonly saved = async (base: string = this.host.two): Promise<readonly Saved[]> => {
    const response = await fetch(`${base}/api/chat/${this.id}/messages`);
    const { messages } = (await response.json()) as {
      messages: { role: string; parts: { text?: string }[]; end?: { reason: string; message?: string } }[];
    };
    return messages.map(({ role, parts, end }) => ({
      role,
      text: parts.map((part) => part.text ?? "").join(""),
      end: end?.reason,
      told: end?.message,
    }));
  };

  readonly endsAs = (reason: string): Promise<void> =>
    expect.poll(async () => (await this.saved()).at(-1)?.end, PATIENCE).toBe(reason);

  readonly stop = async (base: string): Promise<void> => {
    expect((await fetch(`${base}/api/chat/${this.id}/stop`, { method: "POST" })).status).toBe(204);
  };

  /** Cuts `body` at each of the places, and joins what came before with what a return gives. */
  readonly joinsAt = async (
    places: Iterable<number>,
    body: Uint8Array,
    base: string,
    again: () => Promise<Uint8Array>,
  ): Promise<void> => {
    const all = datas(itemsIn(body));
    const rests = new Map<string, readonly string[]>();
    let anew: readonly string[] | undefined;
    for (const place of places) {
      const before = itemsIn(body.subarray(0, place));
      const cursor = lastId(before);
      if (cursor === undefined) {
        // Without a cursor it is sent again, and joins the same answer from its start.
        anew ??= datas(itemsIn(await again()));
        expect(anew).toEqual(all);
        continue;
      }
      let behind = rests.get(cursor);
      if (behind === undefined) rests.set(cursor, (behind = datas(await this.rest(base, cursor))));
      // Behind the end there is nothing, and the last mark is not worth a reply.
      const joined = [...datas(before), ...behind];
      expect(
        joined.filter((data) => data !== "[DONE]"),
        `cut at byte ${place}`,
      ).toEqual(all.slice(0, -1));
    }
    expect(rests.size).toBeGreaterThan(1);
  };
}
