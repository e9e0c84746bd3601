// When a connection is replaced, and when not.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RedisPort } from "./redis-client.ts";
import { MAX_SILENT_MS, RedisSilence, SILENT_MS } from "./redis-silence.ts";

let answers: PromiseWithResolvers<unknown>[];
let probe: ReturnType<typeof vi.fn<() => Promise<boolean>>>;
let replace: ReturnType<typeof vi.fn<() => void>>;
let onReplaced: ReturnType<typeof vi.fn<() => void>>;
let silence: RedisSilence;

function made(allowanceMs: number): RedisSilence {
  const send = async (): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    answers.push(answer);
    return answer.promise;
  };
  const port = { send, probe, replace } as unknown as RedisPort;
  return new RedisSilence({ port, allowanceMs, onReplaced });
}

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  probe = vi.fn(async () => true);
  replace = vi.fn();
  onReplaced = vi.fn();
  silence = made(0);
});
afterEach(() => {
  silence.close();
  vi.useRealTimers();
});

test("RedisSilence replaces a connection that is silent while another one is answered", async () => {
  void silence.send("k", ["PING"]);
  await vi.advanceTimersByTimeAsync(SILENT_MS - 1);
  expect(probe).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect([replace.mock.calls.length, onReplaced.mock.calls.length]).toEqual([1, 1]);
});

test("RedisSilence replaces nothing while nobody is answered, and asks again until somebody is", async () => {
  probe.mockResolvedValue(false);
  void silence.send("k", ["PING"]);
  await vi.advanceTimersByTimeAsync(SILENT_MS + 5_000);
  expect(probe.mock.calls.length).toBeGreaterThan(10);
  expect(replace).not.toHaveBeenCalled();
  probe.mockResolvedValue(true);
  await vi.advanceTimersByTimeAsync(250);
  expect(replace).toHaveBeenCalledTimes(1);
});

test("RedisSilence replaces nothing that answers meanwhile, and does nothing while nothing is asked for", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  probe.mockReturnValueOnce(promise);
  const replies = [silence.send("k", ["PING"]), silence.send("k", ["PING"])];
  await vi.advanceTimersByTimeAsync(SILENT_MS);
  answers[0]!.resolve("PONG");
  expect(await replies[0]).toBe("PONG");
  resolve(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(replace).not.toHaveBeenCalled();
  answers[1]!.resolve("PONG");
  await replies[1];
  probe.mockClear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([probe.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
});

test("RedisSilence gives each connection that was replaced in vain twice the time, up to MAX_SILENT_MS", async () => {
  void silence.send("k", ["PING"]);
  const waits: number[] = [];
  for (let count = 0; count < 8; count++) {
    const before = performance.now();
    while (replace.mock.calls.length === count) await vi.advanceTimersByTimeAsync(10);
    waits.push(performance.now() - before);
  }
  for (const [index, wait] of waits.entries()) {
    const expected = Math.min(SILENT_MS * 2 ** index, MAX_SILENT_MS);
    expect(wait).toBeGreaterThanOrEqual(expected - 10);
    expect(wait).toBeLessThan(expected + 300);
  }
});

test("RedisSilence allows for the time that replicas are waited for", async () => {
  silence = made(5_000);
  void silence.send("k", ["WAIT"]);
  await vi.advanceTimersByTimeAsync(SILENT_MS + 4_999);
  expect(probe).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(replace).toHaveBeenCalledTimes(1);
});
