// The words of the conversations' public surface.

import type { SourceContext } from "../bytes/source.ts";
import type { ThreadMessage } from "../wire/chat-thread.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import type { ChatMessage } from "../wire/ui-message.ts";

/** What an answer is made from. */
export interface AnswerContext extends SourceContext {
  /** The conversation up to and with the message to be answered: the path that leads to this answer, and no other branch. */
  readonly messages: readonly ChatMessage[];
}

/**
 * Gives the chunks of an answer, of one call of a model or of several. The answer has one `start`, of its own, and one `finish`, the last
 * that is given, or one made behind them. One that throws or gives an `error` ends as `failed`, and one that gives `abort` as `stopped`;
 * of what it throws, readers are told the class of a model's error and nothing else.
 */
export type Answerer = (context: AnswerContext) => AsyncIterable<UiChunk>;

/** Options of {@link Conversations}. */
export interface ConversationsOptions {
  /**
   * Turns and answers go this long after they were last written or read, in milliseconds. What only another branch shows
   * counts for itself. Default: they are kept until they are deleted.
   */
  readonly keepMs?: number | undefined;
  /** The stream that holds the list: one per user, say, where each shall see their own. @default "chats" */
  readonly index?: string | undefined;
}

/** Where a request comes from and what answers it. */
interface Request {
  /** The conversation: 1 to 128 of `A-Z a-z 0-9 _ . : -`. */
  readonly id: string;
  /** What the sender calls this request. The same key again joins the answer that it has begun. */
  readonly key?: string | undefined;
  readonly answer: Answerer;
}

export interface SendOptions extends Request {
  /**
   * The message to be answered. Sending it again joins the answer that runs or has run: a retry never asks the model twice.
   * Under an id that is taken by a message with other parts it is refused with `conflict`.
   */
  readonly message: ChatMessage;
  /**
   * The answer that the message follows, or the message whose newest answer it follows; null: it begins the conversation.
   * `conflict` if the conversation has no such message. Default: see `history`.
   */
  readonly parent?: string | null | undefined;
  /**
   * The ids of the messages that the sender saw before this one. The message follows the last of them that is in the log,
   * whose content the log alone decides. Default, and where none is known: it follows the newest answer.
   */
  readonly history?: readonly string[] | undefined;
  /** The message that this one is an edited version of: it becomes its sibling, and both stay. */
  readonly replaces?: string | undefined;
  /** Ask again: the new answer becomes a sibling of the others to this message. With `replaces`: of that answer. */
  readonly isRegeneration?: boolean | undefined;
}

export interface ContinueOptions extends Request {
  /** The answer that waits for tools, with what came of them in its parts, as the AI SDK sends it. */
  readonly message: ChatMessage;
}

export interface MessagesOptions {
  /** A message of the path that is wanted; from there on it takes what was written last. Default: the newest answer. */
  readonly branch?: string | undefined;
  /** Only what stands before this message. */
  readonly before?: string | undefined;
  /** The most messages that are given, the last ones first in line. Default: all of the path. */
  readonly count?: number | undefined;
}

/** A message of an export, with its place in the tree. */
export interface ExportedMessage extends ThreadMessage {
  /** The message that it follows; null at the beginning. */
  readonly parentId: string | null;
  /** When it was begun, as ISO 8601; absent in turns of older versions. */
  readonly createdAt?: string | undefined;
}

/** A whole conversation as one document. */
export interface ConversationExport {
  readonly version: 1;
  readonly id: string;
  readonly title: string;
  /** All branches, in the order in which they were begun; an answer has its `end` if it has ended. */
  readonly messages: readonly ExportedMessage[];
}
