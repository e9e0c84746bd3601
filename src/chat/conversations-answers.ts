// Answers as messages. One that has ended is folded once and kept beside its run, so that a long conversation is read by one item for
// each of its answers, and not by each of their tokens.

import { isTailraceError } from "../errors.ts";
import type { Offset } from "../log/offset.ts";
import { fromPayload } from "../log/payload.ts";
import type { Streams } from "../log/streams.ts";
import { report } from "../trace.ts";
import type { End } from "../wire/format.ts";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../wire/ui-message.ts";
import { endChunk } from "./ui-message-stream.ts";

/** How many chunks are read at a time. */
const READ_ITEMS = 10_000;
/** The most chunks of an answer that are folded into its message, by default. */
const MAX_ANSWER_CHUNKS = 1_000_000;
/** The most messages that wait to be kept. Those beyond are folded again by the next reader. */
const MAX_PENDING_COUNT = 256;

/** The most streams whose one item's place is remembered, which saves a question to the store. */
const MAX_PLACES_COUNT = 10_000;

/** The answers of the conversations of one store. */
export class Answers {
  readonly #streams: Streams;
  readonly #keepMs: number | undefined;
  readonly #maxChunks: number;
  readonly #pending = new Map<string, ChatMessage>();
  readonly #places = new Map<string, Offset>();
  #isWriting = false;

  constructor(streams: Streams, keepMs: number | undefined, maxChunksCount: number = MAX_ANSWER_CHUNKS) {
    this.#streams = streams;
    this.#maxChunks = maxChunksCount;
    this.#keepMs = keepMs;
  }

  /** The answer as far as it is written; undefined if there is no run of that name. */
  async message(name: string): Promise<ChatMessage | undefined> {
    const kept = this.#pending.get(name) ?? (await this.#kept(name));
    if (kept !== undefined) return kept;
    try {
      const { message, end } = await this.#fold(name);
      if (end !== undefined) this.#keep(name, message);
      return message;
    } catch (error) {
      if (isTailraceError(error, "stream_unknown")) return undefined;
      throw error;
    }
  }

  /** Deletes the answer and what is kept of it. */
  async delete(name: string): Promise<void> {
    // In this order: whoever keeps a message looks afterwards whether its run is still there.
    await this.#streams.delete(name);
    await this.#streams.delete(keptName(name));
  }

  async #kept(name: string): Promise<ChatMessage | undefined> {
    const { store } = this.#streams;
    const beside = keptName(name);
    try {
      const after = this.#places.get(beside) ?? (await store.offsetBeforeLast(beside, 1));
      const payload = (await store.read(beside, after, { maxItems: 1, maxBytes: 1 })).items[0]?.payload;
      if (payload === undefined) return undefined;
      if (this.#places.size >= MAX_PLACES_COUNT) this.#places.clear();
      this.#places.set(beside, after);
      return fromPayload(payload) as ChatMessage;
    } catch (error) {
      // It is not kept yet, or no longer; or what is known of its place is wrong, and folding is right in any case.
      if (!isTailraceError(error, "stream_unknown") && !isTailraceError(error, "gap")) throw error;
      this.#places.delete(beside);
      return undefined;
    }
  }

  async #fold(name: string): Promise<{ readonly message: ChatMessage; readonly end: End | undefined }> {
    let answer = emptyAnswer(name);
    let after: string | undefined;
    for (let left = this.#maxChunks; left > 0; left -= READ_ITEMS) {
      const maxItems = Math.min(READ_ITEMS, left);
      const { entries, tail, end } = await this.#streams.read<MessageChunk>(name, { after, maxItems });
      for (const { value } of entries) answer = foldChunk(answer, value);
      after = entries.at(-1)?.offset ?? tail;
      if (after !== tail) continue;
      const terminal = end && endChunk(end);
      return { message: (terminal === undefined ? answer : foldChunk(answer, terminal)).message, end };
    }
    const errorText = `The answer has more than ${this.#maxChunks.toLocaleString("en")} pieces; this is its beginning.`;
    const { message } = foldChunk(answer, { type: "error", errorText });
    return { message, end: undefined };
  }

  /** Keeps the message, some time soon: nobody waits for it, and without it the next reader folds again. */
  #keep(name: string, message: ChatMessage): void {
    if (this.#pending.size >= MAX_PENDING_COUNT) return;
    this.#pending.set(name, message);
    if (!this.#isWriting) void this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (const [name, message] of this.#pending) {
      try {
        await this.#put(name, message);
      } catch (error) {
        this.#pending.clear();
        if (!isTailraceError(error, "closed")) report("conversation", error);
      }
      this.#pending.delete(name);
    }
    this.#isWriting = false;
  }

  async #put(name: string, message: ChatMessage): Promise<void> {
    const { store } = this.#streams;
    const beside = keptName(name);
    const { head } = await store.create(beside, { ttlMs: this.#keepMs });
    // Another process may do the same at the same time: then the message is there twice, and the last one is read.
    if (head.tail === head.start) await this.#streams.append(beside, [message]);
    // Deleted meanwhile: nothing of it may stay.
    if ((await store.head(name)) === undefined) await store.delete(beside);
  }
}

/** The number tells how chunks are folded: with other rules it is another one, and everything is folded again. */
function keptName(answer: string): string {
  return `${answer}/message.1`;
}
