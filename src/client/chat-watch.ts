// Hears of turns that others begin: the conversation's own stream, followed only while no answer is.

import { type ChatPlace, chatUrl } from "./chat-requests.ts";
import type { ChatOptions } from "./chat-types.ts";
import { openStream } from "./open.ts";
import type { StreamConnection } from "./stream-types.ts";

/** One connection at most, which is closed while the page is hidden. What its items hold is no matter. */
export class ChatWatch {
  readonly #place: ChatPlace;
  readonly #options: ChatOptions["connection"];
  readonly #isWanted: boolean;
  readonly #onChange: () => void;
  #stream: StreamConnection<unknown> | undefined;
  /** The server has ended or refused the stream: it is not asked again until something new is known. */
  #isOver = false;

  constructor(place: ChatPlace, options: Pick<ChatOptions, "connection" | "live">, onChange: () => void) {
    this.#place = place;
    this.#options = options.connection;
    this.#isWanted = options.live !== false;
    this.#onChange = onChange;
  }

  /** There may be something to follow again. */
  renew(): void {
    this.#isOver = false;
  }

  /** Follows behind `revision`, unless it does. */
  follow(revision: string | undefined): void {
    if (!this.#isWanted || this.#isOver || this.#stream !== undefined) return;
    const { fetch, headers, credentials } = this.#place;
    const stream = openStream(chatUrl(this.#place, "turns"), {
      ...this.#options,
      fetch,
      headers,
      credentials,
      lastEventId: revision,
      decode: "text",
      pauseWhenHidden: true,
    });
    this.#stream = stream;
    void this.#read(stream);
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  async #read(stream: StreamConnection<unknown>): Promise<void> {
    try {
      for await (const batch of stream.batches()) if (batch.length > 0 && this.#stream === stream) this.#onChange();
    } catch {
      // A server without this route: the reader's return to the page is looked at all the same.
    }
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#isOver = true;
    // The end of a conversation's stream is its deletion.
    if (stream.state.end !== null) this.#onChange();
  }
}
