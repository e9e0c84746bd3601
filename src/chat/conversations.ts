// Conversations on top of runs: one stream holds the turns of a conversation, and each answer is a run of its own. Nothing
// else is stored: what a page shows after a reload is folded from the same log that the live answer is read from.

import type { SourceContext } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import type { NamedSource } from "../log/named.ts";
import type { Offset } from "../log/offset.ts";
import type { Run, StopResult, Streams } from "../log/streams.ts";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../wire/ui-message.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { endChunk } from "./ui-message-stream.ts";

/** What an answer is made from. */
export interface AnswerContext extends SourceContext {
  /** The conversation up to and with the message to be answered. */
  readonly messages: readonly ChatMessage[];
}

/** Gives the chunks of an answer. `start` is put before them, and `finish` behind them if they lack it. */
export type Answerer = (context: AnswerContext) => AsyncIterable<UiChunk>;

export interface SendOptions {
  /** The conversation: 1 to 128 of `A-Z a-z 0-9 _ . : -`. */
  readonly id: string;
  /** The message to be answered. Sending it again joins the answer that runs or has run: a retry never asks the model twice. */
  readonly message: ChatMessage;
  /** Ask again: the new answer takes the place of the old one. */
  readonly isRegeneration?: boolean | undefined;
  readonly answer: Answerer;
}

/** One turn as it is stored. */
interface Turn {
  readonly message: ChatMessage;
  /** The stream of the answer; also the id of the answer's message. */
  readonly answer: string;
}

interface Turns {
  readonly turns: readonly Turn[];
  readonly tail: Offset;
  readonly isFull: boolean;
}

/** Ids that may stand in a stream's name and in a path. */
const ID = /^[\w.:-]{1,128}$/;
/** The most chunks of an answer that are folded into its message. */
const MAX_ANSWER_CHUNKS = 100_000;
/** The most turns of a conversation, regenerations counted. */
export const MAX_TURNS = 10_000;
/** How often a turn is tried again because another process wrote first. */
const MAX_ATTEMPTS = 10;

/** The conversations that one store keeps. */
export class Conversations {
  readonly #streams: Streams;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  /**
   * Adds a turn and starts its answer, or joins the answer to the same message. An earlier answer of the conversation that is
   * still being written is stopped: its reader has moved on.
   *
   * @throws {TailraceError} `input_invalid` for an id that cannot be one, `limit_exceeded` after `MAX_TURNS` turns
   */
  async send(options: SendOptions): Promise<Run<UiChunk>> {
    const { answer } = options;
    const { turn, earlier, isNew } = await this.#addTurn(options);
    const last = earlier.at(-1);
    if (isNew && last !== undefined) await this.#streams.stop(last.answer);
    const kept = earlier.filter((other) => other.message.id !== turn.message.id);
    const history = (): Promise<readonly ChatMessage[]> => this.#fold(kept);
    return this.#streams.run<UiChunk>(turn.answer, async function* (context): AsyncGenerator<UiChunk, void, undefined> {
      yield { type: "start", messageId: turn.answer };
      const messages = [...(await history()), turn.message];
      let isFinished = false;
      for await (const chunk of answer({ ...context, messages })) {
        isFinished ||= chunk.type === "finish";
        yield chunk;
      }
      if (!isFinished) yield { type: "finish" };
    });
  }

  /** The latest answer, whether it is being written or has ended; undefined if there is no such conversation. */
  async latest(id: string): Promise<NamedSource<UiChunk> | undefined> {
    const turn = (await this.#read(id))?.turns.at(-1);
    return turn && this.#streams.follow<UiChunk>(turn.answer);
  }

  /** Stops the latest answer; undefined if there is no such conversation. */
  async stop(id: string): Promise<StopResult | undefined> {
    const turn = (await this.#read(id))?.turns.at(-1);
    return turn && this.#streams.stop(turn.answer);
  }

  /** The conversation as it stands, a partial answer too; undefined if there is none of that id. */
  async messages(id: string): Promise<readonly ChatMessage[] | undefined> {
    const kept = await this.#read(id);
    return kept && this.#fold(kept.turns);
  }

  async #addTurn(options: SendOptions): Promise<{ turn: Turn; earlier: readonly Turn[]; isNew: boolean }> {
    const { id, message, isRegeneration = false } = options;
    const name = conversationName(id);
    for (let attempt = 1; ; attempt++) {
      const { turns, tail, isFull } = (await this.#read(id)) ?? { turns: [], tail: undefined, isFull: false };
      const known = turns.find((turn) => turn.message.id === message.id);
      if (known !== undefined && !isRegeneration) return { turn: known, earlier: turns, isNew: false };
      if (isFull) throw tooLong();
      const turn = { message: known?.message ?? message, answer: `answer/${id}/${crypto.randomUUID()}` };
      try {
        if (tail === undefined) await this.#streams.create(name);
        else {
          await this.#streams.append(name, [turn], { expect: tail });
          return { turn, earlier: turns, isNew: true };
        }
      } catch (error) {
        // Somebody else has added a turn: perhaps this very one.
        if (!isTailraceError(error, "conflict") || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #read(id: string): Promise<Turns | undefined> {
    try {
      const { entries, tail } = await this.#streams.read<Turn>(conversationName(id), { maxItems: MAX_TURNS });
      const turns = new Map<string, Turn>();
      // A later turn for the same message is its regeneration, and takes its place.
      for (const { value } of entries) turns.set(value.message.id, value);
      return { turns: [...turns.values()], tail, isFull: entries.length >= MAX_TURNS };
    } catch (error) {
      if (isTailraceError(error, "stream_unknown")) return undefined;
      throw error;
    }
  }

  async #fold(turns: readonly Turn[]): Promise<readonly ChatMessage[]> {
    const pairs = await Promise.all(turns.map(async (turn) => [turn.message, await this.#answerOf(turn)]));
    return pairs.flat().filter((message) => message !== undefined);
  }

  /** The answer of a turn as far as it is written; undefined if its run never began. */
  async #answerOf(turn: Turn): Promise<ChatMessage | undefined> {
    try {
      const { entries, end } = await this.#streams.read<MessageChunk>(turn.answer, { maxItems: MAX_ANSWER_CHUNKS });
      let answer = emptyAnswer(turn.answer);
      for (const { value } of entries) answer = foldChunk(answer, value);
      const terminal = end && endChunk(end);
      return (terminal === undefined ? answer : foldChunk(answer, terminal)).message;
    } catch (error) {
      if (isTailraceError(error, "stream_unknown")) return undefined;
      throw error;
    }
  }
}

function tooLong(): TailraceError {
  const message = `The conversation has ${MAX_TURNS.toLocaleString("en")} turns, which is the most; begin a new one.`;
  return new TailraceError("limit_exceeded", message, { details: { maxTurns: MAX_TURNS } });
}

/** @throws {TailraceError} `input_invalid` */
function conversationName(id: string): string {
  if (ID.test(id)) return `chat/${id}`;
  const message = "A conversation's id has 1 to 128 letters, digits, or any of _ . : - and nothing else.";
  throw new TailraceError("input_invalid", message, { details: { field: "id" } });
}
