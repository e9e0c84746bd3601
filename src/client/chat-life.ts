// The life of a chat: it begins and leaves, loads, looks what others have done, and shows what has come.

import type { TailraceError } from "../errors.ts";
import { createAttachment } from "./attachment.ts";
import { ChatBoard } from "./chat-board.ts";
import { ChatLooks } from "./chat-looks.ts";
import { needsAnswer, placeAnswer, randomId } from "./chat-messages.ts";
import { asError, type ChatOutcome } from "./chat-outcome.ts";
import { ChatQueue } from "./chat-queue.ts";
import { type ChatPlace, placeOf } from "./chat-requests.ts";
import { StopRequest } from "./chat-stop.ts";
import { ChatThread } from "./chat-thread.ts";
import type { Turn } from "./chat-turn.ts";
import type { ChatOptions, ChatSnapshot } from "./chat-types.ts";
import { ChatWatch } from "./chat-watch.ts";
import { listenForReturn } from "./wake.ts";

/** What a chat does by itself beside the turns. */
export abstract class ChatLife {
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
  protected readonly options: ChatOptions;
  protected readonly thread: ChatThread;
  protected readonly queue: ChatQueue = new ChatQueue();
  protected readonly newId: () => string;
  protected life: AbortSignal | undefined;
  protected turn: Turn | undefined;
  protected readonly place: ChatPlace;
  protected readonly board: ChatBoard;
  protected readonly stopping: StopRequest;
  protected readonly watch: ChatWatch;
  protected readonly looks: ChatLooks;

  constructor(options: ChatOptions) {
    this.id = options.id;
    this.options = options;
    this.place = placeOf(options);
    this.stopping = new StopRequest(this.place, options.stopTimeoutMs);
    this.newId = options.generateId ?? randomId;
    this.thread = new ChatThread(this.place, options);
    this.looks = new ChatLooks(() => this.#look());
    this.watch = new ChatWatch(this.place, options, () => void this.looks.now());
    const isReady = this.thread.isLoaded && !needsAnswer(this.thread.messages);
    this.board = new ChatBoard(isReady ? "ready" : "loading", () => ({
      messages: placeAnswer(this.thread.messages, this.turn?.answer?.message),
      queued: this.queue.messages,
      hasEarlier: this.thread.before !== undefined,
      title: this.thread.title,
      connection: this.turn?.connection ?? "idle",
      stopping: this.stopping.pending,
    }));
    const { subscribe, getSnapshot, getServerSnapshot } = this.board;
    this.subscribe = subscribe;
    this.getSnapshot = getSnapshot;
    this.getServerSnapshot = getServerSnapshot;
    const leave = (): void => this.#leave();
    this.attach = createAttachment((life) => this.#begin(life), leave);
  }

  protected get isBusy(): boolean {
    return this.life === undefined || (this.board.status !== "ready" && this.board.status !== "error");
  }

  /** Follows what is being written; `quiet`: a look that the reader need not notice. */
  protected abstract resume(quiet: boolean): void;

  /** Leaves the turn that is followed, if there is one. */
  protected abstract leaveTurn(): void;

  // --- life ---

  #begin(life: AbortSignal): void {
    this.life = life;
    const release = listenForReturn(() => void this.lookAgain());
    life.addEventListener("abort", release, { once: true });
    this.watch.renew();
    if (!this.thread.isLoaded) void this.load();
    else this.settleLoaded(false);
  }

  #leave(): void {
    this.life = undefined;
    // What was seen of an answer stays; whoever comes back asks the server anew.
    if (this.turn !== undefined || this.board.status === "loading") {
      this.thread.isLoaded = false;
      this.board.status = "loading";
    }
    this.leaveTurn();
    this.watch.close();
    this.board.cancel();
    this.looks.settle();
  }

  protected async load(): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    this.board.status = "loading";
    this.board.error = null;
    this.commit();
    try {
      const page = await this.thread.fetch(life, "load");
      if (life.aborted) return;
      this.thread.take(page);
      this.settleLoaded(true);
    } catch (error) {
      if (life.aborted) return;
      this.board.status = "error";
      this.fail(asError(error));
    }
  }

  /** The messages are there: follow what is being written, or be ready. */
  protected settleLoaded(isNews: boolean): void {
    if (needsAnswer(this.thread.messages)) return this.resume(false);
    if (isNews) this.board.status = "ready";
    if (isNews) this.commit();
    else this.#tend();
  }

  protected async lookAgain(): Promise<void> {
    if (!this.looks.isDue()) return;
    if (!this.thread.isLoaded) return this.board.status === "error" ? this.load() : undefined;
    this.watch.renew();
    return this.looks.now();
  }

  /** Takes over what others have done. */
  async #look(): Promise<void> {
    const { life, thread } = this;
    if (life === undefined || this.turn !== undefined || !thread.isLoaded) return;
    const { branch } = thread;
    const page = await thread.fetch(life, "look").catch(() => undefined);
    if (page === undefined || life.aborted || this.turn !== undefined || thread.branch !== branch) return;
    if (thread.take(page)) this.commit();
    if (needsAnswer(thread.messages)) this.resume(true);
  }

  // --- what is shown ---

  protected fail(error: TailraceError): void {
    this.board.error = error;
    this.commit();
  }

  protected show(outcome: ChatOutcome): void {
    this.board.set(outcome);
    this.commit();
  }

  protected commit(): void {
    this.board.commit();
    this.#tend();
  }

  /** Others are heard of while no answer is followed: one connection at a time. */
  #tend(): void {
    const { life, thread } = this;
    const isIdle = life !== undefined && this.turn === undefined && thread.isLoaded && thread.messages.length > 0;
    if (isIdle && this.board.status !== "loading") this.watch.follow(thread.revision);
    else this.watch.close();
  }
}
