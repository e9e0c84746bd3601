// The rules for reading, keeping and changes: R1 to R4, K1 to K3, C1, C2.

import type { Change } from "../log/store.ts";
import { payloadsOf } from "./contract-append.ts";
import type { ContractCase } from "./contract-case.ts";
import { equal, isTrue, rejects } from "./expect.ts";

const ALL = { maxItems: 1_000, maxBytes: 1_000_000 };

export const readCases: readonly ContractCase[] = [
  {
    name: "R1 read gives what stands behind the cursor, from every place",
    async run({ store }) {
      const { head } = await store.create("s");
      const payloads = Array.from({ length: 20 }, (_, index) => String(index));
      const { items } = await store.append("s", payloads);
      const places = [head.start, ...items.map((item) => item.offset)];
      for (const [index, place] of places.entries()) {
        const read = await store.read("s", place, ALL);
        equal(
          read.items.map((item) => item.payload),
          payloads.slice(index),
          `after item ${index}`,
        );
        equal(
          read.items.map((item) => item.offset),
          places.slice(index + 1),
          `offsets after item ${index}`,
        );
      }
    },
  },
  {
    name: "R2 read keeps to its limits and says whether there is more",
    async run({ store }) {
      const { head } = await store.create("s");
      await store.append("s", ["11111", "22222", "33333"]);
      const read = async (maxItems: number, maxBytes: number): Promise<[number, boolean]> => {
        const { items, upToDate } = await store.read("s", head.start, { maxItems, maxBytes });
        return [items.length, upToDate];
      };
      equal(await read(2, 1_000), [2, false], "two items");
      equal(await read(3, 1_000), [3, true], "three items");
      equal(await read(10, 10), [2, false], "ten bytes");
      equal(await read(10, 9), [1, false], "nine bytes");
      equal(await read(10, 1), [1, false], "one byte: one item all the same");
      equal(await read(10, 15), [3, true], "fifteen bytes");
    },
  },
  {
    name: "R3 a cursor outside what is kept is a gap",
    async run({ store }) {
      const { head } = await store.create("s", { maxItems: 2 });
      const { items, tail } = await store.append("s", ["1", "2", "3", "4"]);
      const earliest = items[1]!.offset;
      const gap = await rejects(store.read("s", head.start, ALL), "gap", "before what is kept");
      equal(gap, { asked: head.start, earliest, latest: tail }, "details");
      equal((await store.read("s", earliest, ALL)).items.length, 2, "the earliest place");
      await rejects(store.read("s", `${tail.slice(0, -1)}zz`, ALL), "gap", "no offset of any stream");
      const ahead = await store.create("t").then(() => store.append("t", ["1", "2", "3", "4", "5", "6"]));
      await rejects(store.read("s", ahead.tail > tail ? ahead.tail : "9zzzzzzzzz", ALL), "gap", "ahead of the tail");
    },
  },
  {
    name: "R4 offsetBeforeLast finds the last items",
    async run({ store }) {
      const { head } = await store.create("s", { maxItems: 3 });
      equal(await store.offsetBeforeLast("s", 5), head.start, "an empty stream");
      const { items } = await store.append("s", ["1", "2", "3", "4"]);
      equal(await store.offsetBeforeLast("s", 0), items[3]!.offset, "none");
      equal(await store.offsetBeforeLast("s", 2), items[1]!.offset, "two");
      equal(await store.offsetBeforeLast("s", 3), items[0]!.offset, "three");
      equal(await store.offsetBeforeLast("s", 100), items[0]!.offset, "more than are kept");
    },
  },
  {
    name: "K1 the oldest items go by count and by size, the newest stays",
    async run({ store }) {
      await store.create("count", { maxItems: 3 });
      for (const payload of ["1", "2", "3"]) await store.append("count", [payload]);
      equal(await payloadsOf({ store }, "count"), ["1", "2", "3"], "at the limit");
      await store.append("count", ["4"]);
      equal(await payloadsOf({ store }, "count"), ["2", "3", "4"], "one past it");
      await store.create("size", { maxBytes: 10 });
      await store.append("size", ["11111", "22222"]);
      equal(await payloadsOf({ store }, "size"), ["11111", "22222"], "at the limit");
      await store.append("size", ["3"]);
      equal(await payloadsOf({ store }, "size"), ["22222", "3"], "one past it");
      await store.append("size", ['"larger than the limit"']);
      equal(await payloadsOf({ store }, "size"), ['"larger than the limit"'], "one that is too large alone");
    },
  },
  {
    name: "K2 items that are too old are not read",
    async run({ store, clock }) {
      await store.create("s", { maxAgeMs: 1_000 });
      const { tail } = await store.append("s", ["1"]);
      clock.jump(500);
      await store.append("s", ["2"]);
      clock.jump(500);
      equal(await payloadsOf({ store }, "s"), ["1", "2"], "at the limit");
      clock.jump(1);
      equal(await payloadsOf({ store }, "s"), ["2"], "one millisecond past it");
      equal((await store.head("s"))!.start, tail, "the start has moved");
      clock.jump(500);
      equal(await payloadsOf({ store }, "s"), [], "all too old");
      await store.append("s", ["3"]);
      equal(await payloadsOf({ store }, "s"), ["3"], "a new one");
    },
  },
  {
    name: "K3 a stream with a time to live goes after its last access",
    async run({ store, clock }) {
      await store.create("s", { ttlMs: 1_000 });
      clock.jump(999);
      await store.append("s", ["1"]);
      clock.jump(999);
      equal(await payloadsOf({ store }, "s"), ["1"], "an append renews it");
      clock.jump(999);
      equal(await payloadsOf({ store }, "s"), ["1"], "a read renews it");
      clock.jump(1_000);
      equal(await store.head("s"), undefined, "gone");
      await rejects(store.append("s", ["2"]), "stream_unknown", "an append");
      equal((await store.create("s", { ttlMs: 5 })).created, true, "made anew with another configuration");
      equal(await payloadsOf({ store }, "s"), [], "empty");
      clock.jump(5);
      await store.reap();
      equal(await store.delete("s"), false, "swept");
    },
  },
  {
    name: "C1 watch tells of every change",
    async run({ store, second }) {
      const changes: Change[] = [];
      const unwatch = store.watch((change) => changes.push(change));
      const saw = (what: string, test: (change: Change) => boolean): Promise<void> =>
        until(() => changes.some(test), what);
      await store.create("s");
      const { tail } = await store.append("s", ["1"]);
      await saw("the append", (change) => change.name === "s" && change.tail === tail && !change.ended);
      const { epoch } = await store.claim("s", "owner", 1_000, {}, { kind: "k", withinMs: 1_000 });
      await store.append("s", [], { epoch, release: true });
      await saw("the release", (change) => change.released === true && !change.ended);
      await store.requestStop("s");
      await saw("the stop request", (change) => change.stopRequested);
      await store.append("s", [], { end: { reason: "stopped" } });
      await saw("the end", (change) => change.ended && change.tail === tail);
      const other = await second();
      if (other !== undefined) {
        await other.create("t");
        const foreign = await other.append("t", ["1"]);
        await saw("another process's append", (change) => change.name === "t" && change.tail === foreign.tail);
        // Read here, so that a store which tells items of streams in use tells them from now on.
        await payloadsOf({ store }, "t");
        const more = await other.append("t", ["2", "3"], { end: { reason: "completed" } });
        await saw("its end", (change) => change.name === "t" && change.tail === more.tail && change.ended);
        const { before, items, end } = more;
        for (const change of changes) {
          if (change.name !== "t" || change.tail !== more.tail || change.appended === undefined) continue;
          equal(change.appended, { before, items, end }, "what comes along");
        }
      }
      await store.delete("s");
      await saw("the deletion", (change) => change.name === "s" && change.tail === undefined);
      unwatch();
    },
  },
  {
    name: "C2 a listener that was removed hears nothing more",
    async run({ store }) {
      let [first, second] = [0, 0];
      const unwatchFirst = store.watch(() => first++);
      const unwatchSecond = store.watch(() => second++);
      await store.create("s");
      await until(() => first > 0 && second > 0, "both hear");
      unwatchFirst();
      const before = first;
      const heard = second;
      await store.append("s", ["1"]);
      await until(() => second > heard, "the second still hears");
      equal(first, before, "the first does not");
      unwatchSecond();
    },
  },
];

/** Looks again until `test` holds; a second and a half at most. */
async function until(test: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 1_500;
  while (!test() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  isTrue(test(), what);
}
