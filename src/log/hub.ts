// One place per process where the followers of a stream meet: a bounded tail of its newest items that all of them share,
// and the wake-ups. A follower holds no buffer of its own: it has a cursor, and reads the tail or, when it lags, the store.

import { afterTurn } from "../clock.ts";
import { isTailraceError } from "../errors.ts";
import { report } from "../trace.ts";
import type { End } from "../wire/format.ts";
import type { Offset } from "./offset.ts";
import type { AppendResult, Change, ReadLimits, Store, StoredItem } from "./store.ts";

/** The newest items that are kept in memory per stream that is followed here. */
export const MAX_TAIL_ITEMS = 1_024;
/** And their size, in characters or bytes. */
export const MAX_TAIL_BYTES = 262_144;

/** What one step of a follower takes. */
export const STEP: ReadLimits = { maxItems: 256, maxBytes: 262_144 };

/** What a follower finds behind its cursor. */
export interface Step {
  readonly items: readonly StoredItem[];
  /** Whether that is all there is at the moment. */
  readonly upToDate: boolean;
  /** The end, once all items before it have been given. */
  readonly end: End | undefined;
}

/** What a hub tells its owner. */
export interface HubEvents {
  /** Somebody, in any process, wants the run `name` to stop. */
  onStop(name: string): void;
  /** A run waits for a process that carries it on. */
  onRelease(): void;
  /** The first stream is followed or written here, or the last one no longer is. */
  onUse(isUsed: boolean): void;
}

/** The channels of one store. */
export class Hub {
  readonly store: Store;
  readonly #channels = new Map<string, Channel>();
  readonly #events: HubEvents;
  #unwatch: (() => void) | undefined;

  constructor(store: Store, events: HubEvents) {
    this.store = store;
    this.#events = events;
  }

  /** How many streams are followed or written here now. */
  get size(): number {
    return this.#channels.size;
  }

  /** Joins the channel of `name`; `leave` it exactly once. */
  join(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      if (this.#unwatch === undefined) {
        this.#unwatch = this.store.watch((change) => this.#changed(change));
        this.#events.onUse(true);
      }
      channel = new Channel(name, this.store);
      this.#channels.set(name, channel);
    }
    channel.users++;
    return channel;
  }

  leave(channel: Channel): void {
    if (--channel.users > 0) return;
    this.#channels.delete(channel.name);
    channel.discard();
    if (this.#channels.size > 0) return;
    this.#unwatch?.(); // nobody follows anything: nothing is watched and no timer runs
    this.#unwatch = undefined;
    this.#events.onUse(false);
  }

  /** Shows what this process has appended to its own followers, without reading it back. */
  appended(name: string, result: AppendResult): void {
    this.#channels.get(name)?.extend(result);
  }

  #changed(change: Change): void {
    if (change.stopRequested) this.#events.onStop(change.name);
    if (change.released === true) this.#events.onRelease();
    this.#channels.get(change.name)?.hint(change);
  }
}

/** One stream's newest items and those who wait for more. */
export class Channel {
  readonly name: string;
  users = 0;
  readonly #store: Store;
  #waiters = new Set<() => void>();
  #tail: StoredItem[] = [];
  #tailBytes = 0;
  /** The offset before the first of `#tail`; undefined until something is known. */
  #tailStart: Offset | undefined;
  #end: End | undefined;
  /** Grows with every sign of news, so that a follower that reads meanwhile does not sleep through it. */
  #news = 0;
  #cancelHint: (() => void) | undefined;
  /** What hints have told: there are items up to here, and an end. */
  #hintedTail: Offset = "";
  #hintedEnd = false;
  #isReading = false;

  constructor(name: string, store: Store) {
    this.name = name;
    this.#store = store;
  }

  get #tailEnd(): Offset | undefined {
    return this.#tail.at(-1)?.offset ?? this.#tailStart;
  }

  /** What stands behind `after`. @throws {TailraceError} `gap`, `stream_unknown` */
  step(after: Offset): Step | Promise<Step> {
    return this.#fromTail(after) ?? this.#fromStore(after);
  }

  /** Calls `wake` once at the next news. @returns false, and does not, if there is news since `seen` (a `newsCount`) already */
  wait(seen: number, wake: () => void): boolean {
    if (this.#news !== seen) return false;
    this.#waiters.add(wake);
    return true;
  }

  /** `wake` is not called any more. */
  unwait(wake: () => void): void {
    this.#waiters.delete(wake);
  }

  get newsCount(): number {
    return this.#news;
  }

  extend({ before, items, end }: Pick<AppendResult, "before" | "items" | "end">): void {
    if (this.#tailStart === undefined || this.#tailEnd === before) {
      this.#tailStart ??= before;
      this.#push(items);
      this.#end = end;
    } else if (items.length > 0 && items.at(-1)!.offset > this.#tailEnd!) {
      this.#forget(); // another process wrote in between: followers read the store
    }
    this.#wake();
  }

  /** Another process, or this one, has changed the stream. Its own appends have reached `extend` by the end of the turn. */
  hint(change: Change): void {
    if (change.tail === undefined || change.wentBack === true) {
      this.#forget();
      this.#hintedTail = change.tail ?? "";
      this.#hintedEnd = change.tail !== undefined && change.ended;
      this.#wake();
      return;
    }
    if (change.tail > this.#hintedTail) this.#hintedTail = change.tail;
    this.#hintedEnd ||= change.ended;
    const { appended } = change;
    // It joins on to what is here: nothing was lost or came late.
    if (appended !== undefined && (this.#tailEnd ?? appended.before) === appended.before) this.extend(appended);
    if (this.#isCurrent() || this.#cancelHint !== undefined) return;
    this.#cancelHint = afterTurn(() => {
      this.#cancelHint = undefined;
      if (!this.#isCurrent() && !this.#isReading) void this.#catchUp();
    });
  }

  discard(): void {
    this.#cancelHint?.();
    this.#cancelHint = undefined;
  }

  #fromTail(after: Offset): Step | undefined {
    if (this.#tailStart === undefined || after < this.#tailStart || after > this.#tailEnd!) return undefined;
    let index = this.#tail.length;
    while (index > 0 && this.#tail[index - 1]!.offset > after) index--;
    // A place that is none of these is not in the stream (any more): the store tells.
    if (after !== (this.#tail[index - 1]?.offset ?? this.#tailStart)) return undefined;
    const items = this.#tail.slice(index, index + STEP.maxItems);
    const upToDate = index + items.length === this.#tail.length;
    return { items, upToDate, end: upToDate ? this.#end : undefined };
  }

  async #fromStore(after: Offset): Promise<Step> {
    const { items, head, upToDate } = await this.#store.read(this.name, after, STEP);
    const isCurrent = head.tail >= this.#hintedTail && (head.end !== undefined || !this.#hintedEnd);
    if (upToDate && isCurrent && this.#tailStart === undefined) {
      // The first reader that reaches the end of what is stored gives the others their starting point.
      this.#tailStart = after;
      this.#push(items);
      this.#end = head.end;
    }
    return { items, upToDate, end: upToDate ? head.end : undefined };
  }

  /** Whether the tail holds all that hints have told of. */
  #isCurrent(): boolean {
    const tailEnd = this.#tailEnd;
    return tailEnd !== undefined && tailEnd >= this.#hintedTail && (this.#end !== undefined || !this.#hintedEnd);
  }

  /** Reads what others have written, once for all followers, until it has what was hinted at. */
  async #catchUp(): Promise<void> {
    this.#isReading = true;
    try {
      // Without a starting point, each follower reads for itself until one of them has set it.
      while (this.#tailEnd !== undefined && !this.#isCurrent()) {
        const from = this.#tailEnd;
        const hinted = this.#hintedTail; // what is told from here on, the answer need not know
        const { items, head, upToDate } = await this.#store.read(this.name, from, STEP);
        if (this.#tailEnd !== from) continue; // an append of this process came first
        if (!upToDate) this.#forget();
        else {
          this.#push(items);
          this.#end = head.end;
        }
        this.#wake();
        if (head.tail < hinted) break; // the stream was made anew: its followers find out
      }
    } catch (error) {
      this.#forget();
      if (!isTailraceError(error, "gap") && !isTailraceError(error, "stream_unknown")) report("log", error);
    } finally {
      this.#isReading = false;
      this.#wake();
    }
  }

  #push(items: readonly StoredItem[]): void {
    for (const item of items) {
      this.#tail.push(item);
      this.#tailBytes += item.payload.length;
    }
    let gone = 0;
    while (this.#tail.length - gone > MAX_TAIL_ITEMS || this.#tailBytes > MAX_TAIL_BYTES) {
      this.#tailBytes -= this.#tail[gone]!.payload.length;
      this.#tailStart = this.#tail[gone]!.offset;
      gone++;
    }
    if (gone > 0) this.#tail.splice(0, gone);
  }

  #forget(): void {
    this.#tail = [];
    this.#tailBytes = 0;
    this.#tailStart = undefined;
    this.#end = undefined;
  }

  #wake(): void {
    this.#news++;
    const waiters = this.#waiters;
    if (waiters.size === 0) return;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
  }
}
