// A thousand runs that wait for a slow model: a beat of their owner costs as much as with a hundred, and misses nothing.

import type { Redis } from "ioredis";
import { beforeEach, expect, test, vi } from "vitest";
import { Keeper } from "../../src/log/keeper.ts";
import { LOOKS_PER_BEAT } from "../../src/log/redis-quiet.ts";
import type { Store } from "../../src/log/store.ts";
import { createManualClock, type ManualClock } from "../../src/testing/manual-clock.ts";
import { closeAfterEach, ioredis, storeOver } from "./redis-clients.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

const LEASE_MS = 5_000;
const KIND = { kind: "k", withinMs: 20_000 };
/** The runs from here on are not looked at in turn while a test beats. */
const FAR = 500;

let server: RedisServer;
let admin: Redis;
let clock: ManualClock;
/** The owner's process, and another. */
let store: Store;
let other: Store;
let keeper: Keeper;

beforeEach(async () => {
  server = await startRedis();
  admin = ioredis(server.port);
  clock = createManualClock();
  store = storeOver(ioredis(server.port), { clock });
  other = storeOver(ioredis(server.port), { clock });
  keeper = new Keeper(store, LEASE_MS, clock);
});
closeAfterEach(undefined, () => server.end());

const nameOf = (index: number): string => `r${index}`;

async function claim(from: number, to: number): Promise<number[]> {
  const indexes = Array.from({ length: to - from }, (_, index) => from + index);
  const claims = await Promise.all(
    indexes.map((index) => store.claim(nameOf(index), keeper.owner, LEASE_MS, {}, KIND)),
  );
  return claims.map(({ epoch }) => epoch);
}

/** How many scripts `act` makes Redis run. */
async function scriptsOf(act: () => Promise<unknown>): Promise<number> {
  await admin.call("CONFIG", "RESETSTAT");
  await act();
  const info = await admin.info("commandstats");
  return ["evalsha", "eval"].reduce(
    (sum, command) => sum + Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0),
    0,
  );
}

test("a beat of 1,000 idle runs makes no more scripts run than one of 100, and not one for each run at first", async () => {
  const lost: string[] = [];
  const add = (from: number, to: number): void => {
    for (let index = from; index < to; index++) {
      const settled = Promise.resolve();
      const name = nameOf(index);
      keeper.add(name, { canBeReleased: true, finish() {}, release() {}, lose: () => lost.push(name), settled });
    }
  };
  const beats = async (): Promise<void> => {
    for (let beat = 0; beat < 10; beat++) await keeper.tick();
  };
  await claim(0, 100);
  add(0, 100);
  const few = await scriptsOf(beats);
  await claim(100, 1_000);
  add(100, 1_000);
  // A machine that stands still for a second has its connection replaced, and then all are looked at: not always.
  let many = 0;
  await vi.waitFor(
    async () => {
      many = await scriptsOf(beats);
      expect(many).toBeLessThanOrEqual(few);
      expect(many).toBeLessThanOrEqual(10 * (LOOKS_PER_BEAT + 6));
    },
    { timeout: 60_000, interval: 1 },
  );
  expect(lost).toEqual([]);
  console.info(`${many / 10} scripts a beat for 1,000 idle runs, ${few / 10} for 100`);
}, 120_000);

test("beat() of a thousand idle runs tells of each that was stopped, ended, given up, deleted, made anew, expired or taken", async () => {
  const epochs = await claim(0, 1_000);
  const ttl = nameOf(1_000);
  await store.claim(ttl, keeper.owner, LEASE_MS, { ttlMs: 2 * LEASE_MS });
  const beat = (): ReturnType<Store["beat"]> => store.beat(keeper.owner, LEASE_MS);
  expect((await beat()).owned).toHaveLength(1_001);

  const [stopped, ended, released, deleted, anew] = [0, 1, 2, 3, 4].map((index) => nameOf(FAR + index));
  await other.requestStop(stopped!);
  for (let count = 0; count < 3; count++) expect((await beat()).stopRequested).toEqual([stopped]);
  await other.append(ended!, ["1"], { end: { reason: "completed" } });
  await other.append(released!, [], { epoch: epochs[FAR + 2], release: true });
  await other.delete(deleted!);
  await other.delete(anew!);
  await other.claim(anew!, "b", LEASE_MS);
  const { owned, stopRequested } = await beat();
  expect(stopRequested).toEqual([stopped]);
  expect(owned).toHaveLength(1_001 - 4);
  for (const name of [ended, released, deleted, anew]) expect(owned).not.toContain(name);

  // Its own doings, too.
  await store.append(stopped!, [], { epoch: epochs[FAR], end: { reason: "stopped" } });
  expect(await beat()).toMatchObject({ stopRequested: [] });
  clock.jump(LEASE_MS - 1);
  expect((await beat()).owned).toContain(ttl);
  clock.jump(LEASE_MS + 1);
  expect((await other.takeOver(nameOf(FAR + 10), "b", LEASE_MS)).claimed).toBe(true);
  const after = await beat();
  expect(after.owned).toHaveLength(1_001 - 5 - 2);
  for (const name of [ttl, nameOf(FAR + 10), stopped]) expect(after.owned).not.toContain(name);
}, 60_000);

test("beat() looks at all of its runs again after its connection was lost", async () => {
  const { port } = server;
  const client = ioredis(port);
  const own = storeOver(client, { clock });
  for (let index = 0; index < 40; index++) await own.claim(nameOf(index), "a", LEASE_MS);
  // As after a failover that has lost something: the entry is there, the run is not.
  await admin.del("tailrace:s:{r39}:m");
  await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await own.head("r0");
  expect((await own.beat("a", LEASE_MS)).owned).not.toContain("r39");
});
