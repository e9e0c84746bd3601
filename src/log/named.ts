// A named stream as a source: what `follow` and `run` give, and what the replies know how to resume.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { End } from "../wire/format.ts";
import { openFollow, type FollowOptions, type OpenFollow } from "./follow.ts";
import type { Hub } from "./hub.ts";
import type { Offset } from "./offset.ts";
import { fromPayload } from "./payload.ts";

const MARK: unique symbol = Symbol.for("tailrace.named.1");

/** An item of a named stream with its place in it. */
export interface Entry<T> {
  readonly offset: Offset;
  readonly value: T;
}

export interface EntriesOptions extends FollowOptions {
  /** Ends the iteration when it aborts, as if the stream had ended. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A stream that has a name. As an iterable it gives the values from the start (or `after`), then those that come, and ends with the
 * stream. It throws `source_failed` if the stream ends as `failed` or `interrupted`, and `gap` if history it asks for is no longer kept.
 */
export class NamedSource<T> implements AsyncIterable<T> {
  readonly name: string;
  readonly #hub: Hub;
  readonly #options: FollowOptions;
  readonly #beforeOpen: (name: string) => Promise<void>;

  constructor(hub: Hub, name: string, options: FollowOptions, beforeOpen: (name: string) => Promise<void>) {
    this.#hub = hub;
    this.name = name;
    this.#options = options;
    this.#beforeOpen = beforeOpen;
    Object.defineProperty(this, MARK, { value: true });
  }

  /** Finds the place to begin: for replies. @throws `stream_unknown`, `cursor_invalid` */
  async open(options: FollowOptions = this.#options): Promise<OpenFollow> {
    await this.#beforeOpen(this.name);
    return openFollow(this.#hub, this.name, { ...this.#options, ...options });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const { value } of this.entries()) yield value;
  }

  /** The values with their offsets; an offset is what a later `after` takes. */
  async *entries(options: EntriesOptions = {}): AsyncGenerator<Entry<T>, void, undefined> {
    const { signal, ...place } = options;
    const opened = await this.open(Object.keys(place).length > 0 ? place : this.#options);
    if (signal?.aborted === true) return;
    const pull = opened.pull();
    const close = (): void => pull.close();
    signal?.addEventListener("abort", close, { once: true });
    try {
      for (;;) {
        const result = await pull.next();
        if (result.done === true) break;
        const event = result.value;
        if (event.kind === "gap") throw gapError(this.name, event.gap);
        if (event.kind === "item") yield { offset: event.item.offset, value: fromPayload(event.item.payload) as T };
      }
      throwIfBroken(this.name, pull.end);
    } finally {
      signal?.removeEventListener("abort", close);
      pull.close();
    }
  }

  /** Waits for the end. @throws `stream_unknown` if the stream goes away before */
  async ended(signal?: AbortSignal): Promise<End | undefined> {
    const pull = (await this.open({ after: "now" })).pull();
    const close = (): void => pull.close();
    signal?.addEventListener("abort", close, { once: true });
    try {
      for (;;) {
        const result = await pull.next();
        if (result.done === true) return pull.end;
      }
    } finally {
      signal?.removeEventListener("abort", close);
      pull.close();
    }
  }
}

/** Whether `source` is a {@link NamedSource}, from this copy of the module or another. */
export function isNamed(source: unknown): source is NamedSource<unknown> {
  return typeof source === "object" && source !== null && MARK in source;
}

export function gapError(name: string, gap: { asked: Offset; earliest: Offset; latest: Offset }): TailraceError {
  const message = `The stream ${name} no longer keeps what comes after ${gap.asked}; begin again from its start.`;
  return new TailraceError("gap", message, { details: { ...gap } });
}

/** @throws `source_failed` for an end that is none of a whole stream */
export function throwIfBroken(name: string, end: End | undefined): void {
  if (end === undefined || end.reason === "completed" || end.reason === "stopped") return;
  throw new TailraceError("source_failed", `The stream ${name} ended as ${end.reason}.`, {
    details: { reason: end.reason },
  });
}

/** Whether `error` says that there is no such stream. */
export function isUnknown(error: unknown): boolean {
  return isTailraceError(error, "stream_unknown");
}
