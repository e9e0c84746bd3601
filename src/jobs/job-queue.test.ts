import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTailraceError } from "../errors.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { JobQueue, MAX_TOLD_POSITION, type Ticket } from "./job-queue.ts";

function enter(queue: JobQueue, kind: string, order?: number): { ticket: Ticket; turns: () => number; told: number[] } {
  const ticket = queue.enter(kind, order);
  let turns = 0;
  const told: number[] = [];
  ticket.listen({ onTurn: () => turns++, onPosition: (position) => told.push(position) });
  return { ticket, turns: () => turns, told };
}

const queueOf = (maxRunningCount: number, maxQueuedCount: number, clock = createManualClock()): JobQueue =>
  new JobQueue({ maxRunningCount, maxQueuedCount, clock });

describe("JobQueue", () => {
  test("enter() takes as many as may wait, and refuses one more with queue_full and nothing taken", () => {
    const queue = queueOf(2, 3);
    const taken = Array.from({ length: 5 }, () => enter(queue, "a"));
    expect(queue.counts).toEqual({ running: 2, queued: 3 });
    let error: unknown;
    try {
      queue.enter("a");
    } catch (thrown) {
      error = thrown;
    }
    expect(isTailraceError(error, "queue_full") && error.status).toBe(429);
    expect(queue.counts).toEqual({ running: 2, queued: 3 });
    taken[0]!.ticket.leave();
    expect(queue.counts).toEqual({ running: 2, queued: 2 });
    queue.enter("a");
    expect(queue.counts).toEqual({ running: 2, queued: 3 });
  });

  test("enter() with no room to wait takes what can start at once", () => {
    const queue = queueOf(1, 0);
    const { ticket, turns } = enter(queue, "a");
    expect([ticket.position, turns()]).toEqual([0, 1]);
    expect(() => queue.enter("a")).toThrow("0 jobs wait already");
  });

  test("a kind at its limit does not hold up the kinds behind it", () => {
    const queue = queueOf(3, 10);
    queue.setLimit("slow", 1);
    const [first, second, other] = [enter(queue, "slow"), enter(queue, "slow"), enter(queue, "other")];
    expect([first.turns(), second.turns(), other.turns()]).toEqual([1, 0, 1]);
    first.ticket.leave();
    expect(second.turns()).toBe(1);
  });

  test("setLimit() that is raised lets those in that wait", () => {
    const queue = queueOf(3, 10);
    queue.setLimit("a", 1);
    const two = [enter(queue, "a"), enter(queue, "a")];
    queue.setLimit("a", 2);
    expect(two.map(({ turns }) => turns())).toEqual([1, 1]);
  });

  test("leave() of one that waits takes it out, and of one that runs gives its slot on; a second leave does nothing", () => {
    const queue = queueOf(1, 10);
    const [a, b, c] = [enter(queue, "k"), enter(queue, "k"), enter(queue, "k")];
    b.ticket.leave();
    b.ticket.leave();
    expect(queue.counts).toEqual({ running: 1, queued: 1 });
    a.ticket.leave();
    a.ticket.leave();
    expect([b.turns(), c.turns()]).toEqual([0, 1]);
    expect(queue.counts).toEqual({ running: 1, queued: 0 });
  });

  test("places are told once a second and up to the 20th, and no timer runs once nobody waits", () => {
    const clock = createManualClock();
    const queue = queueOf(1, 100, clock);
    const all = Array.from({ length: MAX_TOLD_POSITION + 3 }, () => enter(queue, "k"));
    const waiting = all.slice(1);
    expect(waiting.map(({ ticket }) => ticket.position)).toEqual(waiting.map((_, index) => index + 1));
    all[0]!.ticket.leave();
    all[1]!.ticket.leave();
    clock.advance(999);
    expect(waiting.flatMap(({ told }) => told)).toEqual([]);
    clock.advance(1);
    // Two have gone: the third in line is the first now, and what was the 22nd is the 20th; one further back is not told.
    expect(all.slice(3).map(({ told }) => told)).toEqual(Array.from({ length: 20 }, (_, index) => [index + 1]));
    clock.advance(60_000);
    expect(all.at(-1)!.told).toEqual([20]);
    for (const { ticket } of all) ticket.leave();
    expect([queue.counts, clock.timerCount]).toEqual([{ running: 0, queued: 0 }, 0]);
  });

  test("a place further back than the 20th is not told", () => {
    const clock = createManualClock();
    const queue = queueOf(1, 100, clock);
    const all = Array.from({ length: MAX_TOLD_POSITION + 3 }, () => enter(queue, "k"));
    all[0]!.ticket.leave();
    clock.advance(1_000);
    expect([all.at(-2)!.told, all.at(-1)!.told]).toEqual([[20], []]);
  });

  test("one that has waited before stands among those of its age, however many wait", () => {
    const clock = createManualClock();
    const queue = queueOf(1, 2, clock);
    const running = enter(queue, "k");
    const young = [enter(queue, "k"), enter(queue, "k")];
    const old = enter(queue, "k", clock.now() - 10);
    const older = enter(queue, "k", clock.now() - 20);
    const turns: string[] = [];
    const look = (): void => {
      for (const [name, each] of Object.entries({ older, old, y0: young[0]!, y1: young[1]! }))
        if (each.turns() > 0 && !turns.includes(name)) turns.push(name);
    };
    for (const each of [running, older, old, young[0]!]) {
      each.ticket.leave();
      look();
    }
    expect(turns).toEqual(["older", "old", "y0", "y1"]);
  });

  test("whatever comes and goes, the limits hold, nobody is lost and each kind keeps its order", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("enter" as const), kind: fc.constantFrom("a", "b", "c") }),
      fc.record({ do: fc.constant("leave" as const), which: fc.nat(50) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = queueOf(3, 1_000);
        queue.setLimit("a", 1);
        const all: { kind: string; ticket: Ticket; isIn: boolean; hasTurn: boolean }[] = [];
        const started: Record<string, number[]> = { a: [], b: [], c: [] };
        for (const each of steps) {
          if (each.do === "enter") {
            const entry = { kind: each.kind, ticket: queue.enter(each.kind), isIn: true, hasTurn: false };
            const index = all.push(entry) - 1;
            const onTurn = (): void => {
              entry.hasTurn = true;
              started[each.kind]!.push(index);
            };
            entry.ticket.listen({ onTurn, onPosition: () => undefined });
          } else {
            const entry = all[each.which];
            entry?.ticket.leave();
            if (entry !== undefined) entry.isIn = false;
          }
          const inside = all.filter(({ isIn }) => isIn);
          const running = inside.filter(({ hasTurn }) => hasTurn);
          const waiting = inside.filter(({ hasTurn }) => !hasTurn);
          expect(queue.counts).toEqual({ running: running.length, queued: waiting.length });
          expect(running.length).toBeLessThanOrEqual(3);
          expect(running.filter(({ kind }) => kind === "a").length).toBeLessThanOrEqual(1);
          // Nobody waits where there is room.
          const isFull = running.length === 3;
          const isFullOfA = running.some(({ kind }) => kind === "a");
          expect(waiting.every(({ kind }) => isFull || (kind === "a" && isFullOfA))).toBe(true);
        }
        for (const order of Object.values(started)) expect(order).toEqual(order.toSorted((x, y) => x - y));
      }),
    );
  });
});
