// The rules for runs: L1 to L5.

import type { ContractCase } from "./contract-case.ts";
import { equal, isTrue, rejects } from "./expect.ts";

const LEASE_MS = 5_000;

export const runCases: readonly ContractCase[] = [
  {
    name: "L1 one claim wins, and an ended run is never given again",
    async run({ store, second }) {
      const other = (await second()) ?? store;
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? store : other).claim("r", `owner-${index}`, LEASE_MS),
        ),
      );
      equal(claims.filter((claim) => claim.claimed).length, 1, "claims that won");
      const winner = claims.findIndex((claim) => claim.claimed);
      equal((await other.head("r"))!.run?.owner, `owner-${winner}`, "the owner");
      await store.append("r", ["1"], { epoch: claims[winner]!.epoch, end: { reason: "completed" } });
      const late = await other.claim("r", "late", LEASE_MS);
      equal([late.claimed, late.head.end], [false, { reason: "completed" }], "a claim after the end");
      await store.create("plain");
      await store.append("plain", [], { end: { reason: "completed" } });
      equal((await store.claim("plain", "late", LEASE_MS)).claimed, false, "a stream that ended without a run");
    },
  },
  {
    name: "L2 an append of another epoch is fenced",
    async run({ store }) {
      const { epoch } = await store.claim("r", "owner", LEASE_MS);
      isTrue(epoch > 0, "an epoch is a positive number");
      await store.append("r", ["1"], { epoch });
      await rejects(store.append("r", ["2"], { epoch: epoch + 1 }), "fenced", "a later epoch");
      await rejects(store.append("r", ["2"], { epoch: epoch - 1 }), "fenced", "an earlier epoch");
      equal((await store.append("r", ["3"])).duplicate, false, "an append without an epoch");
    },
  },
  {
    name: "L3 reap ends the runs of dead owners and no others",
    async run({ store, clock, second }) {
      const other = (await second()) ?? store;
      await store.claim("dead", "a", LEASE_MS);
      await store.claim("alive", "b", LEASE_MS);
      await store.create("plain");
      equal(await other.reap(), [], "at first");
      clock.jump(LEASE_MS - 1);
      equal(await other.reap(), [], "one millisecond before the lease runs out");
      await store.beat("b", LEASE_MS);
      clock.jump(1);
      equal(await other.reap(), ["dead"], "when it has run out");
      equal((await store.head("dead"))!.end, { reason: "interrupted" }, "its end");
      equal((await store.head("alive"))!.end, undefined, "the other run goes on");
      equal((await store.head("plain"))!.end, undefined, "and so does a stream without a run");
      equal(await other.reap(), [], "once only");
    },
  },
  {
    name: "L4 a run that was reaped is lost to its owner",
    async run({ store, clock }) {
      const { epoch } = await store.claim("r", "a", LEASE_MS);
      await store.append("r", ["1"], { epoch });
      clock.jump(LEASE_MS);
      await store.reap();
      await rejects(store.append("r", ["2"], { epoch }), "stream_closed", "an append");
      equal((await store.beat("a", LEASE_MS)).owned, [], "what it still owns");
    },
  },
  {
    name: "L5 a wish to stop is kept until the run has ended",
    async run({ store, second }) {
      const other = (await second()) ?? store;
      const { epoch } = await store.claim("r", "a", LEASE_MS);
      await store.claim("q", "a", LEASE_MS);
      equal((await other.requestStop("r"))!.run?.stopRequested, true, "the head");
      await other.requestStop("r");
      equal((await store.beat("a", LEASE_MS)).stopRequested, ["r"], "the first beat");
      equal((await store.beat("a", LEASE_MS)).stopRequested, ["r"], "the second beat");
      await store.append("r", [], { epoch, end: { reason: "stopped" } });
      const beat = await store.beat("a", LEASE_MS);
      equal([beat.stopRequested, beat.owned], [[], ["q"]], "after the end");
      equal((await other.requestStop("r"))!.end, { reason: "stopped" }, "a stop that comes too late");
    },
  },
];
