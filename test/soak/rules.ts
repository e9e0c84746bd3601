// What must be true of a stream after a crash, given what was sent and what was answered.

import type { StoredItem, StreamHead } from "../../src/log/store.ts";
import type { Body, Place, Sent } from "./lines.ts";

/** What a crash may take away. */
export type Loss =
  /** Nothing that was acknowledged. */
  | "nothing"
  /** The newest of what was acknowledged; never something that stood before something that was kept. */
  | "tail";

/** A rule that was broken, with the story of the stream. */
export class Violation extends Error {}

/** An append as the model knows it. */
export interface Append {
  readonly sent: Sent;
  /** Whose lines told of it. */
  readonly life: string;
  /** When it was sent first, counted in lines. */
  readonly sentAt: number;
  /** When it was acknowledged first. */
  keptAt: number | undefined;
  tail: string | undefined;
  refusedAs: string | undefined;
  /** How it was found at the last comparison. */
  found: "there" | "absent" | undefined;
}

export interface Seen {
  readonly stream: string;
  readonly items: { readonly offset: string; readonly key: string; readonly index: number }[];
  gaps: number;
  end: string | undefined;
}

export interface Owner {
  readonly life: string;
  readonly epoch: number;
}

/** All that a store holds of one stream. */
export interface Content {
  readonly head: StreamHead;
  readonly items: readonly StoredItem[];
  /** How often a read was told of a gap. */
  readonly gaps: number;
}

/** Ends the comparison: a rule was broken. */
export type Fail = (what: string) => never;

/** @returns the keys that are there, each whole, once, and at the place that was told */
export function checkItems(
  fail: Fail,
  appends: ReadonlyMap<string, Append>,
  { head, items, gaps }: Content,
  loss: Loss,
): Set<string> {
  if (gaps > 0 && loss === "nothing") fail(`a read was told of ${gaps} gaps`);
  const there = new Set<string>();
  let last = head.start;
  let epoch = 0;
  const writers = new Map<number, string>();
  const places = new Map<string, Place>();
  for (let at = 0; at < items.length;) {
    const before = at === 0 ? head.start : items[at - 1]!.offset;
    const { key, count } = bodyOf(items[at]!);
    const append = appends.get(key);
    if (append === undefined) fail(`holds ${key}, which nobody sent`);
    if (there.has(key)) fail(`holds ${key} twice`);
    there.add(key);
    const { sent, tail } = append;
    if (sent.count !== count) fail(`holds ${key} with ${count} items, sent were ${sent.count}`);
    for (let index = 0; index < count; index++, at++) {
      const item = items[at];
      const body = item && bodyOf(item);
      if (body?.key !== key || body.index !== index) {
        fail(`holds ${index} of the ${count} items of ${key}, then ${body?.key ?? "nothing"}`);
      }
      // Numbers may leap between appends, and never go back.
      if (item!.offset <= last) fail(`holds ${item!.offset} behind ${last}`);
      last = item!.offset;
    }
    const end = items[at - 1]!.offset;
    if (tail !== undefined && tail !== end) fail(`${key} was told to end at ${tail} and ends at ${end}`);
    if (sent.expect !== undefined && sent.expect !== before) {
      fail(`${key} expected the tail ${sent.expect} and stands behind ${before}`);
    }
    if (sent.epoch !== undefined) {
      if (sent.epoch < epoch) fail(`${key} of epoch ${sent.epoch} stands behind epoch ${epoch}`);
      epoch = sent.epoch;
      const writer = writers.get(epoch) ?? append.life;
      if (writer !== append.life) fail(`${writer} and ${append.life} both wrote in epoch ${epoch}`);
      writers.set(epoch, append.life);
    }
    if (sent.producer !== undefined) checkPlace(fail, places, sent.producer);
  }
  if (head.tail < last) fail(`has its tail at ${head.tail}, but an item at ${last}`);
  return there;
}

function checkPlace(fail: Fail, places: Map<string, Place>, place: Place): void {
  const last = places.get(place.id);
  const isNext =
    last?.epoch === place.epoch
      ? place.seq === last.seq + 1
      : place.seq === 0 && (last === undefined || place.epoch > last.epoch);
  if (!isNext) fail(`${JSON.stringify(place)} stands behind ${JSON.stringify(last)}`);
  places.set(place.id, place);
}

/** What one process sent without a condition is there in the order of its calls, and without one left out in between. */
export function checkOrder(fail: Fail, appends: ReadonlyMap<string, Append>, there: ReadonlySet<string>): void {
  const places = new Map([...there].map((key, index) => [key, index]));
  const last = new Map<string, number>();
  const missing = new Map<string, string>();
  for (const { sent, life, refusedAs, found } of appends.values()) {
    if (found !== undefined || sent.count === 0 || sent.producer !== undefined) continue;
    const place = places.get(sent.key);
    if (place === undefined) {
      if (refusedAs === undefined && sent.expect === undefined && sent.epoch === undefined) missing.set(life, sent.key);
      continue;
    }
    // One that expects a tail was sent after a question of its own, but its line was said when it was sent.
    if (place < (last.get(life) ?? -1)) fail(`${sent.key} stands before what ${life} sent earlier`);
    last.set(life, place);
    const left = missing.get(life);
    if (left !== undefined) fail(`${sent.key} is there without ${left}, which ${life} sent earlier`);
  }
}

export function isEndThere({ sent, keptAt }: Append, content: Content | undefined): boolean {
  if (content === undefined) return false;
  if (sent.end !== undefined) return content.head.end?.reason === sent.end;
  return keptAt !== undefined; // a release leaves no item
}

/** Whether the append may be there, and must be. */
export function checkFate(
  fail: Fail,
  append: Append,
  earlier: () => readonly Append[],
  isThere: boolean,
  content: Content | undefined,
  loss: Loss,
): void {
  const { sent, keptAt, refusedAs, found, tail } = append;
  const { key } = sent;
  if (found === "there" && !isThere) fail(`${key} was found after an earlier crash and is gone`);
  if (found === "absent" && isThere && sent.count > 0) fail(`${key} was absent and has come back`);
  if (found !== undefined) return;
  if (keptAt !== undefined && !isThere) {
    if (loss === "nothing") fail(`${key} was acknowledged and is lost`);
    const isBehind = content === undefined || tail === undefined || tail > content.head.tail || sent.count === 0;
    if (!isBehind) fail(`${key} was acknowledged up to ${tail} and is not there, though the tail is further`);
  }
  if (keptAt === undefined && refusedAs !== undefined && isThere && sent.count > 0 && !MAY_BE_MADE.includes(refusedAs))
    fail(`${key} was refused as ${refusedAs} and is there`);
  if (sent.end !== undefined && isThere && content?.head.end?.reason !== sent.end) {
    fail(`${key} is there, but not its end (${sent.end}): ${content?.head.end?.reason ?? "none"}`);
  }
  if (refusedAs !== undefined && loss === "nothing") checkRefusal(fail, append, earlier(), refusedAs, content);
}

function checkRefusal(
  fail: Fail,
  { sent, life }: Append,
  earlier: readonly Append[],
  code: string,
  content: Content | undefined,
): void {
  const isRight = {
    conflict: sent.expect !== undefined,
    stream_closed: content?.head.end !== undefined,
    fenced:
      sent.epoch !== undefined &&
      earlier.some(({ sent: { epoch, release } }) => release === true && epoch === sent.epoch),
    sequence_gap: earlier.some(
      (other) => other.life === life && other.sent.producer?.id === sent.producer?.id && isUncertain(other),
    ),
    store_unavailable: true,
  }[code];
  if (isRight !== true) fail(`${sent.key} was refused as ${code} without cause`);
}

/** Followers saw the stream from its start, each item once. */
export function checkSeen(
  failAbout: (stream: string, what: string) => never,
  all: Iterable<readonly [string, Seen]>,
  contents: ReadonlyMap<string, Content>,
  loss: Loss,
): number {
  let count = 0;
  for (const [by, { stream, items, gaps, end }] of all) {
    const fail: Fail = (what) => failAbout(stream, what);
    const content = contents.get(stream);
    if (content === undefined) {
      if (loss === "nothing" && items.length > 0) fail("was followed and is not there");
      continue;
    }
    if (gaps > 0) fail(`${by} was told of ${gaps} gaps`);
    count += items.length;
    for (const [index, item] of items.entries()) {
      const kept = content.items[index];
      if (kept === undefined) {
        if (loss === "nothing") fail(`${by} was given ${item.key} at ${item.offset}, which is not there`);
        break;
      }
      const body = bodyOf(kept);
      if (kept.offset !== item.offset || body.key !== item.key || body.index !== item.index) {
        const found = `${body.key}[${body.index}] at ${kept.offset}`;
        fail(`${by} was given ${item.key}[${item.index}] at ${item.offset} where ${found} stands`);
      }
    }
    if (end !== undefined && loss === "nothing") {
      const isWhole = items.length === content.items.length && content.head.end?.reason === end;
      if (!isWhole) fail(`${by} saw its end (${end}) after ${items.length} of ${content.items.length} items`);
    }
  }
  return count;
}

/** Refusals after which an append may have been made all the same. */
const MAY_BE_MADE = ["store_unavailable"];

function isUncertain({ refusedAs }: Append): boolean {
  return refusedAs !== undefined;
}

function bodyOf({ payload }: StoredItem): Body {
  return JSON.parse(payload as string) as Body;
}
