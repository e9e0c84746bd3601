// A chat without a framework: messages and their branches, one turn at a time, stop, retry, and coming back after a cut.

import type { ChatMessage } from "../wire/ui-message.ts";
import { hasAllResults, toMessage, withResult, withText } from "./chat-input.ts";
import { placeAnswer } from "./chat-messages.ts";
import { asError } from "./chat-outcome.ts";
import { ChatTurns } from "./chat-turns.ts";
import type { ApprovalAnswer, ChatInput, ToolOutput, WhileStreaming } from "./chat-types.ts";

/** A chat. It does nothing until it is attached, and nothing after the last leave. */
export class Chat extends ChatTurns {
  /**
   * Sends a message. While an answer is awaited it does what `whileStreaming` says. False, and nothing is done, if it is
   * refused, before the chat is loaded, and without text or file.
   *
   * @throws {TailraceError} `limit_exceeded` for more than 20 files, or an address of more than 2,048 characters
   */
  send(input: ChatInput, options: { readonly whileStreaming?: WhileStreaming | undefined } = {}): boolean {
    const message = toMessage(input, this.newId);
    if (message === undefined || this.life === undefined || !this.thread.isLoaded) return false;
    const mode = options.whileStreaming ?? this.options.whileStreaming ?? "refuse";
    if (mode === "queue" && (this.isBusy || this.queue.messages.length > 0)) {
      if (!this.queue.add(message)) return false;
      this.commit();
      this.sendNext();
      return true;
    }
    if (!this.#makeRoom(mode)) return false;
    this.post({ trigger: "submit-message", messages: [...this.thread.messages, message] }, message);
    return true;
  }

  /** Takes back a message that waits. False if it does not wait (any more). */
  unqueue(messageId: string): boolean {
    const isThere = this.queue.remove(messageId);
    if (isThere) this.commit();
    return isThere;
  }

  /**
   * Says a message of the reader in other words: a sibling of it begins a new branch, and the old one stays. False for another
   * message, without text, and while an answer is awaited unless `whileStreaming` is `replace`.
   */
  edit(messageId: string, text: string): boolean {
    const at = this.thread.messages.findIndex((message) => message.id === messageId);
    const old = this.thread.messages[at];
    const message = old?.role === "user" ? withText(old, text, this.newId) : undefined;
    if (message === undefined || !this.#makeRoom()) return false;
    // What the server has never taken has nothing beside it.
    const replaced = old?.delivery === "failed" ? undefined : messageId;
    const messages = [...this.thread.messages.slice(0, at), message];
    this.post({ trigger: "submit-message", messages, messageId: replaced }, message);
    return true;
  }

  /**
   * Asks for another answer beside this one; beside the last one by default. False while an answer is awaited, unless
   * `whileStreaming` is `replace`, and where there is no question.
   */
  regenerate(messageId?: string): boolean {
    if (!this.#canMakeRoom()) return false;
    const all = placeAnswer(this.thread.messages, this.turn?.answer?.message);
    const until = messageId === undefined ? all.length : all.findIndex((message) => message.id === messageId) + 1;
    const at = all.slice(0, until).findLastIndex((message) => message.role === "user");
    const question = all[at];
    if (question === undefined || !this.#makeRoom()) return false;
    const answer = all[at + 1]?.role === "assistant" ? (messageId ?? all[at + 1]!.id) : undefined;
    this.post({ trigger: "regenerate-message", messages: all.slice(0, at + 1), messageId: answer }, question);
    return true;
  }

  /**
   * Sends again what the server did not take; else asks for the last answer again; or loads the chat again if that had failed.
   * False while an answer is awaited.
   */
  retry(): boolean {
    if (this.isBusy) return false;
    if (!this.thread.isLoaded) {
      void this.load();
      return true;
    }
    return this.postAgain() || this.regenerate();
  }

  /**
   * Shows the branch of a message: a sibling, as `branch` of a message names it. An answer that is being written elsewhere goes
   * on there. False if it cannot be loaded, and while a message is on its way.
   */
  async switchBranch(messageId: string): Promise<boolean> {
    const { life } = this;
    const canLeave = (): boolean => this.turn === undefined || !this.turn.plan.posted || this.turn.opened;
    if (life === undefined || !this.thread.isLoaded || !canLeave()) return false;
    try {
      const page = await this.thread.switchTo(messageId, life);
      if (life.aborted || !canLeave()) return false;
      this.leaveTurn();
      this.thread.show(messageId, page);
      this.settleLoaded(true);
      return true;
    } catch (error) {
      if (!life.aborted) this.fail(asError(error));
      return false;
    }
  }

  /** Loads the page of messages before the first one. Never rejects: `error` says what went wrong. */
  async loadEarlier(): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    try {
      await this.thread.loadEarlier(life);
      if (!life.aborted) this.commit();
    } catch (error) {
      if (!life.aborted) this.fail(asError(error));
    }
  }

  /**
   * Gives what came of a tool call that waits for it. Once every call of the answer has its result, they are sent and the next answer
   * goes on. False if no such call waits.
   */
  addToolResult(result: ToolOutput): boolean {
    return this.#addResult(result);
  }

  /** Says whether a tool may run; sent as the result of a tool is. False if nobody asks (any more). */
  respondToApproval(answer: ApprovalAnswer): boolean {
    return this.#addResult(answer);
  }

  /** Stops the answer on the server, and follows until the server says that it has ended. Never rejects. */
  stop(): Promise<void> {
    return this.stopTurn();
  }

  /** Looks whether the saved messages have changed. Happens by itself when the reader comes back to the page. */
  async refresh(): Promise<void> {
    return this.lookAgain();
  }

  #addResult(result: ToolOutput | ApprovalAnswer): boolean {
    if (this.life === undefined) return false;
    if (this.turn !== undefined) {
      const growing: readonly ChatMessage[] = this.turn.answer === undefined ? [] : [this.turn.answer.message];
      return withResult(growing, result) !== undefined && this.queue.addResult(result);
    }
    const messages = withResult(this.thread.messages, result);
    if (messages === undefined) return false;
    this.thread.messages = messages;
    this.commit();
    if (hasAllResults(messages.at(-1))) this.continueAnswer();
    return true;
  }

  #canMakeRoom(mode: WhileStreaming = this.options.whileStreaming ?? "refuse"): boolean {
    return !this.isBusy || (mode === "replace" && this.turn !== undefined);
  }

  /** Leaves the answer that is being written, if that is what the reader wants: the next POST stops it on the server. */
  #makeRoom(mode?: WhileStreaming): boolean {
    if (!this.#canMakeRoom(mode)) return false;
    if (this.turn !== undefined) this.abandonTurn();
    return true;
  }
}
