// The rules for streams and appends: S1 to S4, A1 to A7.

import { equal, isTrue, rejects } from "./expect.ts";
import type { ContractCase, ContractGround } from "./contract-case.ts";

const ALL = { maxItems: 1_000, maxBytes: 1_000_000 };

/** The payloads that a stream keeps. */
export async function payloadsOf({ store }: Pick<ContractGround, "store">, name: string): Promise<unknown[]> {
  const head = await store.head(name);
  const { items } = await store.read(name, head!.start, ALL);
  return items.map((item) => item.payload);
}

export const appendCases: readonly ContractCase[] = [
  {
    name: "S1 create is idempotent for an equal configuration and refuses another",
    async run({ store }) {
      equal((await store.create("s", { maxItems: 5 })).created, true, "first create");
      await store.append("s", ["1"]);
      equal(
        (await store.create("s", { maxItems: 5, contentType: "application/json" })).created,
        false,
        "second create",
      );
      equal(await payloadsOf({ store }, "s"), ["1"], "kept items");
      equal(
        (await rejects(store.create("s", { maxItems: 6 }), "stream_exists", "another limit"))["field"],
        "maxItems",
        "field",
      );
      await rejects(store.create("s", { maxItems: 5, contentType: "text/plain" }), "stream_exists", "another type");
    },
  },
  {
    name: "S2 create refuses names that are empty, too long or hold control characters",
    async run({ store }) {
      equal((await store.create("n".repeat(512))).created, true, "512 characters");
      await rejects(store.create("n".repeat(513)), "input_invalid", "513 characters");
      for (const name of ["", "a\nb", "a\u0000b", "\u007f", "\ud800"])
        await rejects(store.create(name), "input_invalid", JSON.stringify(name));
      for (const name of ["a/b", "ä ü", "日本", "'; DROP TABLE streams; --", "😀"]) {
        equal((await store.create(name)).created, true, name);
        equal((await store.head(name))!.name, name, "its head");
      }
    },
  },
  {
    name: "S3 calls on a stream that is not there say so",
    async run({ store }) {
      await rejects(store.append("no", ["1"]), "stream_unknown", "append");
      await rejects(store.read("no", "21a", ALL), "stream_unknown", "read");
      await rejects(store.offsetBeforeLast("no", 1), "stream_unknown", "offsetBeforeLast");
      equal(await store.head("no"), undefined, "head");
      equal(await store.requestStop("no"), undefined, "requestStop");
      equal(await store.delete("no"), false, "delete");
    },
  },
  {
    name: "S4 a stream that is deleted and made anew continues above its old offsets, even if the clock goes back",
    async run({ store, clock }) {
      const { head } = await store.create("s");
      const { tail } = await store.append("s", ["1", "2", "3"]);
      isTrue(tail > head.start, "the tail grows");
      equal(await store.delete("s"), true, "delete");
      equal(await store.head("s"), undefined, "head after delete");
      clock.jump(-60_000);
      const again = await store.create("s");
      equal(again.created, true, "made anew");
      isTrue(again.head.start > tail, "the new start lies above the old tail");
      equal(await payloadsOf({ store }, "s"), [], "nothing is left");
      await rejects(store.read("s", tail, ALL), "gap", "the old cursor");
    },
  },
  {
    name: "A1 offsets are opaque words that increase as bytes",
    async run({ store }) {
      await store.create("s");
      let last = "";
      for (let round = 0; round < 40; round++) {
        for (const { offset } of (await store.append("s", ["1", "2", "3"])).items) {
          isTrue(/^[0-9a-z]{1,31}$/.test(offset) && offset !== "now", `the form of ${offset}`);
          isTrue(offset > last, `${offset} comes after ${last}`);
          last = offset;
        }
      }
    },
  },
  {
    name: "A2 an append that is refused keeps nothing of itself",
    async run({ store }) {
      await store.create("s");
      const first = { id: "p", epoch: 1, seq: 0 };
      await rejects(
        store.append("s", ["1"], { producer: first, expect: "21a", end: { reason: "completed" } }),
        "conflict",
        "expect",
      );
      equal(await payloadsOf({ store }, "s"), [], "items");
      equal((await store.head("s"))!.end, undefined, "end");
      const kept = await store.append("s", ["1"], { producer: first, end: { reason: "stopped", message: "m" } });
      equal(kept.duplicate, false, "the producer's state was not kept either");
      equal((await store.head("s"))!.end, { reason: "stopped", message: "m" }, "the end comes with the append");
    },
  },
  {
    name: "A3 appends take effect in the order of the calls",
    async run({ store }) {
      await store.create("s");
      const numbers = Array.from({ length: 200 }, (_, index) => String(index));
      await Promise.all(numbers.map((number) => store.append("s", [number])));
      equal(await payloadsOf({ store }, "s"), numbers, "items");
    },
  },
  {
    name: "A4 expect lets one of two writers win",
    async run({ store }) {
      const { head } = await store.create("s");
      const outcomes = await Promise.allSettled([
        store.append("s", ["1"], { expect: head.tail }),
        store.append("s", ["2"], { expect: head.tail }),
      ]);
      equal(
        outcomes.map((outcome) => outcome.status),
        ["fulfilled", "rejected"],
        "outcomes",
      );
      equal(await payloadsOf({ store }, "s"), ["1"], "items");
    },
  },
  {
    name: "A5 a producer's repetition is a duplicate, a skip a gap, an old epoch fenced",
    async run({ store }) {
      await store.create("s");
      const producer = (
        epoch: number,
        seq: number,
        id = "p",
      ): { producer: { id: string; epoch: number; seq: number } } => ({
        producer: { id, epoch, seq },
      });
      const gap = await rejects(store.append("s", ["x"], producer(1, 1)), "sequence_gap", "not from 0");
      equal(gap, { expectedSeq: 0, receivedSeq: 1 }, "details");
      equal((await store.append("s", ["1"], producer(1, 0))).duplicate, false, "0");
      equal((await store.append("s", ["1"], producer(1, 0))).duplicate, true, "0 again");
      equal((await store.append("s", ["2"], producer(1, 1))).duplicate, false, "1");
      equal((await store.append("s", ["1"], producer(1, 0))).duplicate, true, "0 much later");
      await rejects(store.append("s", ["x"], producer(1, 3)), "sequence_gap", "a skip");
      await rejects(store.append("s", ["x"], producer(2, 1)), "sequence_gap", "a new epoch not from 0");
      equal((await store.append("s", ["3"], producer(2, 0))).duplicate, false, "a new epoch");
      equal(
        await rejects(store.append("s", ["x"], producer(1, 2)), "fenced", "the old epoch"),
        { epoch: 2 },
        "details",
      );
      equal((await store.append("s", ["4"], producer(1, 0, "q"))).duplicate, false, "another producer");
      equal(await payloadsOf({ store }, "s"), ["1", "2", "3", "4"], "items");
    },
  },
  {
    name: "A6 a stream ends once",
    async run({ store }) {
      await store.create("s");
      const closing = { producer: { id: "p", epoch: 0, seq: 0 }, end: { reason: "completed" } as const };
      equal((await store.append("s", ["1"], closing)).end, { reason: "completed" }, "the end");
      equal((await store.append("s", ["1"], closing)).duplicate, true, "the closing append again");
      equal((await store.append("s", [], { end: { reason: "stopped" } })).duplicate, true, "closing what is closed");
      await rejects(store.append("s", ["2"]), "stream_closed", "an append");
      await rejects(store.append("s", ["2"], { end: { reason: "failed" } }), "stream_closed", "an append with an end");
      equal((await store.head("s"))!.end, { reason: "completed" }, "the first end stays");
      equal(await payloadsOf({ store }, "s"), ["1"], "items");
    },
  },
  {
    name: "A7 JSON streams hold text, others bytes, and nothing is lost of either",
    async run({ store }) {
      await store.create("j");
      await store.create("b", { contentType: "application/octet-stream" });
      await rejects(store.append("j", ["1", new Uint8Array([1])]), "input_invalid", "bytes in a JSON stream");
      await rejects(store.append("b", [new Uint8Array([1]), "1"]), "input_invalid", "text in a byte stream");
      equal(await payloadsOf({ store }, "j"), [], "nothing of the refused append");
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const texts = ['"\\u0000 ä 日本 😀 \u2028"', '""', "null"];
      await store.append("j", texts);
      await store.append("b", [bytes, new Uint8Array()]);
      equal(await payloadsOf({ store }, "j"), texts, "texts");
      equal(await payloadsOf({ store }, "b"), [bytes, new Uint8Array()], "bytes");
    },
  },
];
