// What a chat shows, as one snapshot at a time: at most one per frame while it grows, and at once where it matters.

import type { TailraceError } from "../errors.ts";
import type { ChatOutcome } from "./chat-outcome.ts";
import type { ChatSnapshot, ChatStatus } from "./chat-types.ts";
import { createFrameScheduler, type FrameScheduler } from "./frame.ts";
import { Store } from "./store.ts";

/** What the board is told of by its chat whenever it shows something. */
export type BoardRest = Omit<ChatSnapshot, keyof ChatOutcome>;

/** The snapshots of a chat. */
export class ChatBoard {
  status: ChatStatus;
  error: TailraceError | null = null;
  announcement = "";
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => ChatSnapshot;
  readonly getServerSnapshot: () => ChatSnapshot;
  readonly #rest: () => BoardRest;
  readonly #store: Store<ChatSnapshot>;
  readonly #frame: FrameScheduler;

  constructor(status: ChatStatus, rest: () => BoardRest) {
    this.status = status;
    this.#rest = rest;
    const first = this.#view();
    this.getServerSnapshot = () => first;
    this.#store = new Store(first);
    this.subscribe = this.#store.subscribe;
    this.getSnapshot = this.#store.getSnapshot;
    this.#frame = createFrameScheduler(() => this.#store.set(this.#view()));
  }

  /** Shows what there is by the next frame. */
  schedule(): void {
    this.#frame.schedule();
  }

  /** Shows what there is now. */
  commit(): void {
    this.#frame.cancel();
    this.#store.set(this.#view());
  }

  set({ status, error, announcement }: ChatOutcome): void {
    this.status = status;
    this.error = error;
    this.announcement = announcement;
  }

  cancel(): void {
    this.#frame.cancel();
  }

  #view(): ChatSnapshot {
    return { ...this.#rest(), status: this.status, error: this.error, announcement: this.announcement };
  }
}
