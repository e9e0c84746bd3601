// The turns of a chat: what is sent, and the one answer that is followed up to its end.

import { isTailraceError, type TailraceError } from "../errors.ts";
import type { ChatMessage, MessageChunk, MessageEnd } from "../wire/ui-message.ts";
import { hasAllResults } from "./chat-input.ts";
import { ChatLife } from "./chat-life.ts";
import {
  markDelivery,
  needsAnswer,
  placeAnswer,
  type PostPlan,
  randomId,
  toBody,
  unfinishedId,
} from "./chat-messages.ts";
import { asError, endOutcome, failureOutcome, savedOutcome } from "./chat-outcome.ts";
import { streamUrl } from "./chat-requests.ts";
import { Turn, type TurnOutcome } from "./chat-turn.ts";
import type { OpenOptions } from "./stream-types.ts";

/** What a chat does with its turns. What its reader asks for stands in `Chat`. */
export abstract class ChatTurns extends ChatLife {
  /** What the server has not answered yet, or has not taken. */
  #unsent: { readonly plan: PostPlan; readonly key: string } | undefined;
  /** The turn that is followed makes a branch, which the server knows better. */
  #isBranching = false;

  /** Sends `plan`; `shown` is the message that is marked as on its way. */
  protected post(plan: PostPlan, shown: ChatMessage | undefined, key: string = randomId()): void {
    this.thread.branch = undefined;
    this.thread.messages = shown === undefined ? plan.messages : markDelivery(plan.messages, "sending");
    this.#unsent = { plan, key };
    this.#isBranching = plan.messageId !== undefined;
    this.looks.settle();
    this.watch.renew();
    this.board.status = "submitted";
    const body = toBody(this.id, plan, key, this.options);
    this.#follow(this.place.api, { method: "POST", body, resumeUrl: streamUrl(this.place) }, true, false);
  }

  /** Sends what the server has not taken once more, under its old key. */
  protected postAgain(): boolean {
    if (this.#unsent === undefined) return false;
    const { plan, key } = this.#unsent;
    const last = plan.messages.at(-1);
    this.post(plan, last?.role === "user" ? last : undefined, key);
    return true;
  }

  /** Sends the results of the tools of the last answer. */
  protected continueAnswer(): void {
    const { messages } = this.thread;
    this.post({ trigger: "submit-message", messages, messageId: messages.at(-1)?.id }, undefined);
  }

  /** Sends the first message that waits, if nothing is awaited. */
  protected sendNext(): void {
    const message = this.isBusy ? undefined : this.queue.take();
    if (message === undefined) return;
    this.post({ trigger: "submit-message", messages: [...this.thread.messages, message] }, message);
  }

  protected override resume(quiet: boolean): void {
    if (!quiet) this.board.status = "loading";
    this.#follow(streamUrl(this.place), {}, false, quiet);
  }

  #follow(url: string, options: OpenOptions<MessageChunk>, posted: boolean, quiet: boolean): void {
    this.leaveTurn();
    if (!quiet) {
      this.board.error = null;
      this.board.announcement = "";
    }
    const { fetch, headers, credentials } = this.place;
    const turn: Turn = new Turn(
      url,
      { ...this.options.connection, ...options, fetch, headers, credentials },
      {
        posted,
        quiet,
        answerId: (posted ? undefined : unfinishedId(this.thread.messages)) ?? this.newId(),
        onConnection: () => this.#connectionChanged(turn),
        onAnswer: () => this.#answerGrew(turn),
        onDone: (outcome) => void this.#done(turn, outcome),
      },
    );
    this.turn = turn;
    this.commit();
  }

  /** Leaves the turn; what it has brought so far stays among the messages. */
  protected override leaveTurn(): void {
    this.thread.messages = placeAnswer(this.thread.messages, this.turn?.answer?.message);
    this.turn?.close();
    this.turn = undefined;
    this.stopping.clear();
  }

  /** Leaves the turn for another one, by which the server stops it. */
  protected abandonTurn(): void {
    if (this.turn?.opened === true) this.turn.end({ reason: "stopped" });
    else if (this.turn?.plan.posted === true) this.thread.messages = markDelivery(this.thread.messages, "failed");
    this.leaveTurn();
  }

  protected async stopTurn(): Promise<void> {
    const { turn } = this;
    if (turn === undefined || this.stopping.pending || !this.isBusy) return;
    this.stopping.begin();
    this.commit();
    // Nothing has reached a server that only says "later".
    if (turn.plan.posted && !turn.opened && turn.connection === "waiting") return this.#end({ reason: "stopped" });
    this.stopping.limit((error) => this.#end({ reason: "stopped", message: error.message }, error));
    await this.#sendStop(turn);
  }

  #connectionChanged(turn: Turn): void {
    const status = turn.connection;
    if (status === "open" && turn.plan.posted) {
      this.thread.messages = markDelivery(this.thread.messages, undefined);
      this.#unsent = undefined;
    }
    if (status === "open" && this.board.status !== "streaming") {
      this.board.status = "submitted";
      if (!this.stopping.pending) this.board.error = null;
    }
    // A stop that overtook its own message has found nothing to stop.
    const first = status === "open" && this.getSnapshot().connection === "connecting";
    if (first && this.stopping.pending) void this.#sendStop(turn);
    // The ends are shown by #done, together with what they mean.
    if (status === "done" || status === "failed") return;
    if (status !== this.getSnapshot().connection) this.commit();
    else if (turn.answer !== undefined && !turn.replaying) this.board.schedule();
  }

  #answerGrew(turn: Turn): void {
    if (this.board.status !== "streaming" && turn.hasContent) {
      this.board.status = "streaming";
      this.board.announcement = "Answer started";
    }
    if (!turn.replaying) this.board.schedule();
  }

  async #done(turn: Turn, outcome: TurnOutcome): Promise<void> {
    if (outcome.type === "end") return this.#end(outcome.end);
    if (outcome.type === "nothing") return this.#lookUp(turn);
    this.leaveTurn();
    // What the server has kept is loaded, and what it still writes is joined anew.
    if (outcome.type === "gap") return this.load();
    if (turn.plan.posted && !turn.opened && this.thread.messages.at(-1)?.role === "user") {
      this.thread.messages = markDelivery(this.thread.messages, "failed");
    }
    if (turn.plan.quiet && !turn.opened) this.commit();
    else this.show(failureOutcome(outcome.error));
  }

  /** The server runs nothing (any more): what it has saved is the truth. */
  async #lookUp(turn: Turn): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    const saved = await this.thread.fetch(life, "look").catch((error: unknown) => asError(error));
    if (life.aborted || this.turn !== turn) return;
    if (this.stopping.pending && (isTailraceError(saved) || saved.messages.at(-1)?.end === undefined)) {
      return this.#end({ reason: "stopped" });
    }
    if (turn.opened && !isTailraceError(saved) && this.thread.isUnknown(saved)) {
      const message = "The connection was cut, and the server does not keep answers to go on with.";
      return this.#end({ reason: "interrupted", message });
    }
    this.leaveTurn();
    if (isTailraceError(saved)) return turn.plan.quiet ? this.commit() : this.show(failureOutcome(saved));
    this.thread.take(saved);
    const outcome = turn.opened ? savedOutcome(this.thread.messages) : undefined;
    if (outcome !== undefined) return this.show(outcome);
    if (this.board.status !== "error") this.board.status = "ready";
    this.commit();
    if (turn.plan.quiet && needsAnswer(this.thread.messages)) this.looks.later();
  }

  async #sendStop(turn: Turn): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    const error = await this.stopping.send(life);
    if (error === undefined || life.aborted || this.turn !== turn) return;
    this.board.error = error;
    this.commit();
  }

  /** The answer has ended; shown at once. */
  #end(end: MessageEnd, error: TailraceError | null = null): void {
    this.turn?.end(end);
    this.leaveTurn();
    this.looks.settle();
    const settled = this.queue.settle(this.thread.messages);
    // Tools that have run on the server have their results there already: there is nothing to send.
    const hasResults = settled !== this.thread.messages;
    this.thread.messages = settled;
    this.show(endOutcome(end, error));
    if (this.turn !== undefined || end.reason !== "completed") return;
    if (hasResults && hasAllResults(this.thread.messages.at(-1))) this.continueAnswer();
    else this.sendNext();
    // With a connection to the conversation it is heard of anyway.
    if (this.#isBranching && this.options.live === false) void this.looks.now();
  }
}
