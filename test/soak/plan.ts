// What happens between two crashes: which streams, who writes to them, and what comes back from before.

import type { Store } from "../../src/log/store.ts";
import type { Oracle } from "./oracle.ts";
import { Random } from "./random.ts";
import type { StoreSpec } from "./stores.ts";
import { LEASE_MS, type Lane, type WriterSpec } from "./writer.ts";

/** Streams that everybody writes to live for so many crashes. */
const STREAM_LIFE_CRASHES = 6;
const STREAM_COUNT = 3;

/** How far the clock is ahead after `crash` crashes: each examination finds every lease run out. */
export function aheadAfter(crash: number): number {
  return crash * 2 * LEASE_MS;
}

export interface Plan {
  readonly random: Random;
  /** Streams to be made before the writers start. */
  readonly streams: readonly string[];
  readonly shortStreams: readonly string[];
  readonly lanes: readonly Lane[];
  readonly writers: readonly Omit<WriterSpec, "store">[];
}

/** How much the writers of one plan do. */
export interface Effort {
  readonly writerCount: number;
  readonly burstCount: number;
  readonly canDie: boolean;
}

/** What is done until crash number `crash`, the first being 1. */
export function planFor(seed: string, crash: number, oracle: Oracle, effort: Effort): Plan {
  const random = new Random(`${seed}/${crash}`);
  const streams = Array.from({ length: STREAM_COUNT }, (_, slot) => streamOf(slot, crash));
  const shortStreams = [1, 2].map((number) => `short-${crash}-${number}`);
  const runs = [`run-${crash}-1`, `run-${crash}-2`, `carry-${crash}-1`, `carry-${crash}-2`];
  const lanes = Array.from({ length: 2 * effort.writerCount }, (_, slot) => {
    const stream = streams[slot % STREAM_COUNT]!;
    const id = `producer-${slot}`;
    const last = oracle.placeOf(stream, id);
    // Now and then a producer begins anew; else it goes on behind the last append that it knows to be kept, or before
    // that, since an answer may not have reached it.
    if (last === undefined) return { id, stream, epoch: 0, next: 0 };
    if (random.chance(0.15)) return { id, stream, epoch: last.epoch + 1, next: 0 };
    return { id, stream, epoch: last.epoch, next: Math.max(0, last.seq + 1 - random.int(0, 3)) };
  });
  const writers = Array.from({ length: effort.writerCount }, (_, slot): Omit<WriterSpec, "store"> => {
    const mayDie = effort.canDie && random.chance(0.4);
    return {
      id: `w${crash}.${slot}`,
      seed: `${seed}/${crash}/${slot}`,
      aheadMs: aheadAfter(crash - 1),
      burstCount: effort.burstCount,
      streams,
      shortStreams,
      runs,
      lanes: lanes.filter((_, index) => index % effort.writerCount === slot),
      follow: [...streams, ...shortStreams].filter(() => random.chance(0.4)),
      diesAfterLines: mayDie ? random.int(2, 30 * effort.burstCount) : undefined,
      closes: random.chance(0.5),
    };
  });
  return { random, streams, shortStreams, lanes, writers };
}

/** Makes the streams of the plan, and removes those whose life is over. */
export async function prepare(store: Store, { streams, shortStreams }: Plan, oracle: Oracle): Promise<void> {
  for (const name of oracle.streams) {
    if (streams.includes(name)) continue;
    await store.delete(name);
    oracle.forget(name);
  }
  for (const name of [...streams, ...shortStreams]) {
    await store.create(name);
    oracle.know(name);
  }
}

export function writerOver(writer: Omit<WriterSpec, "store">, store: StoreSpec): WriterSpec {
  return { ...writer, store };
}

/** Each slot changes its stream at another crash. */
function streamOf(slot: number, crash: number): string {
  const generation = Math.floor((crash + slot * 2) / STREAM_LIFE_CRASHES);
  return `stream-${slot}-${generation}`;
}
