// Carrying on under faults: processes that die at any call of the store, freeze, shut down and come back. Whatever happens,
// the log has each number once, in order, and an end that is true.

import fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { memoryStore } from "./memory.ts";
import { sqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";
import { Streams } from "./streams.ts";

const LEASE_MS = 4_000;
const WITHIN_MS = 1_000_000;
const LAST = 12;
const NEVER = new Promise<never>(() => undefined);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-faults-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A process that can die: its calls of the store neither reach it nor come back then, and its timers are silent. */
class Process {
  readonly streams: Streams;
  #isDead = false;
  #isFrozen = false;
  /** How many more calls it lives. With the last of them, it dies before it (`false`) or after it has taken effect (`true`). */
  #callsLeft = Infinity;
  #lastTakesEffect = false;

  constructor(store: Store, shared: ManualClock) {
    const clock: Clock = {
      now: () => shared.now(),
      after: (delayMs, callback) => {
        const fire = (): void => {
          if (this.#isDead) return;
          if (this.#isFrozen) cancel = shared.after(delayMs, fire);
          else callback();
        };
        let cancel = shared.after(delayMs, fire);
        return () => cancel();
      },
    };
    this.streams = new Streams({ store: this.#mortal(store), clock, leaseMs: LEASE_MS }, () => undefined);
    this.streams.onInterrupted("k", async (run) => {
      const { entries } = await run.read<number>({ last: 1 });
      return numbers((entries.at(-1)?.value ?? 0) + 1);
    });
  }

  dieIn(calls: number, lastTakesEffect: boolean): void {
    this.#callsLeft = calls;
    this.#lastTakesEffect = lastTakesEffect;
  }

  /** Its timers do nothing, so that its lease runs out although it writes. */
  set isFrozen(isFrozen: boolean) {
    this.#isFrozen = isFrozen;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  #mortal(store: Store): Store {
    return new Proxy(store, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        if (key === "watch") {
          return (listener: Parameters<Store["watch"]>[0]) =>
            target.watch((change) => void (this.#isDead || listener(change)));
        }
        return async (...values: unknown[]) => {
          if (this.#isDead) return NEVER;
          const isLast = --this.#callsLeft < 0;
          if (isLast) this.#isDead = true;
          if (isLast && !this.#lastTakesEffect) return NEVER;
          const result: unknown = await (value as (...values: unknown[]) => unknown).apply(target, values);
          return this.#isDead ? NEVER : result;
        };
      },
    });
  }
}

async function* numbers(from: number): AsyncGenerator<number> {
  for (let n = from; n <= LAST; n++) {
    yield n;
    await nextTurn();
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant("die" as const), who: fc.nat(2), calls: fc.nat(8), after: fc.boolean() }),
  fc.record({ do: fc.constant("freeze" as const), who: fc.nat(2), calls: fc.constant(0), after: fc.boolean() }),
  fc.record({ do: fc.constant("drain" as const), who: fc.nat(2), calls: fc.constant(0), after: fc.boolean() }),
  fc.record({ do: fc.constant("wait" as const), who: fc.constant(0), calls: fc.nat(4), after: fc.boolean() }),
);

describe.each(["memory", "sqlite"] as const)("carrying on over %s", (kind) => {
  test("any mix of deaths, freezes and shutdowns gives each number once, in order, and `completed`", async () => {
    let takeovers = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const clock = createManualClock();
        const place = crypto.randomUUID();
        const stores: Store[] = [];
        const open = (): Store => {
          if (kind === "memory" && stores.length > 0) return stores[0]!;
          const store =
            kind === "memory"
              ? memoryStore({ name: place, clock })
              : sqliteStore(join(folder, `${place}.db`), { clock });
          stores.push(store);
          return store;
        };
        const store = open();
        const processes = [0, 1, 2].map(() => new Process(open(), clock));
        const replace = (who: number): void => void (processes[who] = new Process(open(), clock));
        const turns = async (count: number): Promise<void> => {
          for (let turn = 0; turn < count; turn++) await nextTurn();
        };
        try {
          const options = { carryOn: "k", carryOnWithinMs: WITHIN_MS };
          await processes[0]!.streams.run("r", numbers(1), options);
          for (const { do: what, who, calls, after } of steps) {
            const process = processes[who]!;
            if (what === "die") process.dieIn(calls, after);
            else if (what === "freeze") process.isFrozen = after;
            else if (what === "drain") {
              // A drain of a dead process never comes back.
              await Promise.race([process.streams.drain(), turns(20)]);
              replace(who);
            } else await turns(calls);
            if (after) clock.advance(LEASE_MS);
            await turns(2);
            for (const index of [0, 1, 2]) if (processes[index]!.isDead) replace(index);
          }
          for (const process of processes) {
            process.isFrozen = false;
            process.dieIn(Infinity, false);
          }
          for (let round = 0; round < 200 && (await store.head("r"))!.end === undefined; round++) {
            clock.advance(LEASE_MS / 4);
            await turns(3);
          }
          const head = (await store.head("r"))!;
          const { items } = await store.read("r", head.start, { maxItems: 1_000, maxBytes: 1e6 });
          expect(items.map((item) => Number(item.payload))).toEqual(Array.from({ length: LAST }, (_, n) => n + 1));
          expect(head.end).toEqual({ reason: "completed" });
          if (head.run!.epoch > 1) takeovers++;
        } finally {
          for (const process of processes) await process.streams.close();
          for (const each of stores) await each.close();
        }
      }),
      { numRuns: kind === "memory" ? 150 : 60 },
    );
    expect(takeovers).toBeGreaterThan(5); // the mix does reach what is tested
  });
});
