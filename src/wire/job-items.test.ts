import { describe, expect, test } from "vitest";
import { emptyJob, endJob, foldJob, type JobItem } from "./job-items.ts";

const first: JobItem = {
  type: "state",
  state: "queued",
  kind: "k",
  input: { a: 1 },
  retryOf: "old",
  position: 3,
  atMs: 10,
};
const fold = (...items: JobItem[]): ReturnType<typeof foldJob> => items.reduce(foldJob, emptyJob("id"));

describe("foldJob", () => {
  test("a job that waits has its place, what it was started with, and keeps them as it moves up", () => {
    expect(emptyJob("id")).toEqual({ id: "id", state: "queued", carriedOnCount: 0 });
    const moved = fold(first, { type: "state", state: "queued", position: 1 });
    expect(moved).toMatchObject({
      state: "queued",
      kind: "k",
      input: { a: 1 },
      retryOf: "old",
      position: 1,
      createdAtMs: 10,
    });
  });

  test("a job that runs has no place, and knows when it began", () => {
    const job = fold(first, { type: "state", state: "running", atMs: 20 });
    expect(job).toMatchObject({ state: "running", startedAtMs: 20, lastAtMs: 20 });
    expect("position" in job).toBe(false);
  });

  test("a job that is carried on is queued again, and keeps its times", () => {
    const running: JobItem = { type: "state", state: "running", atMs: 20 };
    const again: JobItem = { type: "state", state: "queued", carriedOn: true, position: 0, atMs: 90 };
    expect(fold(first, running, again)).toMatchObject({
      state: "queued",
      carriedOnCount: 1,
      createdAtMs: 10,
      kind: "k",
    });
    expect(fold(first, running, again, { ...running, atMs: 95 })).toMatchObject({ state: "running", startedAtMs: 20 });
  });

  test("progress that is told again does not set the time back, a checkpoint changes nothing", () => {
    const progress: JobItem = { type: "progress", done: 1, ratePerSecond: 0, atMs: 30 };
    const log: JobItem = { type: "log", level: "info", text: "t", atMs: 50 };
    const job = fold(first, progress, log, progress);
    expect(job).toMatchObject({ lastAtMs: 50, progress: { done: 1 }, lastLog: { text: "t" } });
    expect(foldJob(job, { type: "checkpoint", value: 1 })).toBe(job);
  });

  test("an item of a later version changes nothing", () => {
    const job = fold(first);
    expect(foldJob(job, { type: "thought" } as unknown as JobItem)).toBe(job);
  });

  test("a result and a failure stay, and endJob() takes the time of the last sign of life", () => {
    const done = fold(first, { type: "result", value: 5, atMs: 40 });
    expect(endJob(done, { reason: "completed" })).toMatchObject({ state: "completed", result: 5, endedAtMs: 40 });
    const failed = fold(first, { type: "failure", message: "m", code: "input_invalid", atMs: 40 });
    const ended = endJob(failed, { reason: "failed" });
    expect(ended).toMatchObject({ state: "failed", failure: { message: "m", code: "input_invalid" }, endedAtMs: 40 });
    expect("position" in ended).toBe(false);
    expect("endedAtMs" in endJob(emptyJob("id"), { reason: "interrupted" })).toBe(false);
  });
});
