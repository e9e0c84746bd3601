import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TailraceError } from "../errors.ts";
import { begin, type Connection, type ConnectionEvent, type ConnectionLimits, next } from "./connection-state.ts";
import { MAX_RETRY_AFTER_MS } from "./retry-delay.ts";

const LIMITS: ConnectionLimits = { minDelayMs: 100, maxDelayMs: 1000, maxAttempts: 4 };
const LOST = new TailraceError("connection_failed", "lost");

/** Runs events from the start, without time passing. */
function after(events: readonly ConnectionEvent[], limits: ConnectionLimits = LIMITS): Connection {
  return events.reduce((state, event) => next(state, event, 0, 0.5).state, begin(limits).state);
}

const cut: ConnectionEvent = { type: "cut", error: LOST };
const opened: ConnectionEvent = { type: "opened" };
const timer: ConnectionEvent = { type: "timer" };

const anyEvent: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  fc.constant(opened),
  fc.constant<ConnectionEvent>({ type: "progress" }),
  fc.integer({ min: 0, max: 100_000 }).map((ms): ConnectionEvent => ({ type: "retry", ms })),
  fc
    .constantFrom("completed", "stopped", "failed", "interrupted", null)
    .map((reason): ConnectionEvent => ({ type: "end", end: reason === null ? null : { reason } })),
  fc
    .option(fc.integer({ min: 0, max: MAX_RETRY_AFTER_MS }), { nil: undefined })
    .map((retryAfterMs): ConnectionEvent => ({ type: "cut", error: LOST, retryAfterMs })),
  fc.constant<ConnectionEvent>({ type: "refused", error: LOST }),
  fc.constant(timer),
  fc.constant<ConnectionEvent>({ type: "wake" }),
  fc.constant<ConnectionEvent>({ type: "stale" }),
  fc.constantFrom("caller" as const, "hidden" as const).map((by): ConnectionEvent => ({ type: "pause", by })),
  fc.constantFrom("caller" as const, "hidden" as const).map((by): ConnectionEvent => ({ type: "resume", by })),
  fc.constant<ConnectionEvent>({ type: "close" }),
);

function must(holds: boolean, invariant: string): void {
  if (!holds) throw new Error(`Broken: ${invariant}`);
}

/** A stand-in for the runner, which keeps count of what the effects hold, and throws when an invariant is broken. */
class Model {
  state: Connection;
  requests: number;
  timers = 0;
  releases = 0;

  constructor(limits: ConnectionLimits) {
    const first = begin(limits);
    this.state = first.state;
    this.requests = first.effects.filter((effect) => effect.type === "open").length;
  }

  send(event: ConnectionEvent, now: number, random: number): void {
    const old = this.state;
    if (event.type === "timer") {
      // A timer that does not run cannot fire.
      if (this.timers === 0) return;
      this.timers -= 1;
    }
    const { state, effects } = next(old, event, now, random);
    this.state = state;
    const had = old.status === "connecting" || old.status === "open";
    if (old.status === "done" || old.status === "failed") must(state === old && effects.length === 0, "1: final");
    const types = effects.map((effect) => effect.type);
    const enters = state.status === "connecting" && (old.status !== "connecting" || types.includes("abort"));
    must(types.includes("open") === enters, "2: open leads into connecting");
    for (const effect of effects) {
      if (effect.type === "abort") this.requests -= 1;
      if (effect.type === "open") this.requests += 1;
      if (effect.type === "cancelTimer") this.timers -= 1;
      if (effect.type === "release") this.releases += 1;
      if (effect.type === "startTimer") {
        this.timers += 1;
        must(effect.ms <= MAX_RETRY_AFTER_MS, "6: longest delay");
        if (event.type === "cut") {
          const asked = event.retryAfterMs ?? 0;
          must(effect.ms >= Math.max(LIMITS.minDelayMs, asked), "6: shortest delay");
          must(effect.ms <= Math.max(LIMITS.maxDelayMs, asked), "6: longest back-off");
        }
      }
      must(this.requests === 0 || this.requests === 1, "4: one request at a time");
    }
    must(this.requests === (state.status === "connecting" || state.status === "open" ? 1 : 0), "4: requests");
    must(this.timers === (state.status === "waiting" ? 1 : 0), "3: timer in waiting alone");
    const ended = state.status === "done" || state.status === "failed";
    must(this.releases === (ended ? 1 : 0), "7: released once, at the end");
    if (event.type === "progress" && old.status === "open") must(state.attempt === 0, "5: progress");
    else must(state.attempt === old.attempt + (event.type === "cut" && had ? 1 : 0), "5: attempt");
    if (state.status === "failed") must(state.error !== null, "8: failed has an error");
    if (state.status === "done" || state.status === "open") must(state.error === null, "8: no error");
    must((state.retryAt !== null) === (state.status === "waiting"), "8: retryAt");
    must(state.attempt <= LIMITS.maxAttempts, "9: maxAttempts");
    if (state.attempt === LIMITS.maxAttempts) must(state.status === "failed", "9: fails at maxAttempts");
    must(state.holds.length > 0 === (state.status === "paused"), "10: holds");
    if (types.includes("open") && !had) must(now >= old.notBefore || event.type === "timer", "6: Retry-After");
  }
}

describe("next", () => {
  test("next() keeps every invariant over random events", () => {
    const step = fc.tuple(
      anyEvent,
      fc.integer({ min: 0, max: 700_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
    );
    const walk = (): void =>
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const model = new Model(LIMITS);
          let now = 0;
          for (const [event, elapsed, random] of steps) {
            now += elapsed;
            model.send(event, now, random);
          }
        }),
        { numRuns: 2000 },
      );
    expect(walk).not.toThrow();
  });

  test("next() opens at the start, and the response makes it open", () => {
    expect(begin(LIMITS).effects).toEqual([{ type: "open" }]);
    expect(after([opened]).status).toBe("open");
  });

  test("next() backs off further with each cut and fails at maxAttempts (5, 9)", () => {
    const delays: number[] = [];
    let state = begin({ ...LIMITS, maxAttempts: 4 }).state;
    for (let cuts = 1; cuts <= 3; cuts += 1) {
      const step = next(state, cut, 0, 0.999999);
      const started = step.effects.find((effect) => effect.type === "startTimer");
      if (started?.type === "startTimer") delays.push(started.ms);
      expect(step.state.status).toBe("waiting");
      // A 200 in between is no progress.
      state = next(next(step.state, timer, 0, 0).state, opened, 0, 0).state;
    }
    expect(delays).toEqual([200, 400, 800]);
    const last = next(state, cut, 0, 0);
    expect(last.state.status).toBe("failed");
    expect(last.state.error?.code).toBe("connection_failed");
    expect(last.state.error?.message).toContain("4 attempts");
    expect(last.effects).toEqual([{ type: "abort" }, { type: "release" }]);
  });

  test("next() starts the back-off anew after progress alone (5)", () => {
    const tired = after([cut, timer, cut, timer, opened]);
    expect(tired.attempt).toBe(2);
    expect(next(tired, { type: "progress" }, 0, 0).state.attempt).toBe(0);
  });

  test("next() takes Retry-After as a lower bound that no wake-up undercuts (6)", () => {
    const step = next(begin(LIMITS).state, { type: "cut", error: LOST, retryAfterMs: 5000 }, 1000, 0);
    expect(step.effects).toContainEqual({ type: "startTimer", ms: 5000 });
    expect(next(step.state, { type: "wake" }, 5999, 0).state.status).toBe("waiting");
    expect(next(step.state, { type: "wake" }, 6000, 0).effects).toEqual([{ type: "cancelTimer" }, { type: "open" }]);
    const paused = next(step.state, { type: "pause", by: "caller" }, 2000, 0).state;
    const back = next(paused, { type: "resume", by: "caller" }, 3000, 0);
    expect(back.effects).toEqual([{ type: "startTimer", ms: 3000 }]);
  });

  test("next() takes the server's retry as the base, within the limits", () => {
    const base = (ms: number): number => after([opened, { type: "retry", ms }]).baseMs;
    expect([base(0), base(300), base(99_999)]).toEqual([100, 300, 1000]);
  });

  test("next() makes a failed or interrupted end a failure, and keeps the end", () => {
    const failed = after([opened, { type: "end", end: { reason: "interrupted", message: "It died." } }]);
    expect(failed).toMatchObject({ status: "failed", end: { reason: "interrupted" } });
    expect(failed.error?.message).toBe("It died.");
    expect(after([opened, { type: "end", end: { reason: "stopped" } }])).toMatchObject({ status: "done", error: null });
    expect(after([{ type: "end", end: null }])).toMatchObject({ status: "done", end: null });
  });

  test("next() reconnects a stale connection at once, without counting it as a cut", () => {
    const step = next(after([opened]), { type: "stale" }, 0, 0);
    expect(step.effects).toEqual([{ type: "abort" }, { type: "open" }]);
    expect(step.state).toMatchObject({ status: "connecting", attempt: 0 });
  });

  test("next() resumes only when every hold is gone (10)", () => {
    const held = after([opened, { type: "pause", by: "caller" }, { type: "pause", by: "hidden" }]);
    const one = next(held, { type: "resume", by: "hidden" }, 0, 0);
    expect(one.state.status).toBe("paused");
    expect(next(one.state, { type: "resume", by: "caller" }, 0, 0).effects).toEqual([{ type: "open" }]);
  });
});
