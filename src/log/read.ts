// Reading what a stream keeps now, without waiting for more.

import type { End } from "../wire/format.ts";
import { STEP } from "./hub.ts";
import type { Entry } from "./named.ts";
import { parseCursor, type Offset } from "./offset.ts";
import { fromPayload } from "./payload.ts";
import type { Store } from "./store.ts";

export interface ReadOptions {
  /** A cursor. Default: the start. */
  readonly after?: string | undefined;
  /** Begin with the last `last` items that are kept, instead of `after`. */
  readonly last?: number | undefined;
  /** The most items that are read. Default: `last`, or else 10,000. There are more if `tail` is not the last one's offset. */
  readonly maxItems?: number | undefined;
}

/** What `read` gives. */
export interface ReadStream<T> {
  readonly entries: readonly Entry<T>[];
  readonly tail: Offset;
  readonly end: End | undefined;
}

/** @throws {TailraceError} `stream_unknown`, `gap`, `cursor_invalid` */
export async function readStream<T>(store: Store, name: string, options: ReadOptions): Promise<ReadStream<T>> {
  const { after, last, maxItems = last ?? 10_000 } = options;
  const isPlaced = last === undefined && after !== undefined;
  let cursor = isPlaced ? parseCursor(after).offset : await store.offsetBeforeLast(name, last ?? Infinity);
  const entries: Entry<T>[] = [];
  for (;;) {
    const limits = { maxItems: Math.min(STEP.maxItems, maxItems - entries.length), maxBytes: STEP.maxBytes };
    const { items, head, upToDate } = await store.read(name, cursor, limits);
    for (const { offset, payload } of items) entries.push({ offset, value: fromPayload(payload) as T });
    if (upToDate || entries.length >= maxItems || items.length === 0)
      return { entries, tail: head.tail, end: head.end };
    cursor = items.at(-1)!.offset;
  }
}
