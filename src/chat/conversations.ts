// Conversations on top of runs: one stream holds the turns of a conversation, and each answer is a run of its own. Nothing
// else is stored: what a page shows after a reload is folded from the same log that the live answer is read from.

import type { SourceContext } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import type { NamedSource } from "../log/named.ts";
import type { Run, StopResult, Streams } from "../log/streams.ts";
import type { ThreadMessage, ThreadPage } from "../wire/chat-thread.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { courseOf, errorChunk } from "./answer-course.ts";
import { Answers } from "./conversations-answers.ts";
import { foldNode, foldNodes, resultsOf } from "./conversations-fold.ts";
import {
  checkTitle,
  ConversationIndex,
  titleFrom,
  type ConversationList,
  type ListOptions,
} from "./conversations-index.ts";
import { placeTurn } from "./conversations-place.ts";
import type { ConversationTree, TurnRecord } from "./conversations-tree.ts";
import { conversationName, TurnStreams, type Step, type Turns } from "./conversations-turns.ts";
import type {
  Answerer,
  ContinueOptions,
  ConversationExport,
  ConversationsOptions,
  MessagesOptions,
  SendOptions,
} from "./conversations-types.ts";

/** What became of a request: the answer's name, the one that was written before it, and whether it is a new one. */
interface Begun {
  readonly answer: string;
  readonly before: string | undefined;
  readonly isNew: boolean;
}

/** The conversations that one store keeps. */
export class Conversations {
  readonly #streams: Streams;
  readonly #turns: TurnStreams;
  readonly #answers: Answers;
  readonly #index: ConversationIndex;
  readonly #keepMs: number | undefined;

  constructor(streams: Streams, options: ConversationsOptions = {}) {
    this.#streams = streams;
    this.#keepMs = options.keepMs;
    this.#turns = new TurnStreams(streams, options.keepMs);
    this.#answers = new Answers(streams, options.keepMs);
    this.#index = new ConversationIndex(streams, options.index ?? "chats");
  }

  /**
   * Adds a turn and starts its answer, or joins the answer to the same message. An earlier answer of the conversation that is
   * still being written is stopped: its reader has moved on.
   *
   * @throws {TailraceError} `input_invalid` for an id that cannot be one, `limit_exceeded` after `MAX_TURNS` turns, `conflict`
   * for a message that contradicts the log
   */
  async send(options: SendOptions): Promise<Run<UiChunk>> {
    const { result, tree } = await this.#turns.change<Begun>(options.id, (tree) => {
      const placed = placeTurn(tree, options);
      if ("joined" in placed) return { result: { answer: placed.joined, before: undefined, isNew: false } };
      const answer = answerName(options.id);
      return begin(tree, { ...placed.record, answer, at: Date.now() });
    });
    return this.#run(options.id, tree, result, options.answer);
  }

  /**
   * Goes on where an answer waits for its tools: what came of them is kept with it, and a new answer follows it. The same results
   * again join the answer that goes on already.
   *
   * @throws {TailraceError} `conflict` if the answer is still being written, or its calls have other results already;
   * `input_invalid` if one of its calls has no result, or none waits
   */
  async continue(options: ContinueOptions): Promise<Run<UiChunk>> {
    const { id, message, key, answer } = options;
    const { result, tree } = await this.#turns.change<Begun>(id, async (tree) => {
      const node = tree.nodes.get(message.id);
      if (node === undefined || node.role !== "assistant") throw conflict("The conversation has no such answer.");
      const { results: known, ...bare } = node;
      const kept = await foldNode(this.#answers, bare);
      if (kept?.end === undefined) throw conflict("The answer is still being written.");
      const results = resultsOf(kept, message);
      if (results === undefined) {
        const text = "The answer has a tool call without a result, or none that waits for one.";
        throw new TailraceError("input_invalid", text, { details: { field: "message.parts" } });
      }
      if (known !== undefined) {
        const next = tree.answerTo(node);
        if (JSON.stringify(known) !== JSON.stringify(results) || next === undefined) {
          throw conflict("The tool calls of this answer have other results already; load the conversation again.");
        }
        return { result: { answer: next, before: undefined, isNew: false } };
      }
      const told = key === undefined ? {} : { key };
      return begin(tree, { ...told, continues: node.id, results, answer: answerName(id), at: Date.now() });
    });
    return this.#run(id, tree, result, answer);
  }

  /** The latest answer, whether it is being written or has ended; undefined if there is no such conversation. */
  async latest(id: string): Promise<NamedSource<UiChunk> | undefined> {
    const newest = (await this.#turns.read(id))?.tree.newest;
    return newest === undefined ? undefined : this.#streams.follow<UiChunk>(newest);
  }

  /** Stops the latest answer; undefined if there is no such conversation. */
  async stop(id: string): Promise<StopResult | undefined> {
    const newest = (await this.#turns.read(id))?.tree.newest;
    return newest === undefined ? undefined : this.#streams.stop(newest);
  }

  /**
   * The turns of the conversation as they are written, for those who want to hear of a new one: what an item holds is no
   * matter, only that it came.
   *
   * @throws {TailraceError} `input_invalid`
   */
  follow(id: string): NamedSource<unknown> {
    return this.#streams.follow(conversationName(id));
  }

  /** One path of the conversation as it stands, a partial answer too; undefined if there is none of that id. */
  async messages(id: string, options: MessagesOptions = {}): Promise<readonly ThreadMessage[] | undefined> {
    return (await this.page(id, options))?.messages;
  }

  /**
   * A page of one path: the last `count` messages, or those before `before`. Undefined if there is no such conversation.
   *
   * @throws {TailraceError} `input_invalid` for a count that is none, `not_found` for a message that is not in it
   */
  async page(id: string, options: MessagesOptions = {}): Promise<ThreadPage | undefined> {
    const { before, branch = before, count = Infinity } = options;
    if (count !== Infinity && (!Number.isInteger(count) || count < 1)) {
      throw new TailraceError("input_invalid", "count is a whole number from 1.", { details: { field: "count" } });
    }
    const turns = await this.#turns.read(id);
    if (turns === undefined) return undefined;
    const path = turns.tree.path(branch);
    const end = before === undefined ? path.length : path.findIndex((node) => node.id === before);
    if (end < 0 || (branch !== undefined && path.length === 0)) {
      throw new TailraceError("not_found", "The conversation has no such message on this branch; load it again.");
    }
    const start = Math.max(0, end - count);
    const messages = await foldNodes(this.#answers, turns.tree, path.slice(start, end));
    const page = { id, title: titleOf(turns), messages, revision: turns.tail };
    return start > 0 ? { ...page, before: path[start]!.id } : page;
  }

  /** The conversations, the one that was written to last first. */
  list(options: ListOptions = {}): Promise<ConversationList> {
    return this.#index.list(options);
  }

  /**
   * An item for each change of the list, the last one first: a conversation that was written to, named or deleted. What an item
   * holds is of no use to a reader, who asks for the list anew.
   */
  followList(): Promise<NamedSource<unknown>> {
    return this.#index.follow();
  }

  /**
   * Names the conversation. Until then its title is made from its first message.
   *
   * @returns whether there is such a conversation
   * @throws {TailraceError} `input_invalid` unless the title has 1 to 200 characters
   */
  async setTitle(id: string, title: string): Promise<boolean> {
    const record = { title: checkTitle(title), at: Date.now() };
    const { result: isThere } = await this.#turns.change(id, (tree) =>
      tree.nodes.size === 0 ? { result: false } : { append: record, result: true },
    );
    if (isThere) await this.#index.put({ id, ...record });
    return isThere;
  }

  /**
   * Deletes the conversation: its turns, its answers on all branches, and its place in the list. An answer that is being written
   * is stopped.
   *
   * @returns whether there was one
   */
  async delete(id: string): Promise<boolean> {
    const turns = await this.#turns.close(id);
    if (turns === undefined) return false;
    if (turns.tree.newest !== undefined) await this.#streams.stop(turns.tree.newest);
    // The turns go last: a deletion that is cut off can be made again.
    for (const node of turns.tree.nodes.values()) if (node.role === "assistant") await this.#answers.delete(node.id);
    await this.#index.remove(id);
    return this.#streams.delete(conversationName(id));
  }

  /** The whole conversation with all of its branches, as one document for JSON; undefined if there is none of that id. */
  async export(id: string): Promise<ConversationExport | undefined> {
    const turns = await this.#turns.read(id);
    if (turns === undefined) return undefined;
    const { tree } = turns;
    const messages = await foldNodes(this.#answers, tree, [...tree.nodes.values()]);
    return {
      version: 1,
      id,
      title: titleOf(turns),
      messages: messages.map((message) => {
        const { parent, at } = tree.nodes.get(message.id)!;
        const placed = { ...message, parentId: parent };
        return at === undefined ? placed : { ...placed, createdAt: new Date(at).toISOString() };
      }),
    };
  }

  async #run(id: string, tree: ConversationTree, begun: Begun, answerer: Answerer): Promise<Run<UiChunk>> {
    const { answer, before, isNew } = begun;
    const streams = this.#streams;
    if (before !== undefined) await streams.stop(before);
    const path = tree.pathTo(answer).slice(0, -1);
    const answers = this.#answers;
    const producer = async function* (context: SourceContext): AsyncGenerator<UiChunk, void, undefined> {
      yield { type: "start", messageId: answer };
      // The AI SDK's chat goes on with a copy of the message that waited: what that one holds is not to be shown twice.
      if (path.at(-1)?.role === "assistant") yield { type: "reset-step" };
      try {
        const history = await foldNodes(answers, tree, path);
        const messages = history.map(({ branch: _branch, ...message }) => message);
        const end = yield* courseOf(answerer({ ...context, messages }));
        // Nobody has stopped it here, but whoever made it says so: the run ends as its last chunk does.
        if (end === "aborted") await streams.stop(answer);
      } catch (error) {
        const told = context.signal.aborted ? undefined : errorChunk(error);
        if (told !== undefined) yield told;
        throw error;
      }
    };
    const run = await streams.run<UiChunk>(answer, producer, { ttlMs: this.#keepMs });
    // Last: whoever hears of the turn shall find its answer.
    if (isNew) await this.#index.put({ id, title: titleOf({ tree }), at: Date.now() });
    return run;
  }
}

function begin(tree: ConversationTree, record: Exclude<TurnRecord, { title: string }>): Step<Begun> {
  return { append: record, result: { answer: record.answer, before: tree.newest, isNew: true } };
}

function answerName(id: string): string {
  return `answer/${id}/${crypto.randomUUID()}`;
}

function titleOf({ tree }: Pick<Turns, "tree">): string {
  const first = tree.nodes.values().next().value;
  return tree.title ?? titleFrom(first?.message);
}

function conflict(message: string): TailraceError {
  return new TailraceError("conflict", message);
}
