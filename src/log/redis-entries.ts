// What an owner's entry says of a run: a token that begins with the time it was made at, or `!` and when the lease ran out
// for a run that was taken from its owner.

import type { RedisStream } from "./redis-rows.ts";
import { fateOf } from "./run-rules.ts";

/** How many streams are asked at once. */
const BATCH = 100;
/** How long an owner's entry may name a run that is not its own yet, in milliseconds: it may be about to get it. */
const STALE_MS = 60_000;

/** A run that an owner's entry, or the set of runs to look at, names. */
export interface Entry {
  readonly owner: string;
  readonly name: string;
  readonly token: string;
  readonly leaseMs: number;
}

/** An entry that names a run which is not its owner's, for good: one that is young may be about to get it. */
export function isOver(entry: Entry, stream: RedisStream | undefined, nowMs: number): boolean {
  if (isCondemned(entry.token) || (stream?.owner === entry.owner && stream.end !== undefined)) return true;
  return Math.abs(nowMs - Number.parseFloat(entry.token)) > STALE_MS;
}

export function fateWith(stream: RedisStream, entry: Entry, nowMs: number): ReturnType<typeof fateOf> {
  const leaseUntilMs = isCondemned(entry.token) ? Number(entry.token.slice(1)) : entry.leaseMs;
  return fateOf({ ...stream, leaseUntilMs }, nowMs);
}

export function isCondemned(token: string): boolean {
  return token.startsWith("!");
}

export function* batchesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}
