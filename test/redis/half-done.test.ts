// Claims and takeovers are several steps. Here the process dies before each of them in turn, and a living one must find
// what it has left behind: no run without an owner that nobody looks at, and none with two.

import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redisStore } from "../../src/log/redis.ts";
import type { Store } from "../../src/log/store.ts";
import { createManualClock, type ManualClock } from "../../src/testing/manual-clock.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

const LEASE_MS = 5_000;
const WITHIN_MS = 20_000;
const KIND = { kind: "k", withinMs: WITHIN_MS };
/** More than any of the calls has. */
const MAX_STEPS = 20;

let server: RedisServer;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis({ port: server.port });
});
afterAll(async () => {
  client.disconnect();
  await server.end();
});

interface Place {
  readonly clock: ManualClock;
  readonly living: Store;
  /** A process that dies before its next command but `steps`. */
  readonly dying: (steps: number) => Store;
}

function place(): Place {
  const clock = createManualClock();
  const prefix = crypto.randomUUID();
  return {
    clock,
    living: redisStore(client, { clock, prefix }),
    dying(steps) {
      let left = steps;
      const mortal = {
        callBuffer: (...args: [string, ...string[]]): Promise<unknown> =>
          left-- > 0 ? client.callBuffer(...args) : Promise.reject(new Error("dead")),
        duplicate: () => client,
        status: "end", // nothing is tried again
      };
      return redisStore(mortal, { clock, prefix });
    },
  };
}

/** Calls `act` with 0, 1, 2 ... steps until it is done without dying. @returns how many steps it has */
async function eachStep(act: (steps: number) => Promise<"died" | "done">): Promise<number> {
  for (let steps = 0; steps < MAX_STEPS; steps++) if ((await act(steps)) === "done") return steps;
  throw new Error(`more than ${MAX_STEPS} steps`);
}

const outcome = (call: Promise<unknown>): Promise<"died" | "done"> =>
  call.then(
    () => "done" as const,
    () => "died" as const,
  );

describe("redisStore(), a process that dies half-way", () => {
  test("claim() leaves a run that reap ends, or none", async () => {
    const steps = await eachStep(async (count) => {
      const { clock, living, dying } = place();
      const result = await outcome(dying(count).claim("r", "a", LEASE_MS));
      const given = (await living.head("r"))?.run !== undefined;
      expect(await living.reap()).toEqual([]);
      clock.jump(LEASE_MS);
      expect(await living.reap()).toEqual(given ? ["r"] : []);
      if (!given) expect((await living.claim("r", "b", LEASE_MS)).claimed).toBe(true);
      return result;
    });
    expect(steps).toBe(3);
  });

  test("takeOver() leaves an orphan that another can take, and then nobody else owns", async () => {
    const steps = await eachStep(async (count) => {
      const { clock, living, dying } = place();
      await living.claim("r", "a", LEASE_MS, {}, KIND);
      clock.jump(LEASE_MS);
      const result = await outcome(dying(count).takeOver("r", "b", LEASE_MS));
      clock.jump(LEASE_MS);
      expect(await living.reap()).toEqual([]);
      expect(await living.orphans(["k"])).toEqual(["r"]);
      const { claimed, epoch } = await living.takeOver("r", "c", LEASE_MS);
      expect(claimed).toBe(true);
      expect((await living.beat("a", LEASE_MS)).owned).toEqual([]);
      expect((await living.beat("b", LEASE_MS)).owned).toEqual([]);
      expect((await living.beat("c", LEASE_MS)).owned).toEqual(["r"]);
      await living.append("r", ["1"], { epoch, end: { reason: "completed" } });
      return result;
    });
    expect(steps).toBeGreaterThan(3);
  });

  test("takeOver() never leaves a run that its owner, awake again, has lost and nobody finds", async () => {
    await eachStep(async (count) => {
      const { clock, living, dying } = place();
      await living.claim("r", "a", LEASE_MS, {}, KIND);
      clock.jump(LEASE_MS);
      const result = await outcome(dying(count).takeOver("r", "b", LEASE_MS));
      const { owned } = await living.beat("a", LEASE_MS); // it was only asleep
      const isTaken = (await living.head("r"))!.run!.owner === "b";
      const found = [owned.length > 0, (await living.orphans(["k"])).length > 0, isTaken];
      expect(found.filter(Boolean), `after ${count} steps: ${found.join()}`).toHaveLength(1);
      return result;
    });
  });

  test("reap() leaves what the next one ends, though the owner is awake again", async () => {
    await eachStep(async (count) => {
      const { clock, living, dying } = place();
      await living.claim("r", "a", LEASE_MS);
      clock.jump(LEASE_MS);
      const result = await outcome(dying(count).reap());
      const { owned } = await living.beat("a", LEASE_MS);
      const ended = [...(await living.reap()), (await living.head("r"))!.end?.reason];
      expect([owned.length > 0, ended.includes("interrupted")].filter(Boolean), `after ${count} steps`).toHaveLength(1);
      return result;
    });
  });

  test("append() that gives up leaves a run that can be taken, or one whose owner has it still", async () => {
    await eachStep(async (count) => {
      const { living, dying } = place();
      const { epoch } = await living.claim("r", "a", LEASE_MS, {}, KIND);
      const result = await outcome(dying(count).append("r", ["1"], { epoch, release: true }));
      const { owned } = await living.beat("a", LEASE_MS);
      const orphans = await living.orphans(["k"]);
      expect([...owned, ...orphans], `after ${count} steps`).toEqual(["r"]);
      return result;
    });
  });

  test("what is left behind is cleared away when it is old", async () => {
    const { clock, living, dying } = place();
    for (let count = 0; count < 3; count++) await outcome(dying(count).claim(`r${count}`, `a${count}`, LEASE_MS));
    const { epoch } = await living.claim("s", "a", LEASE_MS, {}, KIND);
    await living.append("s", [], { epoch, release: true });
    await living.append("s", [], { end: { reason: "completed" } });
    clock.jump(61_000 + LEASE_MS);
    await living.reap();
    const keys = await client.keys(`${living.key.split(":").at(-1)}:*`);
    expect(keys.filter((key) => !key.includes(":s:"))).toEqual([]);
  });
});
