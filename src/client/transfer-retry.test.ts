// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TailraceError } from "../errors.ts";
import { Retries } from "./transfer-retry.ts";
import { untilAborted, waitForRetry } from "./transfer-wait.ts";

const lost = (details = {}): TailraceError => new TailraceError("connection_failed", "Lost.", { details });
const limits = { minDelayMs: 100, maxDelayMs: 100, maxAttempts: Infinity };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  if (left > 0) throw new Error(`${left} timers are pending`);
});

/** Counts the listeners of the window and the document. */
function countListeners(): () => number {
  let count = 0;
  for (const place of [window, document]) {
    const target: EventTarget = place;
    const add = target.addEventListener.bind(target);
    const remove = target.removeEventListener.bind(target);
    vi.spyOn(target, "addEventListener").mockImplementation((...args: Parameters<typeof add>) => {
      count += 1;
      add(...args);
    });
    vi.spyOn(target, "removeEventListener").mockImplementation((...args: Parameters<typeof remove>) => {
      count -= 1;
      remove(...args);
    });
  }
  return () => count;
}

describe("waitForRetry", () => {
  test("waitForRetry() ends by its timer, by online, and by an abort, and leaves nothing behind", async () => {
    const listeners = countListeners();
    const { signal } = new AbortController();
    const byTimer = waitForRetry(50, 0, signal);
    expect(listeners()).toBe(3);
    await vi.advanceTimersByTimeAsync(50);
    await byTimer;
    const byOnline = waitForRetry(60_000, 0, signal);
    window.dispatchEvent(new Event("online"));
    await byOnline;
    const controller = new AbortController();
    const aborted = waitForRetry(60_000, 0, controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(waitForRetry(60_000, 0, controller.signal)).rejects.toBe(reason);
    expect(listeners()).toBe(0);
    vi.restoreAllMocks();
  });

  test("waitForRetry() lets no wake-up end a Retry-After", async () => {
    const settled = vi.fn();
    const waiting = waitForRetry(1000, 1000, new AbortController().signal).then(settled);
    await vi.advanceTimersByTimeAsync(999);
    window.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(settled).toHaveBeenCalledOnce();
  });

  test("untilAborted() rejects at once, whatever the promise does", async () => {
    const reason = new Error("enough");
    await expect(untilAborted(new Promise(() => undefined), AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(untilAborted(Promise.resolve(1), new AbortController().signal)).resolves.toBe(1);
  });
});

describe("Retries", () => {
  test("run() tries again after a loss, tells of the wait, and gives what came", async () => {
    const shown: unknown[] = [];
    const retries = new Retries(limits, () => shown.push([retries.attempt, retries.retryAt !== null]));
    const once = vi.fn().mockRejectedValueOnce(lost()).mockRejectedValueOnce(lost()).mockResolvedValue("there");
    const running = retries.run(once, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(200);
    expect(await running).toBe("there");
    expect(shown).toEqual([
      [1, true],
      [1, false],
      [2, true],
      [2, false],
    ]);
  });

  test("run() obeys a Retry-After that is longer than the back-off", async () => {
    const retries = new Retries(limits, () => undefined);
    const once = vi
      .fn()
      .mockRejectedValueOnce(lost({ retryAfterMs: 7000 }))
      .mockResolvedValue(1);
    const running = retries.run(once, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(6999);
    expect(once).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(1);
    await running;
    expect(once).toHaveBeenCalledTimes(2);
  });

  test.each([
    [2, "resolves"],
    [3, "rejects"],
  ])("run() with maxAttempts 3 and %i losses in a row %s", async (losses, outcome) => {
    const retries = new Retries({ ...limits, maxAttempts: 3 }, () => undefined);
    const once = vi.fn().mockResolvedValue("there");
    for (let count = 0; count < losses; count += 1) once.mockRejectedValueOnce(lost());
    const settled = retries.run(once, new AbortController().signal).then(
      () => "resolves",
      (error: TailraceError) => (error.details["attempts"] === 3 ? "rejects" : error.message),
    );
    await vi.advanceTimersByTimeAsync(1000);
    expect(await settled).toBe(outcome);
  });

  test("run() counts losses anew after progress", async () => {
    const retries = new Retries({ ...limits, maxAttempts: 2 }, () => undefined);
    let calls = 0;
    const running = retries.run(async () => {
      calls += 1;
      retries.progressed();
      if (calls < 6) throw lost();
      return calls;
    }, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await running).toBe(6);
  });

  test("run() gives up at once on what no other attempt can mend, and on a fault of its own", async () => {
    const retries = new Retries(limits, () => undefined);
    const refused = new TailraceError("response_refused", "No.");
    const { signal } = new AbortController();
    await expect(retries.run(() => Promise.reject(refused), signal)).rejects.toBe(refused);
    const fault = new RangeError("bug");
    await expect(retries.run(() => Promise.reject(fault), signal)).rejects.toMatchObject({
      code: "source_failed",
      cause: fault,
    });
  });
});
