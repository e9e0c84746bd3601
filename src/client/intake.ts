// Takes what a body said, in order: the cursor moves, items are decoded and queued, the end is found.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { Incoming } from "./body-decoder.ts";
import type { ConnectionEvent } from "./connection-state.ts";
import type { ItemQueue } from "./item-queue.ts";
import { createCheck, createDecode, readEnd, readGap, readGapComment } from "./stream-items.ts";
import type { OpenOptions, StreamGap, StreamItem } from "./stream-types.ts";

/** Whom the intake tells. */
export interface IntakeHost {
  dispatch(event: ConnectionEvent): void;
  /** An item was queued. */
  progress(): void;
  /** `replaying` or `gap` has changed. */
  changed(): void;
}

/** The intake of one connection, over all of its attempts. */
export class Intake<T> {
  /** The cursor after all that was taken. */
  cursor: string;
  replaying = false;
  gap: StreamGap | null = null;
  /** Whether any item was queued. */
  delivered = false;
  readonly #options: OpenOptions<T>;
  readonly #queue: ItemQueue<StreamItem<T>>;
  readonly #host: IntakeHost;
  readonly #decode: ReturnType<typeof createDecode<T>>;
  readonly #check: ReturnType<typeof createCheck<T>>;

  constructor(options: OpenOptions<T>, queue: ItemQueue<StreamItem<T>>, host: IntakeHost) {
    this.cursor = options.lastEventId ?? "";
    this.#options = options;
    this.#queue = queue;
    this.#host = host;
    this.#decode = createDecode(options);
    this.#check = createCheck(options);
  }

  /** Takes one thing. A promise: wait for it before the next, the reader is behind or the schema is still at work. */
  take(incoming: Incoming, signal: AbortSignal): Promise<void> | undefined {
    switch (incoming.type) {
      case "comment":
        return this.#takeComment(incoming.text, signal);
      case "retry":
        this.#host.dispatch({ type: "retry", ms: incoming.ms });
        return undefined;
      case "broken":
        this.#broken(incoming.error);
        return undefined;
      case "end":
        this.#host.dispatch({ type: "end", end: { reason: incoming.end.reason, code: incoming.end.code } });
        return undefined;
      case "row":
        return this.#deliver(() => this.#check("message", incoming.value, ""), undefined, signal);
      case "text": {
        const read = typeof this.#options.decode === "function" ? this.#decode : this.#check;
        return this.#deliver(() => read("message", incoming.text, ""), undefined, signal);
      }
      default:
        return this.#takeEvent(incoming, signal);
    }
  }

  /** Begins or ends a replay: batches are held back meanwhile. */
  setReplaying(replaying: boolean): void {
    if (this.replaying === replaying) return;
    this.replaying = replaying;
    this.#queue.hold(replaying);
    this.#host.changed();
  }

  #takeComment(text: string, signal: AbortSignal): Promise<void> | undefined {
    // PROTOCOL.md, sections 1.4 and 7.
    if (text === "replay" || text === "live") this.setReplaying(text === "replay");
    const gap = readGapComment(text);
    // Its place is the cursor's that was asked with: what follows has ids of its own.
    return gap === undefined ? undefined : this.#takeGap(gap, this.cursor, signal);
  }

  #takeGap(gap: StreamGap, id: string, signal: AbortSignal): Promise<void> | undefined {
    this.gap = gap;
    this.#host.changed();
    return this.#deliver(() => ({ event: "gap", data: gap as T, id }), id, signal);
  }

  #takeEvent(raw: Incoming & { readonly type: "event" }, signal: AbortSignal): Promise<void> | undefined {
    const { event, data, id } = raw;
    if (event === "heartbeat") return undefined;
    if (event === "gap") return this.#takeGap(readGap(data), id, signal);
    let end: ReturnType<typeof readEnd>;
    try {
      end = (this.#options.isEnd ?? readEnd)({ event, data, id });
    } catch (error) {
      this.#broken(error);
      return undefined;
    }
    if (end === undefined) return this.#deliver(() => this.#decode(event, data, id), id, signal);
    const found = end;
    const finish = (): void => {
      if (signal.aborted) return;
      this.cursor = id;
      this.#host.dispatch({ type: "end", end: found });
    };
    const wait = found.deliver === true ? this.#deliver(() => this.#decode(event, data, id), id, signal) : undefined;
    if (wait !== undefined) return wait.then(finish);
    finish();
    return undefined;
  }

  /** Queues what `make` gives. With an `id` the cursor moves to it: only an item that is queued counts as received. */
  #deliver(
    make: () => StreamItem<T> | Promise<StreamItem<T>>,
    id: string | undefined,
    signal: AbortSignal,
  ): Promise<void> | undefined {
    const put = (item: StreamItem<T>): Promise<void> | undefined => {
      if (signal.aborted) return undefined;
      if (id !== undefined) this.cursor = id;
      this.delivered = true;
      const wait = this.#queue.push(item);
      this.#host.progress();
      return wait;
    };
    try {
      const made = make();
      if (!(made instanceof Promise)) return put(made);
      return made.then(put, (error: unknown) => this.#broken(error, signal));
    } catch (error) {
      this.#broken(error);
      return undefined;
    }
  }

  #broken(cause: unknown, signal?: AbortSignal): void {
    if (signal?.aborted === true) return;
    const error = isTailraceError(cause)
      ? cause
      : new TailraceError("decode_failed", "An item could not be decoded: what reads it threw.", { cause });
    this.#host.dispatch({ type: "refused", error });
  }
}
