import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { publishTo } from "./progress-stream.ts";
import { ProgressReporter, type ProgressOptions, type UploadProgress } from "./progress.ts";

let clock: ManualClock;
let told: UploadProgress[];

beforeEach(() => {
  clock = createManualClock();
  told = [];
});
afterEach(() => {
  vi.restoreAllMocks();
});

function reporter(options: Partial<ProgressOptions> = {}): ProgressReporter {
  return new ProgressReporter({ id: "u1", clock, publish: (progress) => void told.push(progress), ...options });
}

const states = (): string[] => told.map((each) => each.state);
const last = (): UploadProgress => told.at(-1) as UploadProgress;

describe("ProgressReporter", () => {
  test("tells changes of state at once and bytes at most each interval, the last value always", async () => {
    const progress = reporter({ name: "a.txt", totalBytes: 1_000 });
    await progress.settled();
    for (let bytes = 10; bytes <= 100; bytes += 10) {
      progress.stored(bytes);
      await progress.settled();
      clock.advance(50);
      await progress.settled();
    }
    // 500 ms: created, receiving, then one at 250 ms and one at 500 ms.
    expect(told.map(({ state, bytes }) => [state, bytes])).toEqual([
      ["created", 0],
      ["receiving", 10],
      ["receiving", 50],
      ["receiving", 100],
    ]);
    progress.stored(1_000);
    progress.to("verifying");
    progress.to("complete");
    await progress.settled();
    expect(states().slice(-2)).toEqual(["verifying", "complete"]);
    expect(last()).toEqual({
      id: "u1",
      name: "a.txt",
      state: "complete",
      bytes: 1_000,
      totalBytes: 1_000,
      bytesPerSecond: 0,
    });
    expect(clock.timerCount).toBe(0);
  });

  test("gives the rate and the time left of the last 5 s", async () => {
    const progress = reporter({ totalBytes: 100_000 });
    let bytes = 0;
    const go = async (perStep: number, steps: number): Promise<void> => {
      for (let step = 0; step < steps; step++) {
        clock.advance(100);
        progress.stored((bytes += perStep));
        await progress.settled();
      }
    };
    await go(100, 20);
    expect(progress.current.bytesPerSecond).toBe(1_000);
    expect(progress.current.remainingMs).toBe(98_000);
    await go(1_000, 60); // the slow beginning lies outside of the window now
    expect(progress.current.bytesPerSecond).toBe(10_000);
    expect(progress.current.remainingMs).toBe(3_800);
    progress.close();
  });

  test("knows no time left without a size, until setTotal", async () => {
    const progress = reporter();
    for (const bytes of [100, 200, 300, 400]) {
      progress.stored(bytes);
      clock.advance(100);
    }
    expect(progress.current).toMatchObject({ bytesPerSecond: 750 });
    expect(progress.current).not.toHaveProperty("remainingMs");
    progress.setTotal(1_150);
    expect(progress.current).toMatchObject({ totalBytes: 1_150, remainingMs: 1_000 });
    progress.close();
  });

  test("flush tells the last value before its time, and once", async () => {
    const progress = reporter();
    progress.stored(1);
    await progress.settled();
    progress.stored(2);
    expect(last().bytes).toBe(1);
    await progress.flush();
    await progress.flush();
    expect(told.map(({ bytes }) => bytes)).toEqual([0, 1, 2]);
    clock.advance(1_000);
    expect(told).toHaveLength(3);
    progress.close();
    await progress.flush();
  });

  test("says nothing while another process goes on with the upload, and goes on itself with the next bytes", async () => {
    const isElsewhere = vi.fn(async () => true);
    const progress = reporter({ isElsewhere });
    progress.stored(1);
    await progress.settled();
    clock.advance(5_000);
    await vi.waitFor(() => expect(clock.timerCount).toBe(0));
    expect([isElsewhere.mock.calls.length, states()]).toEqual([1, ["created", "receiving"]]);
    progress.stored(3);
    await progress.settled();
    expect(states()).toEqual(["created", "receiving", "receiving"]);
    isElsewhere.mockResolvedValueOnce(false);
    clock.advance(5_000);
    await vi.waitFor(() => expect(states()).toEqual(["created", "receiving", "receiving", "stalled"]));
  });

  test("is stalled if nobody can say whether another process goes on with it", async () => {
    const warned = vi.spyOn(console, "error").mockReturnValue();
    const progress = reporter({ isElsewhere: () => Promise.reject(new Error("no answer")) });
    progress.stored(1);
    clock.advance(5_000);
    await vi.waitFor(() => expect(last().state).toBe("stalled"));
    expect(warned).toHaveBeenCalledOnce();
    progress.close();
  });

  test("keeps looking for a stall when bytes come while it asks whether another process goes on", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const isElsewhere = vi.fn(async () => false).mockReturnValueOnce(promise);
    const progress = reporter({ isElsewhere });
    progress.stored(1);
    await progress.settled();
    clock.advance(5_001);
    progress.stored(2);
    await progress.settled();
    expect(clock.timerCount).toBe(0);
    resolve(true);
    await vi.waitFor(() => expect(clock.timerCount).toBe(1));
    clock.advance(5_000);
    await vi.waitFor(() => expect(last().state).toBe("stalled"));
    expect(isElsewhere).toHaveBeenCalledTimes(2);
  });

  test("is stalled after 5 s without bytes, and receiving again with the next", async () => {
    const progress = reporter();
    progress.stored(1);
    clock.advance(3_000);
    progress.stored(2);
    clock.advance(4_999);
    await progress.settled();
    expect(last().state).toBe("receiving");
    clock.advance(1);
    await progress.settled();
    expect(last()).toMatchObject({ state: "stalled", bytes: 2, bytesPerSecond: 0 });
    progress.stored(3);
    await progress.settled();
    expect(last()).toMatchObject({ state: "receiving", bytes: 3 });
    progress.to("failed", "too_slow");
    await progress.settled();
    expect(last()).toMatchObject({ state: "failed", code: "too_slow" });
    expect(clock.timerCount).toBe(0);
  });

  test("stands a clock that is set back or forward", async () => {
    const progress = reporter();
    progress.stored(1);
    await progress.settled();
    clock.jump(-3_600_000);
    progress.stored(2);
    await progress.settled();
    expect(last().bytes).toBe(2);
    expect(progress.current.bytesPerSecond).toBeGreaterThanOrEqual(0);
    clock.jump(7_200_000);
    progress.stored(3);
    await progress.settled();
    expect(last().bytes).toBe(3);
    progress.close();
    expect(clock.timerCount).toBe(0);
  });

  test("has one report under way at a time, and tells the newest afterwards", async () => {
    let underWay = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const progress = reporter({
      publish: async (value) => {
        most = Math.max(most, ++underWay);
        await new Promise<void>((resolve) => gates.push(resolve));
        underWay--;
        told.push(value);
      },
    });
    for (let bytes = 1; bytes <= 1_000; bytes++) {
      progress.stored(bytes);
      clock.advance(300);
    }
    progress.to("complete");
    expect(gates).toHaveLength(1);
    const settled = progress.settled();
    for (let open = 0; open < 10; open++) {
      gates[open]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await settled;
    expect(most).toBe(1);
    expect(told.map(({ state, bytes }) => [state, bytes])).toEqual([
      ["created", 0],
      ["receiving", 1],
      ["complete", 1_000],
    ]);
  });

  test("keeps at most 8 changes waiting, the end among them", async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const progress = reporter({
      publish: async (value) => {
        await gate;
        told.push(value);
      },
    });
    for (let turn = 0; turn < 20; turn++) progress.to(turn % 2 === 0 ? "receiving" : "stalled");
    progress.to("complete");
    open();
    await progress.settled();
    expect(told).toHaveLength(1 + 8);
    expect(last().state).toBe("complete");
  });

  test.each(["throws", "rejects"] as const)("a publish that %s is reported and breaks nothing", async (how) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const progress = reporter({
      publish: (value) => {
        told.push(value);
        if (how === "throws") throw new Error("x");
        return Promise.reject(new Error("x"));
      },
    });
    progress.stored(1);
    progress.to("complete");
    await progress.settled();
    expect(states()).toEqual(["created", "receiving", "complete"]);
    expect(log).toHaveBeenCalledTimes(3);
  });

  test("goes on from what was stored before, and says nothing until something changes", async () => {
    const progress = reporter({ bytes: 500, totalBytes: 1_000 });
    await progress.settled();
    expect(told).toEqual([]);
    progress.stored(600);
    await progress.settled();
    expect(told.map(({ state, bytes }) => [state, bytes])).toEqual([["receiving", 600]]);
    progress.close();
  });

  test("close() tells the last value and nothing after it", async () => {
    const progress = reporter();
    progress.stored(1);
    await progress.settled();
    progress.stored(2);
    await progress.settled();
    expect(last().bytes).toBe(1);
    progress.close();
    progress.stored(3);
    progress.to("complete");
    progress.close();
    await progress.settled();
    expect(last()).toMatchObject({ state: "receiving", bytes: 2 });
    expect(clock.timerCount).toBe(0);
  });
});

describe("publishTo()", () => {
  test.each([
    ["complete", "completed"],
    ["failed", "failed"],
    ["expired", "failed"],
  ] as const)("appends each report and ends the stream when %s", async (state, reason) => {
    const streams = new Streams({ store: memoryStore({ name: `progress-${state}` }) }, () => undefined);
    const progress = reporter({ publish: publishTo(streams, "upload/1") });
    progress.stored(5);
    progress.to(state);
    await progress.settled();
    const { entries, end } = await streams.read<UploadProgress>("upload/1");
    expect(entries.map(({ value }) => value.state)).toEqual(["created", "receiving", state]);
    expect(end).toEqual({ reason });
    await streams.close();
  });

  test("takes a stream that somebody made before with other limits", async () => {
    const streams = new Streams({ store: memoryStore({ name: "progress-made" }) }, () => undefined);
    await streams.create("upload/2", { maxItems: 5 });
    const publish = publishTo(streams, "upload/2");
    await publish({ id: "u", state: "receiving", bytes: 1, bytesPerSecond: 0 });
    expect((await streams.read("upload/2")).entries).toHaveLength(1);
    await streams.close();
  });
});
