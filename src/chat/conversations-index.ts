// The list of conversations: one stream in which each one is named again when it moves to the top, is renamed or deleted.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { NamedSource } from "../log/named.ts";
import { sequenceOf } from "../log/offset.ts";
import type { ReadStream } from "../log/read.ts";
import type { Streams } from "../log/streams.ts";
import { messageText, type ChatMessage } from "../wire/ui-message.ts";

/** A conversation in the list. */
export interface ConversationEntry {
  readonly id: string;
  readonly title: string;
  /** When its latest turn was begun, or thereabouts, in milliseconds since 1970. */
  readonly at: number;
}

/** A page of the list. */
export interface ConversationList {
  /** The newest first. */
  readonly conversations: readonly ConversationEntry[];
  /** The `before` that gives the next page; absent on the last. */
  readonly before?: string | undefined;
}

export interface ListOptions {
  /** The most that are given, 1 to 1,000. Default 50. */
  readonly count?: number | undefined;
  /** A cursor of an earlier page. */
  readonly before?: string | undefined;
}

type IndexRecord = ConversationEntry | { readonly id: string; readonly deleted: true };

/** The records that the list is made from. A conversation whose latest one has gone is no longer listed. */
export const MAX_INDEX_ITEMS = 50_000;
/** The longest title, in UTF-16 code units. */
export const MAX_TITLE_LENGTH = 200;
const MAX_LIST_COUNT = 1_000;
/** How long a title is that is made from a message. */
const MADE_TITLE_LENGTH = 60;
/** How many records are looked at first; four times as many if they do not fill the page. */
const FIRST_READ_ITEMS = 256;

/** The list in the stream `name`. */
export class ConversationIndex {
  readonly #streams: Streams;
  readonly #name: string;

  constructor(streams: Streams, name: string) {
    this.#streams = streams;
    this.#name = name;
  }

  /** Puts a conversation at the top, unless it stands there under this title. */
  async put(entry: ConversationEntry): Promise<void> {
    const top = (await this.#read(1))?.entries.at(-1)?.value;
    if (top !== undefined && top.id === entry.id && "title" in top && top.title === entry.title) return;
    await this.#append(entry);
  }

  async remove(id: string): Promise<void> {
    await this.#append({ id, deleted: true });
  }

  /** @throws {TailraceError} `input_invalid` */
  async list({ count = 50, before }: ListOptions): Promise<ConversationList> {
    if (!Number.isInteger(count) || count < 1 || count > MAX_LIST_COUNT) {
      throw invalid("count", `A page has 1 to ${MAX_LIST_COUNT.toLocaleString("en")} conversations.`);
    }
    const end = before === undefined ? Infinity : sequenceOf(before);
    if (end === undefined) throw invalid("before", "The cursor is none that a page of the list has given.");
    for (let items = FIRST_READ_ITEMS; ; items *= 4) {
      const { entries } = (await this.#read(items)) ?? { entries: [] };
      const found: (ConversationEntry & { readonly offset: string })[] = [];
      const seen = new Set<string>();
      for (const { value, offset } of entries.toReversed()) {
        if (seen.has(value.id)) continue;
        seen.add(value.id);
        if ("title" in value && (sequenceOf(offset) ?? 0) < end) found.push({ ...value, offset });
        if (found.length > count) break;
      }
      if (found.length <= count && entries.length === items) continue;
      const page = found.slice(0, count);
      const conversations = page.map(({ id, title, at }) => ({ id, title, at }));
      return found.length > count ? { conversations, before: page.at(-1)!.offset } : { conversations };
    }
  }

  /** The changes of the list, from the last one on. */
  async follow(): Promise<NamedSource<unknown>> {
    await this.#make();
    return this.#streams.follow(this.#name, { last: 1 });
  }

  async #append(record: IndexRecord): Promise<void> {
    await this.#make();
    await this.#streams.append(this.#name, [record]);
  }

  async #make(): Promise<void> {
    try {
      await this.#streams.create(this.#name, { maxItems: MAX_INDEX_ITEMS });
    } catch (error) {
      if (!isTailraceError(error, "stream_exists")) throw error;
    }
  }

  async #read(last: number): Promise<ReadStream<IndexRecord> | undefined> {
    try {
      return await this.#streams.read<IndexRecord>(this.#name, { last });
    } catch (error) {
      if (isTailraceError(error, "stream_unknown")) return undefined;
      throw error;
    }
  }
}

/** A title out of a message: its first words, cut where a word ends. */
export function titleFrom(message: ChatMessage | undefined): string {
  const text = message === undefined ? "" : messageText(message).trim().replaceAll(/\s+/g, " ");
  const characters = Array.from(text.slice(0, 4 * MADE_TITLE_LENGTH));
  if (characters.length <= MADE_TITLE_LENGTH) return characters.join("").toWellFormed() || "Conversation";
  const start = characters
    .slice(0, MADE_TITLE_LENGTH - 1)
    .join("")
    .toWellFormed();
  const space = start.lastIndexOf(" ");
  return `${(space > MADE_TITLE_LENGTH / 2 ? start.slice(0, space) : start).trimEnd()}…`;
}

/** @throws {TailraceError} `input_invalid` */
export function checkTitle(title: string): string {
  const trimmed = title.trim();
  if (trimmed !== "" && trimmed.length <= MAX_TITLE_LENGTH && trimmed.isWellFormed()) return trimmed;
  throw invalid("title", `A title has 1 to ${MAX_TITLE_LENGTH} characters; this one has ${trimmed.length}.`);
}

function invalid(field: string, message: string): TailraceError {
  return new TailraceError("input_invalid", message, { details: { field } });
}
