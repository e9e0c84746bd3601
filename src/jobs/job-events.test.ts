import { expect, test } from "vitest";
import type { JobItem } from "../wire/job-items.ts";
import { jobEvent } from "./job-events.ts";

test("jobEvent() hides what a job was started with unless it is asked for, and checkpoints", () => {
  const first: JobItem = { type: "state", state: "queued", kind: "k", input: { key: 1 }, position: 0, atMs: 1 };
  expect(jobEvent(first)).toEqual({ event: "state", data: { state: "queued", kind: "k", position: 0, atMs: 1 } });
  expect(jobEvent(first, { showsInput: true }).data).toMatchObject({ input: { key: 1 } });
  expect(jobEvent({ type: "log", level: "info", text: "t", atMs: 1 })).toEqual({
    event: "log",
    data: { level: "info", text: "t", atMs: 1 },
  });
  expect(jobEvent({ type: "checkpoint", value: 1 })).toEqual({ comment: "checkpoint" });
});
