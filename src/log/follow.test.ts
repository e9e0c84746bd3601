import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { openFollow, type FollowOptions } from "./follow.ts";
import { Hub, MAX_TAIL_ITEMS } from "./hub.ts";
import { memoryStore } from "./memory.ts";
import { endCursor, offsetOf, parseCursor, sequenceOf } from "./offset.ts";
import type { Store } from "./store.ts";

const quiet = { onStop: () => undefined, onRelease: () => undefined, onUse: () => undefined };

function setUp(): { store: Store; hub: Hub } {
  const store = memoryStore({ name: crypto.randomUUID(), clock: createManualClock() });
  return { store, hub: new Hub(store, quiet) };
}

/** Reads until the end, or until `count` items have come. */
async function read(
  hub: Hub,
  options: FollowOptions = {},
  count = Infinity,
): Promise<{ seen: string[]; end: string | undefined }> {
  const pull = (await openFollow(hub, "s", options)).pull();
  const seen: string[] = [];
  while (seen.filter((each) => /^\d/.test(each)).length < count) {
    const result = await pull.next();
    if (result.done === true) return { seen, end: pull.end?.reason };
    if (result.value.kind === "item") seen.push(result.value.item.payload as string);
    else seen.push(result.value.kind);
  }
  pull.close();
  return { seen, end: undefined };
}

describe("offsets", () => {
  test("sort as bytes and are read back, for every number", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(offsetOf(a) < offsetOf(b)).toBe(a < b);
        expect(sequenceOf(offsetOf(a))).toBe(a);
      }),
    );
    expect(sequenceOf(offsetOf(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
  });

  test.each(["", "1", "-1", "now", "20", "21", "3aB1", "21a ", "21a~~", "~", "c" + "z".repeat(12), "9".repeat(40)])(
    "parseCursor() refuses %j",
    (text) => {
      expect(() => parseCursor(text)).toThrow(/is no cursor/);
    },
  );

  test("parseCursor() reads an offset and the mark of the end", () => {
    expect(parseCursor("21a")).toEqual({ offset: "21a", sawEnd: false });
    expect(parseCursor(endCursor("21a"))).toEqual({ offset: "21a", sawEnd: true });
  });
});

describe("following", () => {
  test("replays, says when it is live, tails and tells the end", async () => {
    const { store, hub } = setUp();
    await store.create("s");
    await store.append("s", ["1", "2"]);
    const reading = read(hub);
    await nextTurn();
    hub.appended("s", await store.append("s", ["3"]));
    await nextTurn();
    await store.append("s", ["4"], { end: { reason: "stopped" } }); // only hinted at, as another process's append is
    expect(await reading).toEqual({ seen: ["1", "2", "live", "3", "4"], end: "stopped" });
    expect(hub.size).toBe(0);
  });

  test("begins at a cursor, at the start, now, or with the last items", async () => {
    const { store, hub } = setUp();
    await store.create("s");
    const { items } = await store.append("s", ["1", "2", "3"]);
    await store.append("s", [], { end: { reason: "completed" } });
    const from = async (options: FollowOptions): Promise<string[]> => (await read(hub, options)).seen;
    expect(await from({ after: "start" })).toEqual(["1", "2", "3"]);
    expect(await from({ after: items[1]!.offset })).toEqual(["3"]);
    expect(await from({ after: "now" })).toEqual([]);
    expect(await from({ last: 2 })).toEqual(["2", "3"]);
    expect(await from({ last: 9 })).toEqual(["1", "2", "3"]);
  });

  test("tells a gap for a cursor that is not kept, and goes on from the earliest item", async () => {
    const { store, hub } = setUp();
    const { head } = await store.create("s", { maxItems: 2 });
    await store.append("s", ["1", "2", "3"], { end: { reason: "completed" } });
    expect((await read(hub, { after: head.start })).seen).toEqual(["gap", "2", "3"]);
    expect((await read(hub, { after: "9zzzzzzzzz" })).seen).toEqual(["gap", "2", "3"]);
  });

  test("tells a gap to a reader that retention overtakes", async () => {
    const { store, hub } = setUp();
    await store.create("s", { maxItems: 300 });
    const payloads = (from: number, count: number): string[] =>
      Array.from({ length: count }, (_, index) => String(from + index));
    await store.append("s", payloads(0, 300));
    const pull = (await openFollow(hub, "s")).pull();
    const seen: string[] = [];
    for (let step = 0; step < 10; step++) {
      const { value } = await pull.next();
      if (value?.kind === "item") seen.push(value.item.payload as string);
    }
    await store.append("s", payloads(300, 1_000), { end: { reason: "completed" } });
    const kinds = new Set<string>();
    for (;;) {
      const result = await pull.next();
      if (result.done === true) break;
      kinds.add(result.value.kind);
      if (result.value.kind === "item") seen.push(result.value.item.payload as string);
    }
    expect(kinds.has("gap")).toBe(true);
    expect(seen.slice(-300)).toEqual(payloads(1_000, 300));
    expect(seen.map(Number)).toEqual([...new Set(seen.map(Number))].toSorted((a, b) => a - b));
  });

  test("close() at any moment leaves no channel and no listener behind", async () => {
    const { store, hub } = setUp();
    await store.create("s");
    await store.append("s", ["1"]);
    for (let steps = 0; steps <= 3; steps++) {
      const pull = (await openFollow(hub, "s")).pull();
      for (let step = 0; step < Math.min(steps, 2); step++) await pull.next();
      const waiting = steps === 3 ? pull.next() : undefined;
      if (steps === 3) await nextTurn();
      pull.close();
      pull.close();
      if (waiting !== undefined) expect((await waiting).done).toBe(true);
      expect((await pull.next()).done).toBe(true);
      expect(hub.size).toBe(0);
    }
  });

  test("a lagging reader reads the store again and misses nothing", async () => {
    const { store, hub } = setUp();
    await store.create("s");
    const slow = (await openFollow(hub, "s")).pull();
    const fast = read(hub);
    const total = MAX_TAIL_ITEMS * 3;
    const seen: string[] = [];
    expect((await slow.next()).value).toEqual({ kind: "live" });
    for (let index = 0; index < total; index += 64) {
      hub.appended(
        "s",
        await store.append(
          "s",
          Array.from({ length: 64 }, (_, each) => String(index + each)),
        ),
      );
      await nextTurn();
    }
    hub.appended("s", await store.append("s", [], { end: { reason: "completed" } }));
    for (;;) {
      const result = await slow.next();
      if (result.done === true) break;
      if (result.value.kind === "item") seen.push(result.value.item.payload as string);
    }
    const expected = Array.from({ length: total }, (_, index) => String(index));
    expect(seen).toEqual(expected);
    expect((await fast).seen.filter((each) => each !== "live")).toEqual(expected);
  });

  test("any mix of own appends, foreign appends, readers and pauses gives every reader every item once, in order", async () => {
    const step = fc.record({
      what: fc.constantFrom("own", "foreign", "reader", "turn", "resume"),
      count: fc.integer({ min: 1, max: 400 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { store, hub } = setUp();
        const { head } = await store.create("s");
        const places = [head.start];
        let written = 0;
        const readers: { from: number; reading: Promise<{ seen: string[] }> }[] = [];
        for (const { what, count } of steps) {
          if (what === "turn") await nextTurn();
          else if (what === "reader") readers.push({ from: 0, reading: read(hub) });
          else if (what === "resume") {
            const from = count % places.length;
            readers.push({ from, reading: read(hub, { after: places[from]! }) });
          } else {
            const result = await store.append(
              "s",
              Array.from({ length: count }, () => String(written++)),
            );
            places.push(...result.items.map((item) => item.offset));
            if (what === "own") hub.appended("s", result);
          }
        }
        await store.append("s", [], { end: { reason: "completed" } });
        const all = Array.from({ length: written }, (_, index) => String(index));
        for (const { from, reading } of readers) {
          expect((await reading).seen.filter((each) => each !== "live")).toEqual(all.slice(from));
        }
        expect(hub.size).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
