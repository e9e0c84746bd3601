// What a conversation says of its messages beside their content: where in its branches each of them stands.

import type { ChatMessage } from "./ui-message.ts";

/** Which of its siblings a message is: versions of one question, or answers to one question. Absent where it has none. */
export interface MessageBranch {
  /** From 0, the oldest first. */
  readonly index: number;
  readonly count: number;
  readonly previousId?: string | undefined;
  readonly nextId?: string | undefined;
}

/** A message as a conversation gives it. */
export interface ThreadMessage extends ChatMessage {
  readonly branch?: MessageBranch | undefined;
}

/** A part of one path through a conversation. */
export interface ThreadPage {
  readonly id: string;
  readonly title: string;
  readonly messages: readonly ThreadMessage[];
  /** The `before` that gives the page before this one; absent on the first. */
  readonly before?: string | undefined;
  /** Where the conversation's stream stands: following it from here misses nothing. */
  readonly revision: string;
}
