// A writer: one process that does what its seed says, to the streams that it is told, and says each step. It is killed
// somewhere in the middle.

import { writeSync } from "node:fs";
import { isTailraceError } from "../../src/errors.ts";
import { createStreams } from "../../src/index.ts";
import { systemClock } from "../../src/clock.ts";
import type { AppendOptions } from "../../src/log/store.ts";
import { countOf, keyOf, payloadsOf, type Body, type Line, type Sent } from "./lines.ts";
import { Random } from "./random.ts";
import { openStore, type StoreSpec } from "./stores.ts";

/** A producer that lives longer than the processes in which it runs. */
export interface Lane {
  readonly id: string;
  readonly stream: string;
  readonly epoch: number;
  /** The first append that it does not know to be kept; those that were sent are sent again. */
  readonly next: number;
}

export interface WriterSpec {
  readonly id: string;
  readonly seed: string;
  readonly store: StoreSpec;
  readonly aheadMs: number;
  readonly burstCount: number;
  readonly streams: readonly string[];
  /** Streams that anybody may end. */
  readonly shortStreams: readonly string[];
  /** Names of runs, for which the writers contend. */
  readonly runs: readonly string[];
  readonly lanes: readonly Lane[];
  readonly follow: readonly string[];
  /** The number of lines after which it kills itself. */
  readonly diesAfterLines?: number | undefined;
  /** Whether it closes the store before it ends. */
  readonly closes: boolean;
}

/** No lease runs out by the passing of time. */
export const LEASE_MS = 600_000;
export const KIND = "soak";
const WITHIN_MS = 604_800_000;

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as WriterSpec);

async function main(spec: WriterSpec): Promise<void> {
  let lines = 0;
  const say = (line: Line): void => {
    writeSync(1, `${JSON.stringify(line)}\n`);
    if (++lines === spec.diesAfterLines) process.kill(process.pid, "SIGKILL");
  };
  const opened = openStore(spec.store, () => spec.aheadMs);
  const { store } = opened;
  const clock = { ...systemClock, now: () => Date.now() + spec.aheadMs };
  const streams = createStreams({ store, leaseMs: LEASE_MS, clock });
  const random = new Random(spec.seed);
  const owner = `owner-${spec.id}`;
  const held = new Map<string, number>();
  const lanes = spec.lanes.map((lane) => ({ ...lane, isBroken: false }));
  let appends = 0;

  const follow = async (name: string): Promise<void> => {
    const pull = (await streams.follow(name).open()).pull();
    for (;;) {
      const result = await pull.next();
      if (result.done === true) return say({ is: "seen end", stream: name, reason: pull.end?.reason ?? "closed" });
      if (result.value.kind === "gap") say({ is: "seen gap", stream: name });
      if (result.value.kind !== "item") continue;
      const { offset, payload } = result.value.item;
      const { key, index } = JSON.parse(payload as string) as Body;
      say({ is: "seen", stream: name, offset, key, index });
    }
  };

  /** @returns whether it was kept */
  const append = async (stream: string, count: number, options: AppendOptions = {}): Promise<boolean> => {
    const { producer, expect, epoch, end, release } = options;
    const key = producer === undefined ? `${spec.id}#${appends++}` : keyOf(producer);
    const sent: Sent = { is: "sent", key, stream, count, end: end?.reason, expect, epoch, release, producer };
    say(sent);
    try {
      const { before, tail, duplicate } = await store.append(stream, payloadsOf(sent), options);
      say({ is: "kept", key, stream, before, tail, isDuplicate: duplicate });
      return true;
    } catch (error) {
      say({ is: "refused", key, stream, code: isTailraceError(error) ? error.code : String(error) });
      return false;
    }
  };

  const own = ({ claimed, epoch }: { claimed: boolean; epoch: number }, stream: string): void => {
    if (!claimed) return;
    held.set(stream, epoch);
    say({ is: "owns", stream, epoch });
  };

  /** One step of a burst; nothing in it waits for another step. */
  const step = async (): Promise<unknown> => {
    const dice = random.next();
    const count = random.chance(0.2) ? random.int(5, 25) : random.int(1, 3);
    if (dice < 0.3) return append(random.pick(spec.streams), count);
    if (dice < 0.6 && lanes.length > 0) {
      const lane = random.pick(lanes);
      if (lane.isBroken) return;
      const producer = { id: lane.id, epoch: lane.epoch, seq: lane.next };
      lane.next++;
      const isKept = await append(lane.stream, countOf(producer), { producer });
      if (!isKept) lane.isBroken = true;
      return;
    }
    if (dice < 0.68) {
      const stream = random.pick(spec.streams);
      const head = await store.head(stream);
      return append(stream, count, { expect: head?.tail });
    }
    if (dice < 0.74 && spec.shortStreams.length > 0) {
      const end = random.chance(0.3) ? { reason: "completed" as const } : undefined;
      return append(random.pick(spec.shortStreams), end === undefined ? count : random.int(0, 2), { end });
    }
    return runStep(count);
  };

  const runStep = async (count: number): Promise<unknown> => {
    if (spec.runs.length === 0) return undefined;
    const dice = random.next();
    const mine = [...held];
    if (dice < 0.25 || mine.length === 0) {
      const name = random.pick(spec.runs);
      const carryOn = name.includes("carry") ? { kind: KIND, withinMs: WITHIN_MS } : undefined;
      return own(await store.claim(name, owner, LEASE_MS, {}, carryOn), name);
    }
    const [name, epoch] = random.pick(mine);
    if (dice < 0.75) return append(name, count, { epoch });
    if (dice < 0.82) {
      held.delete(name);
      const isCarried = name.includes("carry");
      await append(name, random.int(0, 2), { epoch, release: true });
      // The epoch is no good any more: this must be refused, also when nobody else has taken the run yet.
      if (isCarried) await append(name, 1, { epoch });
      return undefined;
    }
    if (dice < 0.86) {
      held.delete(name);
      return append(name, random.int(0, 2), { epoch, end: { reason: "completed" } });
    }
    if (dice < 0.9) {
      const stream = random.pick(spec.runs);
      if ((await store.requestStop(stream))?.run?.stopRequested === true) say({ is: "stop", stream });
      return undefined;
    }
    for (const orphan of await store.orphans([KIND])) own(await store.takeOver(orphan, owner, LEASE_MS), orphan);
    return undefined;
  };

  const beat = async (): Promise<void> => {
    const before = [...held.keys()];
    const { owned, stopRequested } = await store.beat(owner, LEASE_MS);
    say({ is: "beat", held: before, owned });
    for (const name of stopRequested) {
      const epoch = held.get(name);
      if (epoch === undefined) continue;
      held.delete(name);
      await append(name, 1, { epoch, end: { reason: "stopped" } });
    }
  };

  process.on("uncaughtException", (error) => {
    say({ is: "fault", message: String(error.stack) });
    process.exit(1);
  });
  say({ is: "ready" });
  const followers = spec.follow.map(follow);
  for (const follower of followers) {
    follower.catch((error: unknown) => say({ is: "fault", message: `follower: ${String(error)}` }));
  }
  for (let burst = 0; burst < spec.burstCount; burst++) {
    await Promise.all(Array.from({ length: random.int(1, 10) }, step));
    if (random.chance(0.2)) await beat();
  }
  say({ is: "over" });
  if (spec.closes) {
    // Without the end of life of Streams, which would end the runs: their owner dies here.
    await opened.close();
  }
  process.exit(0);
}
