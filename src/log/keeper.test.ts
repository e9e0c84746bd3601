// Runs that the store holds to be this process's, and that nobody writes.

import { expect, test } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { Keeper } from "./keeper.ts";
import { memoryStore } from "./memory.ts";

const KIND = { kind: "k", withinMs: 60_000 };

function setUp() {
  const clock = createManualClock();
  const store = memoryStore({ clock });
  const keeper = new Keeper(store, 5_000, clock);
  keeper.add("mine", {
    canBeReleased: false,
    finish: () => undefined,
    release: () => undefined,
    lose: () => undefined,
    settled: Promise.resolve(),
  });
  return { store, keeper };
}

test("Keeper gives up a run that two beats name and nobody writes here, and keeps the others", async () => {
  const { store, keeper } = setUp();
  await store.claim("mine", keeper.owner, 5_000);
  await store.claim("stray", keeper.owner, 5_000);
  await store.claim("carried on", keeper.owner, 5_000, {}, KIND);
  await keeper.tick();
  expect((await store.head("stray"))!.end).toBeUndefined();
  expect(await store.orphans(["k"])).toEqual([]);
  await keeper.tick();
  expect((await store.head("stray"))!.end).toEqual({ reason: "interrupted" });
  expect(await store.orphans(["k"])).toEqual(["carried on"]);
  expect((await store.head("mine"))!.end).toBeUndefined();
});

test("Keeper leaves a run whose claim is under way, and one that only one beat named", async () => {
  const { store, keeper } = setUp();
  await store.claim("mine", keeper.owner, 5_000);
  await store.claim("slow", keeper.owner, 5_000);
  const arrived = [keeper.await("slow"), keeper.await("slow")];
  arrived[0]!();
  for (let beat = 0; beat < 3; beat++) await keeper.tick();
  arrived[1]!();
  await keeper.tick();
  expect((await store.head("slow"))!.end).toBeUndefined();
  await keeper.tick();
  expect((await store.head("slow"))!.end).toEqual({ reason: "interrupted" });
});
