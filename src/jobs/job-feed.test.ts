import { describe, expect, test } from "vitest";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import type { JobItem } from "../wire/job-items.ts";
import { JobFeed, MAX_LOG_LINE_COUNT, MAX_LOG_TEXT_CHARS, MAX_WAITING_LOG_CHARS } from "./job-feed.ts";
import { ProgressMeter } from "./job-progress.ts";

interface Reader {
  readonly items: JobItem[];
  readonly done: Promise<void>;
}

/** Reads as fast as it can. */
function read(feed: JobFeed): Reader {
  const items: JobItem[] = [];
  const done = (async () => {
    for await (const item of feed) items.push(item);
  })();
  return { items, done };
}

const turn = async (): Promise<void> => {
  for (let index = 0; index < 10; index++) await Promise.resolve();
};
const texts = (items: readonly JobItem[]): string[] =>
  items.flatMap((item) => (item.type === "log" ? [item.text] : []));
const dones = (items: readonly JobItem[]): number[] =>
  items.flatMap((item) => (item.type === "progress" ? [item.done] : []));

function start(clock: ManualClock = createManualClock()): {
  clock: ManualClock;
  feed: JobFeed;
  report: (done: number) => void;
} {
  const feed = new JobFeed({ clock });
  const meter = new ProgressMeter(clock);
  return {
    clock,
    feed,
    report: (done) => {
      meter.add(done, 1_000);
      feed.progress(meter.read);
    },
  };
}

describe("JobFeed", () => {
  test("progress is told at once, then at most 4 times a second with the newest value, and the last one before the end", async () => {
    const { clock, feed, report } = start();
    const { items, done } = read(feed);
    for (let ms = 1; ms <= 1_000; ms++) {
      report(ms);
      await turn();
      clock.advance(1);
    }
    await turn();
    expect(dones(items)).toEqual([1, 250, 500, 750, 1_000]);
    report(1_001);
    feed.end({ type: "result", value: "r", atMs: clock.now() });
    await done;
    expect(dones(items)).toEqual([1, 250, 500, 750, 1_000, 1_001]);
    expect(items.at(-1)).toMatchObject({ type: "result", value: "r" });
    expect(clock.timerCount).toBe(0);
  });

  test("progress of a day is rarer the longer it takes, and never rarer than every 10 s", async () => {
    const { clock, feed, report } = start();
    const { items } = read(feed);
    for (let second = 0; second < 86_400; second++) {
      report(second);
      await turn();
      clock.advance(1_000);
    }
    expect(dones(items).length).toBeGreaterThan(8_640);
    expect(dones(items).length).toBeLessThan(20_000);
    const last = dones(items).slice(-100);
    expect(last.every((value, index) => index === 0 || value - last[index - 1]! <= 11)).toBe(true);
    await feed.return();
    expect(clock.timerCount).toBe(0);
  });

  test("a line of 4,000 characters is kept whole, one of 4,001 is cut with a mark, and never inside a pair", async () => {
    const { feed } = start();
    const { items, done } = read(feed);
    feed.log("info", "x".repeat(MAX_LOG_TEXT_CHARS));
    feed.log("info", "y".repeat(MAX_LOG_TEXT_CHARS + 1));
    feed.log("info", "😀".repeat(MAX_LOG_TEXT_CHARS));
    feed.log("info", `z${"😀".repeat(MAX_LOG_TEXT_CHARS)}`);
    feed.end();
    await done;
    const [whole, cut, ...pairs] = texts(items);
    expect(whole).toBe("x".repeat(MAX_LOG_TEXT_CHARS));
    expect(cut).toBe(`${"y".repeat(MAX_LOG_TEXT_CHARS - 4)} […]`);
    expect(pairs.every((text) => text.length === MAX_LOG_TEXT_CHARS && text.isWellFormed())).toBe(true);
  });

  test("10,000 lines are kept; of the next ones only that they are left out, once", async () => {
    const { feed } = start();
    const { items, done } = read(feed);
    for (let line = 1; line <= MAX_LOG_LINE_COUNT; line++) {
      feed.log("info", String(line));
      if (line % 1_000 === 0) await turn();
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(texts(items)).toHaveLength(MAX_LOG_LINE_COUNT);
    expect(texts(items).at(-1)).toBe("10000");
    for (let line = 0; line < 10; line++) feed.log("info", "late");
    feed.end();
    await done;
    expect(texts(items).slice(MAX_LOG_LINE_COUNT)).toEqual(["A job keeps 10,000 lines; the rest is left out."]);
  });

  test("lines that were logged before count", async () => {
    const feed = new JobFeed({ clock: createManualClock(), logLineCount: MAX_LOG_LINE_COUNT - 1 });
    const { items, done } = read(feed);
    for (const text of ["one", "two", "three"]) feed.log("info", text);
    feed.end();
    await done;
    expect(texts(items)).toEqual(["one", "A job keeps 10,000 lines; the rest is left out."]);
  });

  test("while nobody takes them, lines wait up to the limit; what is over it is counted and told in its place", async () => {
    const { feed, report } = start();
    const cost = 1_000;
    const fit = Math.floor(MAX_WAITING_LOG_CHARS / cost);
    for (let line = 0; line < fit; line++) feed.log("info", "w".repeat(cost - 64));
    feed.log("info", "left out".padEnd(cost));
    feed.log("info", "left out too".padEnd(cost));
    report(5); // and progress does not wait in a row, nor for the lines
    report(6);
    const first = await feed.next();
    expect(first.value).toMatchObject({ type: "progress", done: 6 });
    await feed.next();
    feed.log("info", "fits again");
    feed.end();
    const { items, done } = read(feed);
    await done;
    expect(texts(items).slice(-2)).toEqual([
      "2 lines were left out here: they came faster than the store could take them.",
      "fits again",
    ]);
    expect(texts(items)).toHaveLength(fit - 1 + 2);
  });

  test("lines that were left out last are told before the end", async () => {
    const { feed } = start();
    for (let line = 0; line < 300; line++) feed.log("info", "w".repeat(MAX_LOG_TEXT_CHARS));
    feed.end();
    const { items, done } = read(feed);
    await done;
    const kept = Math.floor(MAX_WAITING_LOG_CHARS / (MAX_LOG_TEXT_CHARS + 64));
    expect(texts(items)).toHaveLength(kept + 1);
    expect(texts(items).at(-1)).toBe(
      `${300 - kept} lines were left out here: they came faster than the store could take them.`,
    );
  });

  test("progress does not go before a change of the state, and does not starve behind lines", async () => {
    const { feed, report } = start();
    feed.push({ type: "state", state: "running", atMs: 1 });
    feed.log("info", "one");
    report(1);
    feed.end();
    const { items, done } = read(feed);
    await done;
    expect(items.map((item) => item.type)).toEqual(["state", "log", "progress"]);
    const other = start();
    other.feed.push({ type: "state", state: "running", atMs: 1 });
    other.feed.log("info", "one");
    other.report(1);
    const second = [await other.feed.next(), await other.feed.next(), await other.feed.next()];
    expect(second.map((result) => result.value?.type)).toEqual(["state", "progress", "log"]);
    await other.feed.return();
  });

  test("the newest progress is told again among many lines", async () => {
    const { feed, report } = start();
    const { items, done } = read(feed);
    report(7);
    await turn();
    for (let line = 0; line < 1_200; line++) feed.log("info", "l");
    feed.end();
    await done;
    expect(dones(items)).toEqual([7, 7, 7]);
    expect(items.findLastIndex((item) => item.type === "progress")).toBeGreaterThan(items.length - 501);
  });

  test("checkpoints are coalesced as progress is, and are a copy of what was given", async () => {
    const { clock, feed } = start();
    const { items } = read(feed);
    for (const at of [1, 2, 3]) feed.checkpoint(JSON.stringify({ at }));
    await turn();
    clock.advance(250);
    await turn();
    feed.checkpoint(JSON.stringify({ at: 4 }));
    feed.end(); // what has ended is not carried on
    await turn();
    expect(items).toEqual([
      { type: "checkpoint", value: { at: 1 } },
      { type: "checkpoint", value: { at: 3 } },
    ]);
    expect(clock.timerCount).toBe(0);
  });

  test("fail() gives what waits and then throws; return() drops all, and releases the timers", async () => {
    const { feed } = start();
    feed.log("info", "one");
    feed.fail(new Error("broken"), { type: "failure", message: "m", atMs: 1 });
    feed.log("info", "late");
    const { items, done } = read(feed);
    await expect(done).rejects.toThrow("broken");
    expect(items.map((item) => item.type)).toEqual(["log", "failure"]);
    const other = start();
    other.report(1);
    await other.feed.next();
    other.report(2);
    const waiting = other.feed.next();
    expect(other.clock.timerCount).toBe(1);
    await other.feed.return();
    expect([(await waiting).done, other.clock.timerCount]).toEqual([true, 0]);
    other.report(3);
    other.feed.log("info", "late");
    expect([(await other.feed.next()).done, other.clock.timerCount]).toEqual([true, 0]);
  });
});

describe("ProgressMeter", () => {
  test("read() tells share, rate and time left, and keeps total and note", () => {
    const clock = createManualClock();
    const meter = new ProgressMeter(clock);
    meter.add(0, 200, "a");
    clock.advance(10_000);
    meter.add(50);
    expect(meter.read()).toEqual({
      done: 50,
      total: 200,
      fraction: 0.25,
      percent: 25,
      ratePerSecond: 5,
      remainingMs: 30_000,
      note: "a",
      atMs: clock.now(),
    });
  });

  test.each([
    [
      { done: 999, total: 1_000 },
      { fraction: 0.999, percent: 99 },
    ],
    [
      { done: 1_001, total: 1_000 },
      { fraction: 1, percent: 100, remainingMs: 0 },
    ],
    [
      { done: 0, total: 0 },
      { fraction: 1, percent: 100, remainingMs: 0 },
    ],
    [
      { done: -1, total: 10 },
      { fraction: 0, percent: 0 },
    ],
  ])("read() of %j stays within its bounds", (report, expected) => {
    const meter = new ProgressMeter(createManualClock());
    expect(meter.add(report.done, report.total)).toBe(true);
    expect(meter.read()).toMatchObject(expected);
  });

  test("add() takes no report that is no number, and no total that is none", () => {
    const meter = new ProgressMeter(createManualClock());
    expect([meter.add(NaN), meter.add(Infinity)]).toEqual([false, false]);
    expect(meter.add(3, NaN)).toBe(true);
    expect(meter.read()).toEqual({ done: 3, ratePerSecond: 0, atMs: expect.any(Number) as number });
  });
});
