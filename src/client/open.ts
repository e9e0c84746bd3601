// openStream: runs the state machine's effects, and stands between the attempts and the reader.

import { TailraceError } from "../errors.ts";
import { type Outcome, runAttempt } from "./attempt.ts";
import { begin, type Connection, type ConnectionEffect, type ConnectionEvent, next } from "./connection-state.ts";
import { Intake } from "./intake.ts";
import { ItemQueue } from "./item-queue.ts";
import { buildRequest, cursorHeader, methodOf } from "./request.ts";
import { type OpenDefaults, whyNotAgain, withDefaults } from "./open-defaults.ts";
import type { BodyFormat } from "./response.ts";
import { Listeners } from "./store.ts";
import type { OpenOptions, StreamConnection, StreamItem, StreamState } from "./stream-types.ts";
import { isPageHidden, listenForWake } from "./wake.ts";

class Stream<T> implements StreamConnection<T> {
  readonly #url: string | URL;
  readonly #options: OpenOptions<T>;
  readonly #defaults: OpenDefaults;
  readonly #queue: ItemQueue<StreamItem<T>>;
  readonly #intake: Intake<T>;
  readonly #listeners = new Listeners();
  readonly #detach: (() => void)[] = [];
  #machine: Connection;
  #attempt: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #format: BodyFormat | undefined;
  #openedAt = 0;
  #aliveAt = 0;
  /** A request that may not be repeated was answered with a stream. */
  #answered = false;
  /** The cursor after what the reader has been given. */
  #handed: string;
  #snapshot: StreamState | undefined;

  constructor(url: string | URL, options: OpenOptions<T>) {
    this.#url = url;
    this.#options = options;
    this.#defaults = withDefaults(options);
    this.#queue = new ItemQueue(this.#defaults.maxQueuedItems);
    this.#intake = new Intake(options, this.#queue, {
      dispatch: (event) => this.#dispatch(event),
      progress: () => this.#machine.attempt > 0 && this.#dispatch({ type: "progress" }),
      changed: () => this.#changed(),
    });
    this.#handed = this.#intake.cursor;
    cursorHeader(this.#handed);
    const first = begin(this.#defaults.limits);
    this.#machine = first.state;

    const { signal } = options;
    if (signal?.aborted === true) {
      this.#aborted(signal);
      return;
    }
    if (signal !== undefined) {
      const abort = (): void => this.#aborted(signal);
      signal.addEventListener("abort", abort, { once: true });
      this.#detach.push(() => signal.removeEventListener("abort", abort));
    }
    this.#detach.push(
      listenForWake({
        onWake: () => this.#wake(),
        onStale: () => this.#stale(),
        onHidden: () => this.#hidden(),
        onShown: () => this.#dispatch({ type: "resume", by: "hidden" }),
      }),
    );
    for (const effect of first.effects) this.#perform(effect);
    if (isPageHidden()) this.#hidden();
  }

  get state(): StreamState {
    const { status, attempt, retryAt, error, end } = this.#machine;
    const { cursor: lastEventId, replaying, gap } = this.#intake;
    if (this.#snapshot?.lastEventId === lastEventId) return this.#snapshot;
    return (this.#snapshot = { status, attempt, retryAt, error, end, lastEventId, replaying, gap });
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  pause(): void {
    if (this.#canReopen()) this.#dispatch({ type: "pause", by: "caller" });
  }

  resume(): void {
    this.#dispatch({ type: "resume", by: "caller" });
  }

  close(): void {
    this.#discard();
    this.#dispatch({ type: "close" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncGenerator<StreamItem<T>, void, undefined> {
    return this.#read(
      () => this.#queue.take(),
      (items) => items[0] as StreamItem<T>,
    );
  }

  batches(): AsyncGenerator<readonly StreamItem<T>[], void, undefined> {
    return this.#read(
      () => this.#queue.takeAll(),
      (items) => items,
    );
  }

  async *#read<R>(
    take: () => Promise<readonly StreamItem<T>[] | undefined>,
    give: (items: readonly StreamItem<T>[]) => R,
  ): AsyncGenerator<R, void, undefined> {
    try {
      for (let items = await take(); items !== undefined; items = await take()) {
        this.#handed = items.at(-1)?.id ?? this.#handed;
        yield give(items);
      }
    } finally {
      this.close();
    }
  }

  /** Drops what is queued. The cursor goes back before it, so that whoever follows from there misses nothing. */
  #discard(): void {
    if (this.#queue.size > 0) this.#intake.cursor = this.#handed;
    this.#queue.finish(true);
  }

  // --- the machine ---

  #dispatch(event: ConnectionEvent): void {
    const { state, effects } = next(this.#machine, event, Date.now(), Math.random());
    if (state === this.#machine) return;
    this.#machine = state;
    if (state.status !== "open") this.#intake.setReplaying(false);
    for (const effect of effects) this.#perform(effect);
    this.#changed();
  }

  #perform(effect: ConnectionEffect): void {
    switch (effect.type) {
      case "open":
        void this.#open();
        return;
      case "abort":
        this.#attempt?.abort();
        this.#attempt = undefined;
        this.#queue.releaseProducer();
        return;
      case "startTimer":
        this.#timer = setTimeout(() => this.#dispatch({ type: "timer" }), Math.min(effect.ms, 2 ** 31 - 1));
        return;
      case "cancelTimer":
        clearTimeout(this.#timer);
        return;
      case "release":
        for (const detach of this.#detach.splice(0)) detach();
        this.#settle();
        return;
    }
  }

  /** Tells the reader how it ended. A caller's own abort throws the signal's reason, at once. */
  #settle(): void {
    const { status, error } = this.#machine;
    if (status === "done" || error === null) return this.#queue.finish(false);
    if (error.code === "aborted") return this.#queue.finish(true, { error: error.cause });
    this.#queue.finish(false, { error });
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#listeners.call();
  }

  // --- one attempt ---

  async #open(): Promise<void> {
    const controller = new AbortController();
    this.#attempt = controller;
    this.#aliveAt = Date.now();
    const { attempt } = this.#machine;
    const lastEventId = this.#intake.cursor;
    const outcome = await runAttempt({
      fetch: this.#defaults.fetch,
      request: () => buildRequest(this.#url, this.#options, { attempt, lastEventId }, this.#answered),
      signal: controller.signal,
      idleMs: this.#defaults.idleMs,
      maxEventBytes: this.#options.maxEventBytes,
      lastEventId,
      onOpened: (format) => this.#opened(format),
      onAlive: () => this.#alive(),
      onIncoming: (incoming) => this.#intake.take(incoming, controller.signal),
      onCursor: (cursor) => {
        this.#intake.cursor = cursor;
      },
    });
    if (outcome !== undefined && this.#attempt === controller) this.#ended(outcome);
  }

  #opened(format: BodyFormat): void {
    this.#format = format;
    this.#openedAt = Date.now();
    if (!this.#repeatable()) this.#answered = true;
    this.#dispatch({ type: "opened" });
  }

  #alive(): void {
    this.#aliveAt = Date.now();
    // A connection that has lived for a whole maximum delay cannot loop fast, even if only heartbeats came.
    if (this.#machine.attempt > 0 && this.#aliveAt - this.#openedAt >= this.#machine.limits.maxDelayMs) {
      this.#dispatch({ type: "progress" });
    }
  }

  #ended(outcome: Outcome): void {
    if (outcome.type === "nothing") return this.#dispatch({ type: "end", end: null });
    if (outcome.type === "refused") return this.#dispatch({ type: "refused", error: outcome.error });
    if (outcome.type === "closed") {
      const complete = this.#options.endsOnClose ?? outcome.format !== "sse";
      if (complete) return this.#dispatch({ type: "end", end: { reason: "completed" } });
      const message = "The connection was closed before the stream's end.";
      return this.#lost(new TailraceError("connection_failed", message));
    }
    // RFC 9110, section 9.2.2: a request that is not idempotent is repeated only when it is known not to have been
    // carried out, which a 429 or 503 with a Retry-After says.
    const { error, retryAfterMs, status } = outcome;
    const again = (status === 429 || status === 503) && retryAfterMs !== undefined;
    if (again && !this.#canReopen()) return this.#dispatch({ type: "cut", error, retryAfterMs });
    this.#lost(error, retryAfterMs);
  }

  #lost(error: TailraceError, retryAfterMs?: number): void {
    if (this.#canReopen()) return this.#dispatch({ type: "cut", error, retryAfterMs });
    const message = `${error.message} ${whyNotAgain(this.#format, this.#answered)}`;
    const { cause = error, details, status } = error;
    this.#dispatch({ type: "refused", error: new TailraceError(error.code, message, { cause, details, status }) });
  }

  /** A GET may be sent again at will. */
  #repeatable(): boolean {
    return this.#answered || methodOf(this.#options) === "GET";
  }

  /** Whether another attempt would bring what is missing, no more and no less. */
  #canReopen(): boolean {
    if (this.#intake.delivered && this.#format !== "sse") return false;
    if (!this.#repeatable()) return false;
    return !this.#answered || this.#options.resumeUrl !== undefined;
  }

  // --- the page and the caller ---

  #aborted(signal: AbortSignal): void {
    const error = new TailraceError("aborted", "The caller's signal aborted the stream.", { cause: signal.reason });
    if (this.#queue.size > 0) this.#intake.cursor = this.#handed;
    this.#dispatch({ type: "refused", error });
  }

  #wake(): void {
    // A wall clock that jumped past the watchdog's limit means that the machine slept: the socket is gone.
    const slept = Date.now() - this.#aliveAt > this.#defaults.idleMs;
    if (slept && this.#machine.status === "open" && this.#queue.size === 0) return this.#stale();
    this.#dispatch({ type: "wake" });
  }

  #stale(): void {
    if (this.#canReopen()) return this.#dispatch({ type: "stale" });
    if (this.#machine.status === "open")
      this.#lost(new TailraceError("connection_failed", "The page slept and its connection is gone."));
  }

  #hidden(): void {
    if (this.#options.pauseWhenHidden === true && this.#canReopen()) this.#dispatch({ type: "pause", by: "hidden" });
  }
}

/**
 * Follows a stream: server-sent events, NDJSON or text, by GET or POST. It comes back after a cut by itself, from where
 * it was, and ends when the server says so (PROTOCOL.md, sections 1 and 3).
 *
 * The request leaves at once. Read the items with `for await`, which closes the stream on `break`, or all that is queued
 * at a time with `batches()`. The iteration ends with the stream, and throws when it has failed.
 *
 * @throws TailraceError `cursor_invalid` at once, for a `lastEventId` that no header can carry. While iterating:
 * `response_refused` (a status or type that is no stream), `connection_failed` (cut and not to be repaired),
 * `decode_failed`, `limit_exceeded`, `source_failed` (the server ended the stream as failed or interrupted).
 *
 * @example
 * for await (const { event, data, id } of openStream("/api/events")) console.log(event, id, data);
 */
export function openStream<T = unknown>(url: string | URL, options: OpenOptions<T> = {}): StreamConnection<T> {
  return new Stream<T>(url, options);
}
