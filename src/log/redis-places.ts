// Where an item stands among those that are kept. Numbers of items leap where a Redis took over that may have lost some
// (see redis-prelude.ts), so that a place is the number less the leaps before it.

import { TailraceError } from "../errors.ts";
import { offsetOf, sequenceOf, type Offset } from "./offset.ts";

/** The item after `from` is the one after `to`. */
export interface Leap {
  readonly from: number;
  readonly to: number;
  /** Whether items are known to have been lost there. */
  readonly isLoss: boolean;
}

/** A stretch of numbers: from the place before the first item that is kept to the last item. */
export interface Stretch {
  readonly start: number;
  readonly tail: number;
  readonly leaps: readonly Leap[];
}

/** @returns the leaps as the scripts write them down, in order */
export function leapsOf(text: string | undefined): readonly Leap[] {
  if (text === undefined || text === "") return [];
  return text.split(" ").map((leap) => {
    const [, from, to, mark] = /^(\d+)-(\d+)(!?)$/.exec(leap) ?? [];
    return { from: Number(from), to: Number(to), isLoss: mark === "!" };
  });
}

/** How many items are kept up to `sequence`; undefined for a number that no item has. */
export function countTo({ start, leaps }: Stretch, sequence: number): number | undefined {
  let count = sequence - start;
  for (const { from, to } of leaps) {
    if (sequence <= from) break;
    if (sequence < to) return undefined;
    count -= to - from;
  }
  return count;
}

/** The number of the nth item that is kept; `start` for 0. */
export function sequenceAt({ start, leaps }: Stretch, n: number): number {
  let sequence = start + n;
  for (const { from, to } of leaps) {
    if (sequence <= from) break;
    sequence += to - from;
  }
  return sequence;
}

/** @throws {TailraceError} `gap` if what comes after `after` is not all kept, was lost, or lies ahead of the stream */
export function checkPlace(name: string, after: Offset, stretch: Stretch): number {
  const { start, tail, leaps } = stretch;
  const sequence = sequenceOf(after);
  const leap = leaps.find(({ from, to, isLoss }) => sequence! < to && (isLoss ? sequence! >= from : sequence! > from));
  if (sequence !== undefined && sequence >= start && sequence <= tail && leap === undefined) return sequence;
  const details = { asked: after, earliest: offsetOf(leap?.to ?? start), latest: offsetOf(tail) };
  const message =
    leap === undefined
      ? `The stream ${name} no longer keeps what comes after ${after}.`
      : `Redis has lost what came after ${after} in the stream ${name}; it goes on after ${details.earliest}.`;
  throw new TailraceError("gap", message, { details });
}
