// A chat without a framework: messages, one turn at a time, stop, retry, and coming back after a reload or a cut.

import { isTailraceError, type TailraceError } from "../errors.ts";
import { createAttachment } from "./attachment.ts";
import { markDelivery, mergeSaved, needsAnswer, placeAnswer, randomId, toBody, unfinishedId } from "./chat-messages.ts";
import { asError, type ChatOutcome, endOutcome, failureOutcome, savedOutcome } from "./chat-outcome.ts";
import { type ChatPlace, chatUrl, loadMessages, placeOf } from "./chat-requests.ts";
import { StopRequest } from "./chat-stop.ts";
import { Turn, type TurnOutcome } from "./chat-turn.ts";
import type { ChatOptions, ChatSnapshot, ChatStatus } from "./chat-types.ts";
import { createFrameScheduler, type FrameScheduler } from "./frame.ts";
import { Store } from "./store.ts";
import type { OpenOptions } from "./stream-types.ts";
import type { ChatMessage, MessageChunk, MessageEnd } from "../wire/ui-message.ts";
import { listenForReturn } from "./wake.ts";

/** Focus and visibility come together, and tabs are flipped through: at most one look per second. */
const MIN_REFRESH_MS = 1000;

/** A chat. It does nothing until it is attached, and nothing after the last leave. */
export class Chat {
  readonly id: string;
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => ChatSnapshot;
  /** What there is before anything was attached: on a server, and while a page wakes up. */
  readonly getServerSnapshot: () => ChatSnapshot;
  /**
   * Begins to live: loads the messages, and follows an answer that is still being written. Returns the leave, which
   * closes what is open and never stops the run. What is left in the same turn as it began makes no request.
   */
  readonly attach: () => () => void;
  readonly #options: ChatOptions;
  readonly #place: ChatPlace;
  readonly #store: Store<ChatSnapshot>;
  readonly #frame: FrameScheduler;
  readonly #stop: StopRequest;
  readonly #newId: () => string;
  #life: AbortSignal | undefined;
  #messages: readonly ChatMessage[];
  #loaded: boolean;
  #status: ChatStatus;
  #turn: Turn | undefined;
  #error: TailraceError | null = null;
  #announcement = "";
  #refreshedAt = -Infinity;

  constructor(options: ChatOptions) {
    this.id = options.id;
    this.#options = options;
    this.#place = placeOf(options);
    this.#stop = new StopRequest(this.#place, options.stopTimeoutMs);
    this.#newId = options.generateId ?? randomId;
    this.#messages = options.initialMessages ?? [];
    this.#loaded = options.initialMessages !== undefined;
    this.#status = this.#loaded && !needsAnswer(this.#messages) ? "ready" : "loading";
    const first = this.#view();
    this.getServerSnapshot = () => first;
    this.#store = new Store(first);
    this.subscribe = this.#store.subscribe;
    this.getSnapshot = this.#store.getSnapshot;
    this.#frame = createFrameScheduler(() => this.#store.set(this.#view()));
    const leave = (): void => this.#leave();
    this.attach = createAttachment((life) => this.#begin(life), leave);
  }

  /** Sends a message. False, and nothing is done, while an answer is awaited, before the chat is loaded, or without text. */
  send(input: string | { readonly text: string }): boolean {
    const text = typeof input === "string" ? input : input.text;
    if (this.#busy() || text.trim() === "") return false;
    const message: ChatMessage = { id: this.#newId(), role: "user", parts: [{ type: "text", text }] };
    this.#post([...this.#messages, message], "submit-message");
    return true;
  }

  /** Asks for the last answer again, or loads the chat again if that had failed. False while an answer is awaited. */
  retry(): boolean {
    if (this.#busy()) return false;
    if (!this.#loaded) {
      void this.#load();
      return true;
    }
    const at = this.#messages.findLastIndex((message) => message.role === "user");
    if (at < 0) return false;
    const answer = this.#messages.slice(at + 1).find((message) => message.role === "assistant");
    this.#post(this.#messages.slice(0, at + 1), "regenerate-message", answer?.id);
    return true;
  }

  /** Stops the answer on the server, and follows until the server says that it has ended. Never rejects. */
  async stop(): Promise<void> {
    const turn = this.#turn;
    if (turn === undefined || this.#stop.pending || !this.#busy()) return;
    this.#stop.begin();
    this.#commit();
    // Nothing has reached a server that only says "later".
    if (turn.plan.posted && !turn.opened && turn.connection === "waiting") return this.#end({ reason: "stopped" });
    this.#stop.limit((error) => this.#end({ reason: "stopped", message: error.message }, error));
    await this.#sendStop(turn);
  }

  /** Looks whether the saved messages have changed. Happens by itself when the reader comes back to the page. */
  async refresh(): Promise<void> {
    const life = this.#life;
    if (life === undefined || this.#turn !== undefined || Date.now() - this.#refreshedAt < MIN_REFRESH_MS) return;
    if (!this.#loaded) return this.#status === "error" ? this.#load() : undefined;
    this.#refreshedAt = Date.now();
    const saved = await loadMessages(this.#place, life).catch(() => undefined);
    if (saved === undefined || life.aborted || this.#turn !== undefined) return;
    const merged = mergeSaved(this.#messages, saved);
    if (JSON.stringify(merged) !== JSON.stringify(this.#messages)) {
      this.#messages = merged;
      this.#commit();
    }
    if (needsAnswer(this.#messages)) this.#resume(true);
  }

  // --- life ---

  #begin(life: AbortSignal): void {
    this.#life = life;
    const release = listenForReturn(() => void this.refresh());
    life.addEventListener("abort", release, { once: true });
    if (!this.#loaded) void this.#load();
    else if (needsAnswer(this.#messages)) this.#resume(false);
  }

  #leave(): void {
    this.#life = undefined;
    // What was seen of an answer stays; whoever comes back asks the server anew.
    if (this.#turn !== undefined || this.#status === "loading") {
      this.#loaded = false;
      this.#status = "loading";
    }
    this.#closeTurn();
    this.#frame.cancel();
  }

  async #load(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    this.#status = "loading";
    this.#error = null;
    this.#commit();
    try {
      const saved = await loadMessages(this.#place, life);
      if (life.aborted) return;
      this.#loaded = true;
      this.#messages = mergeSaved(this.#messages, saved);
      if (needsAnswer(this.#messages)) return this.#resume(false);
      this.#status = "ready";
    } catch (error) {
      if (life.aborted) return;
      this.#status = "error";
      this.#error = asError(error);
    }
    this.#commit();
  }

  // --- a turn ---

  #post(messages: readonly ChatMessage[], trigger: "submit-message" | "regenerate-message", messageId?: string): void {
    this.#messages = markDelivery(messages, "sending");
    const body = toBody(this.id, this.#messages, trigger, messageId, this.#options.body);
    this.#status = "submitted";
    this.#follow(this.#place.api, { method: "POST", body, resumeUrl: chatUrl(this.#place, "stream") }, true, false);
  }

  #resume(quiet: boolean): void {
    if (!quiet) this.#status = "loading";
    this.#follow(chatUrl(this.#place, "stream"), {}, false, quiet);
  }

  #follow(url: string, options: OpenOptions<MessageChunk>, posted: boolean, quiet: boolean): void {
    this.#closeTurn();
    if (!quiet) {
      this.#error = null;
      this.#announcement = "";
    }
    const { fetch, headers, credentials } = this.#place;
    const turn: Turn = new Turn(
      url,
      { ...this.#options.connection, ...options, fetch, headers, credentials },
      {
        posted,
        quiet,
        answerId: (posted ? undefined : unfinishedId(this.#messages)) ?? this.#newId(),
        onConnection: () => this.#connectionChanged(turn),
        onAnswer: () => this.#answerGrew(turn),
        onDone: (outcome) => void this.#done(turn, outcome),
      },
    );
    this.#turn = turn;
    this.#commit();
  }

  /** Leaves the turn; what it has brought so far stays among the messages. */
  #closeTurn(): void {
    this.#messages = placeAnswer(this.#messages, this.#turn?.answer?.message);
    this.#turn?.close();
    this.#turn = undefined;
    this.#stop.clear();
  }

  #connectionChanged(turn: Turn): void {
    const status = turn.connection;
    if (status === "open" && turn.plan.posted) this.#messages = markDelivery(this.#messages, undefined);
    if (status === "open" && this.#status !== "streaming") {
      this.#status = "submitted";
      if (!this.#stop.pending) this.#error = null;
    }
    // A stop that overtook its own message has found nothing to stop.
    const first = status === "open" && this.getSnapshot().connection === "connecting";
    if (first && this.#stop.pending) void this.#sendStop(turn);
    // The ends are shown by #done, together with what they mean.
    if (status === "done" || status === "failed") return;
    if (status !== this.getSnapshot().connection) this.#commit();
    else if (turn.answer !== undefined && !turn.replaying) this.#frame.schedule();
  }

  #answerGrew(turn: Turn): void {
    if (this.#status !== "streaming" && turn.hasContent) {
      this.#status = "streaming";
      this.#announcement = "Answer started";
    }
    if (!turn.replaying) this.#frame.schedule();
  }

  async #done(turn: Turn, outcome: TurnOutcome): Promise<void> {
    if (outcome.type === "end") return this.#end(outcome.end);
    if (outcome.type === "nothing") return this.#lookUp(turn);
    this.#closeTurn();
    if (turn.plan.posted && !turn.opened) this.#messages = markDelivery(this.#messages, "failed");
    if (turn.plan.quiet && !turn.opened) this.#commit();
    else this.#show(failureOutcome(outcome.error));
  }

  /** The server runs nothing (any more): what it has saved is the truth. */
  async #lookUp(turn: Turn): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    const saved = await loadMessages(this.#place, life).catch((error: unknown) => asError(error));
    if (life.aborted || this.#turn !== turn) return;
    if (this.#stop.pending && (isTailraceError(saved) || saved.at(-1)?.end === undefined)) {
      return this.#end({ reason: "stopped" });
    }
    this.#closeTurn();
    if (isTailraceError(saved)) return turn.plan.quiet ? this.#commit() : this.#show(failureOutcome(saved));
    this.#messages = mergeSaved(this.#messages, saved);
    const outcome = turn.opened ? savedOutcome(this.#messages) : undefined;
    if (outcome !== undefined) return this.#show(outcome);
    if (this.#status !== "error") this.#status = "ready";
    this.#commit();
  }

  async #sendStop(turn: Turn): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    const error = await this.#stop.send(life);
    if (error === undefined || life.aborted || this.#turn !== turn) return;
    this.#error = error;
    this.#commit();
  }

  /** The answer has ended; shown at once. */
  #end(end: MessageEnd, error: TailraceError | null = null): void {
    this.#turn?.end(end);
    this.#closeTurn();
    this.#show(endOutcome(end, error));
  }

  // --- what is shown ---

  #busy(): boolean {
    return this.#life === undefined || (this.#status !== "ready" && this.#status !== "error");
  }

  #show({ status, error, announcement }: ChatOutcome): void {
    this.#status = status;
    this.#error = error;
    this.#announcement = announcement;
    this.#commit();
  }

  #view(): ChatSnapshot {
    return {
      messages: placeAnswer(this.#messages, this.#turn?.answer?.message),
      status: this.#status,
      connection: this.#turn?.connection ?? "idle",
      stopping: this.#stop.pending,
      error: this.#error,
      announcement: this.#announcement,
    };
  }

  #commit(): void {
    this.#frame.cancel();
    this.#store.set(this.#view());
  }
}
