// What waits until an answer is complete: messages that were sent meanwhile, and results of its tools.

import type { ThreadMessage } from "../wire/chat-thread.ts";
import type { ChatMessage } from "../wire/ui-message.ts";
import { withResult } from "./chat-input.ts";
import type { ApprovalAnswer, ToolOutput } from "./chat-types.ts";

/** The most messages that wait. */
export const MAX_QUEUED = 20;
/** The most results of tools that wait. */
const MAX_RESULTS = 200;

/** Messages and results that wait for the end of an answer. */
export class ChatQueue {
  messages: readonly ChatMessage[] = [];
  #results: readonly (ToolOutput | ApprovalAnswer)[] = [];

  /** False if as many wait as may. */
  add(message: ChatMessage): boolean {
    if (this.messages.length >= MAX_QUEUED) return false;
    this.messages = [...this.messages, message];
    return true;
  }

  take(): ChatMessage | undefined {
    const [first, ...rest] = this.messages;
    if (first !== undefined) this.messages = rest;
    return first;
  }

  remove(id: string): boolean {
    const rest = this.messages.filter((message) => message.id !== id);
    const isThere = rest.length < this.messages.length;
    if (isThere) this.messages = rest;
    return isThere;
  }

  addResult(result: ToolOutput | ApprovalAnswer): boolean {
    if (this.#results.length >= MAX_RESULTS) return false;
    this.#results = [...this.#results, result];
    return true;
  }

  /** The messages with the results that have waited; those that belong to nothing are dropped. */
  settle(messages: readonly ThreadMessage[]): readonly ThreadMessage[] {
    const results = this.#results;
    this.#results = [];
    return results.reduce((all, result) => withResult(all, result) ?? all, messages);
  }
}
