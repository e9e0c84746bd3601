// The model finds what is wrong: each fault that a store could have is put before it.

import { describe, expect, test } from "vitest";
import { offsetOf } from "../../src/log/offset.ts";
import type { Line } from "./lines.ts";
import { payloadsOf } from "./lines.ts";
import { Oracle } from "./oracle.ts";
import { Violation, type Content, type Loss } from "./rules.ts";

interface Kept {
  readonly key: string;
  readonly count?: number | undefined;
  readonly epoch?: number | undefined;
  /** The items of it that are there; default all. */
  readonly only?: readonly number[] | undefined;
}

/** What a store holds that keeps `all` in this order. */
function holding(all: readonly Kept[], end?: "completed"): ReadonlyMap<string, Content> {
  let sequence = 100;
  const items = all.flatMap(({ key, count = 1, epoch, only }) =>
    payloadsOf({ key, count, epoch })
      .filter((_, index) => only?.includes(index) !== false)
      .map((payload) => ({ offset: offsetOf(++sequence), payload })),
  );
  const head = {
    name: "s",
    contentType: "application/json",
    start: offsetOf(100),
    tail: offsetOf(sequence),
    end: end && { reason: end },
    run: undefined,
  };
  return new Map([["s", { head, items, gaps: 0 }]]);
}

const sent = (key: string, more: object = {}): Line => ({ is: "sent", key, stream: "s", count: 1, ...more });
const kept = (key: string, tail: number): Line => ({
  is: "kept",
  key,
  stream: "s",
  before: offsetOf(tail - 1),
  tail: offsetOf(tail),
  isDuplicate: false,
});

function compare(lines: readonly Line[], contents: ReadonlyMap<string, Content>, loss: Loss = "nothing"): void {
  const oracle = new Oracle();
  for (const line of lines) oracle.take("w", line);
  oracle.compare(contents, loss);
}

const THREE: readonly Line[] = [
  sent("a"),
  sent("b", { count: 3 }),
  kept("a", 101),
  kept("b", 104),
  sent("c"),
  kept("c", 105),
];
const [a, b, c]: readonly Kept[] = [{ key: "a" }, { key: "b", count: 3 }, { key: "c" }];

describe("Oracle", () => {
  test.each<readonly [string, readonly Line[], readonly Kept[]]>([
    ["everything that was acknowledged", THREE, [a!, b!, c!]],
    ["an append without an answer", [...THREE, sent("d")], [a!, b!, c!, { key: "d" }]],
    ["no append without an answer", [...THREE, sent("d")], [a!, b!, c!]],
    [
      "no append that was refused",
      [
        sent("a"),
        kept("a", 101),
        sent("d", { expect: offsetOf(100) }),
        { is: "refused", key: "d", stream: "s", code: "conflict" },
      ],
      [a!],
    ],
  ])("takes a store that holds %s", (_what, lines, all) => {
    expect(() => compare(lines, holding(all))).not.toThrow();
  });

  test.each<readonly [string, readonly Line[], readonly Kept[]]>([
    ["has lost what was acknowledged", THREE, [a!, b!]],
    ["holds an append twice", THREE, [a!, b!, c!, c!]],
    ["holds half an append", THREE, [a!, { ...b!, only: [0, 1] }, c!]],
    ["holds an append in another order", THREE, [a!, { ...b!, only: [0] }, c!]],
    ["has changed the order", THREE, [b!, a!, c!]],
    ["has invented an append", THREE, [a!, b!, c!, { key: "x" }]],
    ["leaves out one of two without an answer", [sent("a"), sent("c")], [c!]],
    [
      "holds what it has refused",
      [sent("a", { expect: offsetOf(99) }), { is: "refused", key: "a", stream: "s", code: "conflict" }],
      [a!],
    ],
    ["refuses without cause", [sent("a"), { is: "refused", key: "a", stream: "s", code: "fenced" }], []],
    [
      "has an older owner write after a newer",
      [sent("a", { epoch: 2 }), sent("c", { epoch: 1 })],
      [
        { key: "a", epoch: 2 },
        { key: "c", epoch: 1 },
      ],
    ],
    ["ignores what an append expects", [sent("a"), sent("c", { expect: offsetOf(100) })], [a!, c!]],
    [
      "skips a producer's number",
      [
        sent("p/0/0", { producer: { id: "p", epoch: 0, seq: 0 } }),
        sent("p/0/1", { producer: { id: "p", epoch: 0, seq: 1 } }),
      ],
      [{ key: "p/0/1" }],
    ],
    ["has lost an end", [sent("a", { end: "completed" }), kept("a", 101)], [a!]],
    [
      "gave a follower what is not there",
      [...THREE, { is: "seen", stream: "s", offset: offsetOf(101), key: "c", index: 0 }],
      [a!, b!, c!],
    ],
  ])("finds a store that %s", (_what, lines, all) => {
    expect(() => compare(lines, holding(all))).toThrow(Violation);
  });

  test("finds two owners of one epoch, and a beat that forgets a run", () => {
    const owns: Line = { is: "owns", stream: "s", epoch: 1 };
    const oracle = new Oracle();
    oracle.take("w", owns);
    expect(() => oracle.take("v", owns)).toThrow(Violation);
    expect(() => oracle.take("w", { is: "beat", held: ["s"], owned: [] })).toThrow(Violation);
  });

  test("allows the loss of a tail where that may be, and of nothing else", () => {
    expect(() => compare(THREE, holding([a!]), "tail")).not.toThrow();
    expect(() => compare(THREE, holding([a!, { ...b!, only: [0] }]), "tail")).toThrow(Violation);
    expect(() => compare(THREE, holding([a!, c!]), "tail")).toThrow(Violation);
  });

  test("finds what has come back, and what was found once and is gone", () => {
    const oracle = new Oracle();
    for (const line of [...THREE, sent("d")]) oracle.take("w", line);
    oracle.compare(holding([a!, b!, c!]), "nothing");
    const later = oracle.fork();
    expect(() => oracle.compare(holding([a!, b!, c!, { key: "d" }]), "nothing")).toThrow(Violation);
    expect(() => later.compare(holding([a!, b!]), "tail")).toThrow(Violation);
  });
});
