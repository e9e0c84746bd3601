import { afterEach, describe, expect, test, vi } from "vitest";
import { createFrameScheduler } from "./frame.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function frames(): { run: () => void; pending: () => number } {
  const queue = new Map<number, () => void>();
  let last = 0;
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => {
    last += 1;
    queue.set(last, run);
    return last;
  });
  vi.stubGlobal("cancelAnimationFrame", (frame: number) => queue.delete(frame));
  const run = (): void => {
    const due = [...queue.values()];
    queue.clear();
    for (const step of due) step();
  };
  return { run, pending: () => queue.size };
}

describe("createFrameScheduler", () => {
  test("schedule() commits once per frame, however often it is called", () => {
    const { run, pending } = frames();
    const commit = vi.fn<() => void>();
    const frame = createFrameScheduler(commit);
    for (let index = 0; index < 100; index += 1) frame.schedule();
    expect([pending(), commit.mock.calls.length]).toEqual([1, 0]);
    run();
    expect(commit).toHaveBeenCalledTimes(1);
    frame.schedule();
    run();
    expect(commit).toHaveBeenCalledTimes(2);
  });

  test("flush() commits now and takes the frame away; without a pending commit it does nothing", () => {
    const { run, pending } = frames();
    const commit = vi.fn<() => void>();
    const frame = createFrameScheduler(commit);
    frame.flush();
    expect(commit).not.toHaveBeenCalled();
    frame.schedule();
    frame.flush();
    expect([pending(), commit.mock.calls.length]).toEqual([0, 1]);
    run();
    expect(commit).toHaveBeenCalledTimes(1);
  });

  test("cancel() drops what is pending", () => {
    const { pending } = frames();
    const commit = vi.fn<() => void>();
    const frame = createFrameScheduler(commit);
    frame.schedule();
    frame.cancel();
    frame.flush();
    expect([pending(), commit.mock.calls.length]).toEqual([0, 0]);
  });

  test.each([
    ["a hidden page", "hidden"],
    ["no requestAnimationFrame", undefined],
  ])("schedule() uses a timer with %s", (_, visibilityState) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { pending } = frames();
    if (visibilityState === undefined) vi.stubGlobal("requestAnimationFrame", undefined);
    else vi.stubGlobal("document", { visibilityState });
    const commit = vi.fn<() => void>();
    const frame = createFrameScheduler(commit);
    frame.schedule();
    frame.schedule();
    expect([vi.getTimerCount(), pending()]).toEqual([1, 0]);
    vi.runAllTimers();
    expect(commit).toHaveBeenCalledTimes(1);
    frame.schedule();
    frame.cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});
