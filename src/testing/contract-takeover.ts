// The rules for runs that another process may carry on: L6 to L10.

import { MAX_IDLE_TAKEOVERS } from "../log/run-rules.ts";
import { MAX_ORPHANS, type CarryOn, type Store } from "../log/store.ts";
import type { ContractCase } from "./contract-case.ts";
import { equal, isTrue, rejects } from "./expect.ts";

const LEASE_MS = 5_000;
const WITHIN_MS = 20_000;
const KIND: CarryOn = { kind: "k", withinMs: WITHIN_MS };

const claim = (store: Store, name: string, owner: string, carryOn: CarryOn | undefined = KIND) =>
  store.claim(name, owner, LEASE_MS, {}, carryOn);

export const takeoverCases: readonly ContractCase[] = [
  {
    name: "L6 a run that can be carried on waits for it, so long and no longer",
    async run({ store, clock, second }) {
      const other = (await second()) ?? store;
      await claim(store, "r", "a");
      await claim(store, "other kind", "a", { kind: "l", withinMs: WITHIN_MS });
      await store.claim("no kind", "a", LEASE_MS);
      const { epoch } = await claim(store, "ended", "a");
      await store.append("ended", [], { epoch, end: { reason: "completed" } });
      await store.create("plain");
      equal((await other.head("r"))!.run?.carryOn, "k", "the kind in the head");
      clock.jump(LEASE_MS - 1);
      equal([await other.orphans(["k", "l"]), await other.reap()], [[], []], "while the lease lasts");
      clock.jump(1);
      equal(await other.reap(), ["no kind"], "what ends with the lease");
      equal(await other.orphans(["k"]), ["r"], "the orphans of the kind");
      equal((await other.orphans(["x", "l", "k"])).toSorted(), ["other kind", "r"], "of several kinds");
      equal([await other.orphans([]), await other.orphans(["K"])], [[], []], "of none, and of another case");
      clock.jump(WITHIN_MS - 1);
      equal(
        [await other.reap(), await other.orphans(["k"])],
        [[], ["r"]],
        "one millisecond before the end of its time",
      );
      clock.jump(1);
      equal(await other.orphans(["k"]), [], "the orphans when it is over");
      equal((await other.takeOver("r", "b", LEASE_MS)).claimed, false, "a takeover then");
      equal((await other.reap()).toSorted(), ["other kind", "r"], "what reap ends then");
      equal((await store.head("r"))!.end, { reason: "interrupted" }, "its end");
      equal(await other.reap(), [], "once only");
    },
  },
  {
    name: "L6 nobody needs to look in between, and an owner that beats again keeps its run",
    async run({ store, clock }) {
      await claim(store, "late", "a");
      await claim(store, "asleep", "b");
      clock.jump(LEASE_MS + WITHIN_MS - 1);
      equal((await store.beat("b", LEASE_MS)).owned, ["asleep"], "what the sleeper owns");
      equal(await store.orphans(["k"]), ["late"], "the orphans");
      clock.jump(1);
      equal(await store.reap(), ["late"], "what ends");
      equal((await store.head("asleep"))!.end, undefined, "the sleeper's run");
    },
  },
  {
    name: "L6 a kind or a time out of bounds is refused, and nothing is made",
    async run({ store }) {
      const wrong: CarryOn[] = [
        { kind: "", withinMs: 1 },
        { kind: "k".repeat(129), withinMs: 1 },
        { kind: "a\nb", withinMs: 1 },
        { kind: "k", withinMs: -1 },
        { kind: "k", withinMs: 604_800_001 },
        { kind: "k", withinMs: 0.5 },
        { kind: "k", withinMs: Infinity },
      ];
      for (const carryOn of wrong) await rejects(claim(store, "r", "a", carryOn), "input_invalid", show(carryOn));
      equal(await store.head("r"), undefined, "the stream");
      const widest = await claim(store, "r", "a", { kind: "k".repeat(128), withinMs: 604_800_000 });
      equal(widest.claimed, true, "the widest that is allowed");
    },
  },
  {
    name: "L6 orphans gives a bounded number of names, and the rest when those are taken",
    async run({ store, clock }) {
      const names = Array.from({ length: MAX_ORPHANS + 1 }, (_, index) => `r${index}`);
      await Promise.all(names.map((name) => claim(store, name, "a")));
      clock.jump(LEASE_MS);
      const first = await store.orphans(["k"]);
      isTrue(first.length > 0 && first.length <= MAX_ORPHANS, `1 to ${MAX_ORPHANS} names, got ${first.length}`);
      const seen = new Set<string>();
      for (let rest = first; rest.length > 0; rest = await store.orphans(["k"])) {
        for (const name of rest) isTrue((await store.takeOver(name, "b", LEASE_MS)).claimed, `${name} is taken`);
        for (const name of rest) seen.add(name);
      }
      equal(seen.size, names.length, "names in all");
    },
  },
  {
    name: "L7 of any number of takeovers one gets the run, and the owner before is fenced",
    async run({ store, clock, second }) {
      const other = (await second()) ?? store;
      const { epoch } = await claim(store, "r", "a");
      const { tail } = await store.append("r", ["1", "2"], { epoch });
      equal((await other.takeOver("r", "b", LEASE_MS)).claimed, false, "while the owner lives");
      clock.jump(LEASE_MS);
      const takeovers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? store : other).takeOver("r", `o${index}`, LEASE_MS),
        ),
      );
      const winners = takeovers.flatMap((takeover, index) => (takeover.claimed ? [index] : []));
      equal(winners.length, 1, "takeovers that won");
      const won = takeovers[winners[0]!]!;
      isTrue(won.epoch > epoch, "its epoch is greater");
      equal(
        [won.head.tail, won.head.end, won.head.run?.owner],
        [tail, undefined, `o${winners[0]!}`],
        "what it is given",
      );
      await rejects(store.append("r", ["x"], { epoch }), "fenced", "the owner before");
      const stale = store.append("r", [], { epoch, end: { reason: "completed" } });
      await rejects(stale, "fenced", "the end by the owner before");
      equal((await store.beat("a", LEASE_MS)).owned, [], "what the owner before still owns");
      equal((await other.beat(`o${winners[0]!}`, LEASE_MS)).owned, ["r"], "what the owner now owns");
      equal([await store.orphans(["k"]), await store.reap()], [[], []], "it waits no more");
      equal((await other.append("r", ["3"], { epoch: won.epoch })).before, tail, "the next item follows the last");
      clock.jump(LEASE_MS);
      equal(await store.orphans(["k"]), ["r"], "when the owner now dies as well");
    },
  },
  {
    name: "L7 a run that has no owner to lose, or has ended, is not taken over",
    async run({ store, clock }) {
      await rejects(store.takeOver("r", "b", LEASE_MS), "stream_unknown", "of nothing");
      await store.create("plain");
      equal((await store.takeOver("plain", "b", LEASE_MS)).claimed, false, "a stream without a run");
      await store.claim("no kind", "a", LEASE_MS);
      const { epoch } = await claim(store, "ended", "a");
      await store.append("ended", [], { epoch, end: { reason: "failed" } });
      clock.jump(LEASE_MS);
      equal((await store.takeOver("no kind", "b", LEASE_MS)).claimed, false, "a run of no kind");
      const { claimed, head } = await store.takeOver("ended", "b", LEASE_MS);
      equal([claimed, head.end], [false, { reason: "failed" }], "a run that has ended");
    },
  },
  {
    name: "L8 a run that its owner gives up can be taken at once",
    async run({ store, clock, second }) {
      const other = (await second()) ?? store;
      const { epoch } = await claim(store, "r", "a");
      const ofNoKind = (await store.claim("no kind", "a", LEASE_MS)).epoch;
      await rejects(store.append("r", ["x"], { release: true }), "input_invalid", "without an epoch");
      await rejects(store.append("r", ["x"], { epoch: epoch + 1, release: true }), "fenced", "with another epoch");
      const { tail } = await store.append("r", ["1"], { epoch, release: true });
      await store.append("no kind", [], { epoch: ofNoKind, release: true });
      await rejects(store.append("r", ["2"], { epoch }), "fenced", "an append by who gave it up");
      equal((await store.beat("a", LEASE_MS)).owned, [], "what that one owns");
      equal(await other.reap(), ["no kind"], "what cannot be carried on ends");
      equal(await other.orphans(["k"]), ["r"], "the orphans");
      const taken = await other.takeOver("r", "b", LEASE_MS);
      equal([taken.claimed, taken.head.tail, taken.epoch > epoch], [true, tail, true], "the takeover");
      await other.append("r", ["2"], { epoch: taken.epoch, release: true });
      clock.jump(WITHIN_MS - 1);
      equal(await other.reap(), [], "one millisecond before the end of its time");
      clock.jump(1);
      equal(await other.reap(), ["r"], "when it is over");
      const ofBoth = (await claim(store, "both", "a")).epoch;
      await store.append("both", [], { epoch: ofBoth, release: true, end: { reason: "completed" } });
      equal(
        [(await store.head("both"))!.end, await store.orphans(["k"])],
        [{ reason: "completed" }, []],
        "an end wins",
      );
    },
  },
  {
    name: "L9 a run that was asked to stop ends as stopped instead of being carried on",
    async run({ store, clock, second }) {
      const other = (await second()) ?? store;
      const names = ["before", "after", "released", "reaped"];
      const epochs = new Map<string, number>();
      for (const name of names) epochs.set(name, (await claim(store, name, "a")).epoch);
      await store.requestStop("before");
      await store.append("released", [], { epoch: epochs.get("released")!, release: true });
      clock.jump(LEASE_MS);
      for (const name of ["after", "released", "reaped"]) await other.requestStop(name);
      for (const name of ["before", "after", "released"]) {
        const { claimed, head } = await other.takeOver(name, "b", LEASE_MS);
        equal([claimed, head.end], [false, { reason: "stopped" }], `a takeover of "${name}"`);
      }
      equal(await other.reap(), ["reaped"], "what reap ends, without waiting");
      for (const name of names) equal((await store.head(name))!.end, { reason: "stopped" }, `the end of "${name}"`);
    },
  },
  {
    name: "L10 a run that kills whoever carries it on ends",
    async run({ store, clock }) {
      await claim(store, "r", "first");
      const take = async (owner: string) => {
        clock.jump(LEASE_MS);
        return store.takeOver("r", owner, LEASE_MS);
      };
      for (let index = 1; index <= MAX_IDLE_TAKEOVERS; index++) {
        equal((await take(`idle ${index}`)).claimed, true, `takeover ${index} in a row`);
      }
      const { epoch } = (await store.head("r"))!.run!;
      await store.append("r", ["1"], { epoch });
      for (let index = 1; index <= MAX_IDLE_TAKEOVERS; index++) {
        equal((await take(`again ${index}`)).claimed, true, `takeover ${index} after an item`);
      }
      const released = (await store.head("r"))!.run!.epoch;
      await store.append("r", [], { epoch: released, release: true });
      equal((await store.takeOver("r", "gentle", LEASE_MS)).claimed, true, "of a run that was given up in good order");
      for (let index = 1; index <= MAX_IDLE_TAKEOVERS; index++) {
        equal((await take(`more ${index}`)).claimed, true, `takeover ${index} after that`);
      }
      const last = await take("one too many");
      equal([last.claimed, last.head.end], [false, { reason: "interrupted" }], "one more");
    },
  },
];

function show(carryOn: CarryOn): string {
  return `kind of ${carryOn.kind.length} characters, ${carryOn.withinMs} ms`;
}
