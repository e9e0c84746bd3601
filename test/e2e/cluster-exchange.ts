// What the tests of two instances ask of each of them.

import { createEventDecoder } from "tailrace/wire";
import { expect } from "vitest";

/** Sends a message to a conversation. @returns the answer, whose body is the stream */
export function say(url: string, conversation: string, text: string, message = `m-${conversation}`): Promise<Response> {
  const messages = [{ id: message, role: "user", parts: [{ type: "text", text }] }];
  const body = JSON.stringify({ id: conversation, trigger: "submit-message", messages });
  return fetch(`${url}/api/chat`, { method: "POST", body, headers: { "content-type": "application/json" } });
}

export interface KeptMessage {
  readonly role: string;
  readonly text: string;
  readonly end: string | undefined;
}

/** The conversation as the log has it. */
export async function kept(url: string, conversation: string): Promise<readonly KeptMessage[]> {
  const response = await fetch(`${url}/api/chat/${conversation}/messages`);
  expect(response.status).toBe(200);
  const { messages } = (await response.json()) as {
    readonly messages: readonly {
      readonly role: string;
      readonly parts: readonly { readonly text?: string }[];
      readonly end?: { readonly reason: string };
    }[];
  };
  return messages.map(({ role, parts, end }) => ({
    role,
    text: parts.map((part) => part.text ?? "").join(""),
    end: end?.reason,
  }));
}

export interface SeenEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The events of a body as they come. */
export class Events {
  readonly seen: SeenEvent[] = [];
  /** Settles when the body has ended in order, or was cut. */
  readonly over: Promise<void>;
  readonly #abort = new AbortController();

  private constructor(response: Response) {
    this.over = this.#read(response);
    this.over.catch(() => undefined);
  }

  /** Asks for `url`, and reads what comes. */
  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Events> {
    return Events.of(await fetch(url, { headers }));
  }

  static of(response: Response): Events {
    expectStream(response);
    return new Events(response);
  }

  /** All data, but for heartbeats and the like. */
  get data(): readonly string[] {
    return this.seen.map(({ data }) => data);
  }

  named(event: string): readonly Readonly<Record<string, unknown>>[] {
    return this.seen
      .filter((each) => each.event === event)
      .map(({ data }) => JSON.parse(data) as Readonly<Record<string, unknown>>);
  }

  /** Waits until so many events have come. */
  async count(count: number): Promise<void> {
    await expectCount(this.seen, count);
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(response: Response): Promise<void> {
    const decoder = createEventDecoder({ onEvent: ({ id, event, data }) => void this.seen.push({ id, event, data }) });
    const reader = response.body!.getReader();
    this.#abort.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      decoder.push(value);
    }
    decoder.end();
  }
}

function expectStream(response: Response): void {
  expect(response.status).toBe(200);
}

async function expectCount(seen: readonly unknown[], count: number): Promise<void> {
  await expect.poll(() => seen.length, { timeout: 90_000 }).toBeGreaterThanOrEqual(count);
}

export async function startJob(url: string, body: object): Promise<string> {
  const response = await fetch(`${url}/api/jobs`, { method: "POST", body: JSON.stringify(body) });
  expect(response.status).toBe(202);
  return ((await response.json()) as { readonly id: string }).id;
}

/** Publishes a notification. @returns its id */
export async function publish(url: string, title: string): Promise<string> {
  const response = await fetch(`${url}/api/notifications`, {
    method: "POST",
    body: JSON.stringify({ title, body: "" }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { readonly id: string }).id;
}
