import { describe, expect, test } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { withCare, type CareOptions } from "./upstream-care.ts";
import { gather, type Outcome } from "../../test/upstream-codecs.ts";

const preface: readonly UiChunk[] = [{ type: "start" }, { type: "text-start", id: "t" }];
const word: UiChunk = { type: "text-delta", id: "t", delta: "a" };
const busy = (headers: object = {}): Error => Object.assign(new Error("secret"), { status: 429, headers });

/** Lets promises that are ready run their course. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A model that gives the chunks and then does what `end` does, for each attempt its own. */
function model(...attempts: readonly (readonly [readonly UiChunk[], "stall" | "end" | Error])[]) {
  const signals: AbortSignal[] = [];
  async function* ask({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<UiChunk> {
    const [chunks, end] = attempts[signals.length] ?? [[], "end"];
    signals.push(signal);
    yield* chunks;
    if (end instanceof Error) throw end;
    if (end === "stall") await new Promise(() => undefined); // deaf to its signal, as some clients are
  }
  return { ask, signals };
}

function start(ask: Parameters<typeof withCare>[0], options: CareOptions = {}) {
  const clock = createManualClock();
  const controller = new AbortController();
  const told: UiChunk[] = [];
  const outcome: Promise<Outcome> = gather(
    (async function* () {
      for await (const chunk of withCare(ask, { clock, random: () => 1, ...options })({ signal: controller.signal })) {
        told.push(chunk);
        yield chunk;
      }
    })(),
  );
  return { clock, controller, told, outcome };
}

describe("withCare()", () => {
  test("gives the chunks as they are, and leaves no timer", async () => {
    const { ask, signals } = model([[...preface, word], "end"]);
    const { outcome, clock } = start(ask);
    expect(await outcome).toEqual({ chunks: [...preface, word] });
    expect(clock.timerCount).toBe(0);
    expect(signals[0]!.aborted).toBe(true);
  });

  test("asks again before the first token, after a wait that doubles, and repeats nothing", async () => {
    const { ask, signals } = model([preface, busy()], [preface, busy()], [[...preface, word], "end"]);
    const delays: number[] = [];
    const { outcome, clock } = start(ask, { onRetry: (_error, { delayMs }) => delays.push(delayMs) });
    await settle();
    expect(signals).toHaveLength(1);
    clock.advance(499);
    await settle();
    expect(signals).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(signals).toHaveLength(2);
    clock.advance(1000);
    expect(await outcome).toEqual({ chunks: [...preface, word] });
    expect(delays).toEqual([500, 1000]);
    expect(clock.timerCount).toBe(0);
  });

  test("stops asking at maxRetryCount, with an error that is safe to show", async () => {
    const { ask, signals } = model([[], busy()], [[], busy()], [[], busy()]);
    const { outcome, clock } = start(ask, { maxRetryCount: 1 });
    await settle();
    clock.advance(500);
    const { error } = await outcome;
    expect(error).toMatchObject({
      code: "upstream_failed",
      details: { kind: "rate_limit" },
      cause: { message: "secret" },
    });
    expect(String(error)).not.toContain("secret");
    expect(signals).toHaveLength(2);
  });

  test("waits as long as the provider asks, and gives up if that is longer than maxDelayMs", async () => {
    const { ask, signals } = model([[], busy({ "retry-after": "7" })], [[word], "end"]);
    const { outcome, clock } = start(ask);
    await settle();
    clock.advance(6999);
    await settle();
    expect(signals).toHaveLength(1);
    clock.advance(1);
    expect((await outcome).chunks).toEqual([word]);

    const long = model([[], busy({ "retry-after": "31" })], [[word], "end"]);
    expect((await start(long.ask).outcome).error).toMatchObject({ details: { retryAfterMs: 31_000 } });
    expect(long.signals).toHaveLength(1);
  });

  test("asks once only after the first token, and for errors that will not pass", async () => {
    const late = model([[word], busy()], [[word], "end"]);
    const { chunks, error } = await start(late.ask).outcome;
    expect(chunks).toEqual([word]);
    expect(error).toMatchObject({ details: { kind: "rate_limit" } });
    expect(late.signals).toHaveLength(1);
    const refused = model([[], Object.assign(new Error("x"), { status: 401 })], [[word], "end"]);
    expect((await start(refused.ask).outcome).error).toMatchObject({ details: { kind: "authentication" } });
    expect(refused.signals).toHaveLength(1);
  });

  test("ends an attempt whose first token does not come in time, whatever came before it", async () => {
    const { ask, signals } = model([preface, "stall"]);
    const { outcome, clock } = start(ask, { firstChunkMs: 100, maxRetryCount: 0 });
    await settle();
    clock.advance(99);
    expect(signals[0]!.aborted).toBe(false);
    clock.advance(1);
    const { chunks, error } = await outcome;
    expect(chunks).toEqual([]);
    expect(error).toMatchObject({ code: "upstream_slow", details: { kind: "timeout", limitMs: 100 } });
    expect(signals[0]!.aborted).toBe(true);
    expect(clock.timerCount).toBe(0);
  });

  test("ends an answer that falls silent for betweenChunksMs, and does not ask again", async () => {
    const { ask, signals } = model([[word], "stall"], [[word], "end"]);
    const { outcome, clock, told } = start(ask, { betweenChunksMs: 50 });
    await settle();
    expect(told).toEqual([word]);
    clock.advance(50);
    expect((await outcome).error).toMatchObject({ code: "upstream_slow", details: { limitMs: 50 } });
    expect(signals).toHaveLength(1);
  });

  test("aborts the upstream in the very moment of the stop, while it waits for a token or for the next attempt", async () => {
    const { ask, signals } = model([[word], "stall"]);
    const { outcome, controller, clock } = start(ask);
    await settle();
    const reason = new Error("stopped");
    controller.abort(reason);
    expect(signals[0]!.aborted).toBe(true);
    expect((await outcome).error).toBe(reason);
    expect(clock.timerCount).toBe(0);

    const between = model([[], busy()], [[word], "end"]);
    const second = start(between.ask);
    await settle();
    second.controller.abort(reason);
    expect((await second.outcome).error).toBe(reason);
    expect(between.signals).toHaveLength(1);
    expect(second.clock.timerCount).toBe(0);
  });

  test("aborts while the model's client is still connecting", async () => {
    let seen: AbortSignal | undefined;
    const { outcome, controller } = start(({ signal }) => {
      seen = signal;
      return new Promise<never>(() => undefined);
    });
    await settle();
    controller.abort(new Error("stopped"));
    expect(seen?.aborted).toBe(true);
    expect((await outcome).error).toMatchObject({ message: "stopped" });
  });

  test("never takes an abort that the client hides for the end of the answer", async () => {
    const controller = new AbortController();
    const reason = new Error("stopped");
    const ask = async function* (): AsyncGenerator<UiChunk> {
      yield word;
      controller.abort(reason);
    };
    expect(await gather(withCare(ask)({ signal: controller.signal }))).toEqual({ chunks: [word], error: reason });
  });

  test("holds 64 chunks before the first token, and not one more", async () => {
    const step: UiChunk = { type: "start-step" };
    const held = model([Array.from({ length: 64 }, () => step), busy()]);
    expect((await start(held.ask, { maxRetryCount: 0 }).outcome).chunks).toEqual([]);
    const told = model([Array.from({ length: 65 }, () => step), busy()]);
    expect((await start(told.ask, { maxRetryCount: 0 }).outcome).chunks).toHaveLength(65);
  });

  test.each(["firstChunkMs", "betweenChunksMs", "maxRetryCount", "baseDelayMs", "maxDelayMs"])(
    "refuses a negative %s",
    (name) => {
      expect(() => withCare(model().ask, { [name]: -1 })).toThrow(expect.objectContaining({ code: "input_invalid" }));
    },
  );
});
