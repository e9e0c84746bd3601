// Following a stream: replay, then tail, without a gap or a duplicate, holding nothing but a cursor and one step of items.

import { DONE, type Pull } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import type { End } from "../wire/format.ts";
import type { Channel, Hub, Step } from "./hub.ts";
import { parseCursor, type Offset } from "./offset.ts";
import type { StoredItem, StreamHead } from "./store.ts";

/** Where a follower begins. */
export interface FollowOptions {
  /** A cursor, `start` (default) or `now`. */
  readonly after?: string | undefined;
  /** Begin with the last `last` items that are kept, instead of `after`. */
  readonly last?: number | undefined;
}

/** History asked for that is not kept any more. */
export interface Gap {
  readonly asked: Offset;
  readonly earliest: Offset;
  readonly latest: Offset;
}

/** What a follower meets: an item, the moment it has caught up with the present, or a gap. */
export type FollowEvent =
  | { readonly kind: "item"; readonly item: StoredItem }
  | { readonly kind: "live" }
  | { readonly kind: "gap"; readonly gap: Gap };

const LIVE: FollowEvent = Object.freeze({ kind: "live" });

/** A follower that has found its stream and its place in it. */
export interface OpenFollow {
  readonly head: StreamHead;
  /** The place before the first item it will give. */
  readonly start: Offset;
  /** Whether the reader has everything, the end too. */
  readonly isComplete: boolean;
  /** Whether there are items to replay. */
  readonly hasReplay: boolean;
  readonly gap: Gap | undefined;
  /** Starts reading. Call it once; nothing is held before. */
  pull(): FollowPull;
}

/**
 * Finds the stream and the place to begin.
 *
 * @throws {TailraceError} `stream_unknown`; `cursor_invalid` for an `after` that no stream gave out
 */
export async function openFollow(hub: Hub, name: string, options: FollowOptions = {}): Promise<OpenFollow> {
  const head = await hub.store.head(name);
  if (head === undefined)
    throw new TailraceError("stream_unknown", `There is no stream named ${JSON.stringify(name)}.`);
  const { start, gap, sawEnd } = await place(hub, head, options);
  return {
    head,
    start,
    isComplete: sawEnd && head.end !== undefined && start === head.tail,
    hasReplay: start !== head.tail,
    gap,
    pull: () => new FollowPull(hub, name, start, gap),
  };
}

async function place(
  hub: Hub,
  head: StreamHead,
  options: FollowOptions,
): Promise<{ start: Offset; gap: Gap | undefined; sawEnd: boolean }> {
  const { after = "start", last } = options;
  if (last !== undefined)
    return { start: await hub.store.offsetBeforeLast(head.name, last), gap: undefined, sawEnd: false };
  if (after === "start") return { start: head.start, gap: undefined, sawEnd: false };
  if (after === "now") return { start: head.tail, gap: undefined, sawEnd: false };
  const { offset, sawEnd } = parseCursor(after);
  if (offset >= head.start && offset <= head.tail) return { start: offset, gap: undefined, sawEnd };
  return { start: head.start, gap: { asked: offset, earliest: head.start, latest: head.tail }, sawEnd: false };
}

/** The events of a follower, one per demand; `end` tells how the stream ended once the pull is done. */
export class FollowPull implements Pull<FollowEvent> {
  readonly #hub: Hub;
  readonly #name: string;
  #isClosed = false;
  #wake: (() => void) | undefined;
  #channel: Channel | undefined;
  #cursor: Offset;
  #gap: Gap | undefined;
  #items: readonly StoredItem[] = [];
  #index = 0;
  #isLive = false;
  #step: Step | undefined;
  #end: End | undefined;

  constructor(hub: Hub, name: string, start: Offset, gap: Gap | undefined) {
    this.#hub = hub;
    this.#name = name;
    this.#cursor = start;
    this.#gap = gap;
  }

  /** How the stream ended; undefined while it has not, or when the follower was closed before. */
  get end(): End | undefined {
    return this.#end;
  }

  /** The offset of the last item given, or the place it began after. */
  get cursor(): Offset {
    return this.#cursor;
  }

  next(): IteratorResult<FollowEvent, undefined> | Promise<IteratorResult<FollowEvent, undefined>> {
    const ready = this.#ready();
    return ready ?? this.#advance();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#items = [];
    if (this.#channel === undefined) return;
    if (this.#wake !== undefined) {
      this.#channel.unwait(this.#wake);
      this.#wake();
    }
    this.#hub.leave(this.#channel);
    this.#channel = undefined;
  }

  /** What needs no waiting: the rest of the step, or the mark behind it. */
  #ready(): IteratorResult<FollowEvent, undefined> | undefined {
    if (this.#isClosed) return DONE;
    if (this.#gap !== undefined) {
      const gap = this.#gap;
      this.#gap = undefined;
      return { done: false, value: { kind: "gap", gap } };
    }
    if (this.#index < this.#items.length) {
      const item = this.#items[this.#index++]!;
      this.#cursor = item.offset;
      return { done: false, value: { kind: "item", item } };
    }
    if (this.#step?.end !== undefined) {
      this.#end = this.#step.end;
      this.close();
      return DONE;
    }
    if (this.#step?.upToDate === true && !this.#isLive) {
      this.#isLive = true;
      return { done: false, value: LIVE };
    }
    return undefined;
  }

  async #advance(): Promise<IteratorResult<FollowEvent, undefined>> {
    this.#channel ??= this.#hub.join(this.#name);
    const channel = this.#channel;
    for (;;) {
      // Counted before the look, so that news that comes during it is not slept through.
      const news = channel.newsCount;
      try {
        const step = channel.step(this.#cursor);
        this.#take("then" in step ? await step : step);
      } catch (error) {
        if (!isTailraceError(error, "gap")) throw error;
        this.#fallBack(error);
      }
      const ready = this.#ready();
      if (ready !== undefined) return ready;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (!channel.wait(news, resolve)) resolve();
      });
      this.#wake = undefined;
    }
  }

  #take(step: Step): void {
    this.#step = step;
    this.#items = step.items;
    this.#index = 0;
  }

  /** Retention overtook the reader: it is told, and goes on from the earliest item that is kept. */
  #fallBack(error: TailraceError): void {
    this.#gap = error.details as unknown as Gap;
    this.#cursor = this.#gap.earliest;
    this.#take({ items: [], upToDate: false, end: undefined });
  }
}
