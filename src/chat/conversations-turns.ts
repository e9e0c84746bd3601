// The stream of one conversation's turns: read as a tree, and appended to only by whoever has read all of it.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { Offset } from "../log/offset.ts";
import type { Streams } from "../log/streams.ts";
import { ConversationTree, type TurnRecord } from "./conversations-tree.ts";

/** Ids that may stand in a stream's name and in a path. */
const ID = /^[\w.:-]{1,128}$/;
/** The most turns of a conversation: regenerations, continuations and new titles counted. */
export const MAX_TURNS = 10_000;
/** How often a turn is tried again because another process wrote first. */
const MAX_ATTEMPTS = 10;

/** A conversation as it was read. */
export interface Turns {
  readonly tree: ConversationTree;
  readonly tail: Offset;
  readonly isFull: boolean;
}

/** What a step of {@link TurnStreams.change} decides. */
export type Step<R> = { readonly append?: TurnRecord | undefined; readonly result: R };

/** The turns of the conversations of one store. */
export class TurnStreams {
  readonly #streams: Streams;
  readonly #keepMs: number | undefined;

  constructor(streams: Streams, keepMs: number | undefined) {
    this.#streams = streams;
    this.#keepMs = keepMs;
  }

  /** @returns undefined if there is no conversation of that id */
  async read(id: string): Promise<Turns | undefined> {
    try {
      const { entries, tail } = await this.#streams.read<TurnRecord>(conversationName(id), { maxItems: MAX_TURNS });
      const tree = new ConversationTree(entries.map((entry) => entry.value));
      return { tree, tail, isFull: entries.length >= MAX_TURNS };
    } catch (error) {
      if (isTailraceError(error, "stream_unknown")) return undefined;
      throw error;
    }
  }

  /**
   * Lets `decide` look at the conversation and append a record to exactly what it has seen; it is asked again when somebody
   * else was faster. The result comes with the tree as it then is.
   */
  async change<R>(
    id: string,
    decide: (tree: ConversationTree) => Step<R> | Promise<Step<R>>,
  ): Promise<{ readonly result: R; readonly tree: ConversationTree }> {
    const name = conversationName(id);
    for (let attempt = 1; ; attempt++) {
      const turns = await this.read(id);
      const tree = turns?.tree ?? new ConversationTree();
      const { append, result } = await decide(tree);
      if (append === undefined) return { result, tree };
      if (turns?.isFull === true) throw tooLong();
      try {
        if (turns === undefined) {
          await this.#streams.create(name, { ttlMs: this.#keepMs });
        } else {
          await this.#streams.append(name, [append], { expect: turns.tail });
          tree.add(append);
          return { result, tree };
        }
      } catch (error) {
        // Somebody else has written: perhaps this very turn.
        if (!isTailraceError(error, "conflict") || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Ends the conversation, so that nothing is added to it any more. Gives what it held. */
  async close(id: string): Promise<Turns | undefined> {
    for (let attempt = 1; ; attempt++) {
      const turns = await this.read(id);
      if (turns === undefined) return undefined;
      try {
        await this.#streams.append(conversationName(id), [], { expect: turns.tail, end: { reason: "completed" } });
        return turns;
      } catch (error) {
        // A deletion that was cut off before has closed it.
        if (isTailraceError(error, "stream_closed")) return turns;
        if (!isTailraceError(error, "conflict") || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }
}

function tooLong(): TailraceError {
  const message = `The conversation has ${MAX_TURNS.toLocaleString("en")} turns, which is the most; begin a new one.`;
  return new TailraceError("limit_exceeded", message, { details: { maxTurns: MAX_TURNS } });
}

/** @throws {TailraceError} `input_invalid` */
export function conversationName(id: string): string {
  if (ID.test(id)) return `chat/${id}`;
  const message = "A conversation's id has 1 to 128 letters, digits, or any of _ . : - and nothing else.";
  throw new TailraceError("input_invalid", message, { details: { field: "id" } });
}
