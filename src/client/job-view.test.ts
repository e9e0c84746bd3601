import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import { jobEvent } from "../jobs/job-events.ts";
import type { JobContext } from "../jobs/job-kind.ts";
import { Jobs } from "../jobs/jobs.ts";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { sse } from "../reply/sse.ts";
import { JobView, type JobViewOptions } from "./job-view.ts";
import { until } from "./scripted-chat.test-support.ts";
import type { Fetch } from "./stream-types.ts";

const API = "http://127.0.0.1/api/jobs";
let streams: Streams;
let jobs: Jobs;
let requests: string[];
/** Readers of the server's streams that have not left. */
let readers: AbortController[];
/** A request that nobody holds may be collected, and its signal then no longer hears of an abort (Node's fetch). */
let held: Request[];
let refuse: Response | undefined;
const leaves: (() => void)[] = [];

/** The four routes of SSE jobs, over a store in memory. */
const fetch: Fetch = async (url, init) => {
  const request = new Request(url, init);
  const path = new URL(request.url).pathname;
  requests.push(`${request.method} ${path}`);
  const [, id = "", what] = /^\/api\/jobs\/([^/]+)(?:\/(retry))?$/.exec(path) ?? [];
  if (refuse !== undefined) return refuse;
  try {
    if (id === "") {
      const { kind, ...input } = (await request.json()) as { kind: string };
      return Response.json({ id: (await jobs.start(kind, input)).id }, { status: 202 });
    }
    if (what === "retry") return Response.json(await jobs.retry(id), { status: 202 });
    if (request.method === "DELETE") return Response.json(await jobs.cancel(id));
    const reader = new AbortController();
    readers.push(reader);
    request.signal.addEventListener("abort", () => reader.abort());
    const followed = new Request(request, { signal: reader.signal });
    held.push(request, followed);
    return await sse(followed, jobs.follow(id), { toEvent: jobEvent, retryMs: 1 });
  } catch (error) {
    return problem(error);
  }
};

function viewOf(options: JobViewOptions = {}): JobView {
  const view = new JobView({ api: API, fetch, connection: { minDelayMs: 1, maxDelayMs: 2 }, ...options });
  leaves.push(view.attach());
  return view;
}

const reached = (view: JobView, status: string): Promise<void> =>
  until(view.subscribe, () => view.getSnapshot().status === status);

/** Runs until it is told to, logging as it goes. */
function defineGate(): { open: () => void; aborts: () => number } {
  let go: () => void = () => undefined;
  let aborts = 0;
  const opened = new Promise<void>((resolve) => {
    go = resolve;
  });
  jobs.define("gate", async ({ log, progress, signal }: JobContext) => {
    signal.addEventListener("abort", () => aborts++);
    progress(1, 2);
    log("begun");
    await Promise.race([opened, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
    log("through");
    return { ok: true };
  });
  return { open: () => go(), aborts: () => aborts };
}

beforeEach(() => {
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  jobs = new Jobs({ streams, onError: () => undefined });
  requests = [];
  readers = [];
  held = [];
  refuse = undefined;
});
afterEach(async () => {
  for (const leave of leaves.splice(0)) leave();
  vi.unstubAllGlobals();
  await streams.close();
});

describe("JobView", () => {
  test("start() posts the job and follows it to its result", async () => {
    const { open } = defineGate();
    const view = viewOf();
    expect(view.getServerSnapshot()).toMatchObject({ id: null, status: "idle", job: null, logs: [], error: null });
    const starting = view.start("gate", { path: "docs" });
    expect(view.getSnapshot().status).toBe("starting");
    const id = await starting;
    await until(view.subscribe, () => view.getSnapshot().logs.length === 1);
    expect(view.getSnapshot()).toMatchObject({
      id,
      status: "running",
      connection: "open",
      job: { kind: "gate", progress: { percent: 50 } },
      announcement: "The job is running",
    });
    expect(view.getSnapshot().job?.input).toBeUndefined(); // the server's own business
    open();
    await reached(view, "completed");
    expect(view.getSnapshot()).toMatchObject({
      job: { state: "completed", result: { ok: true }, end: { reason: "completed" }, lastLog: { text: "through" } },
      connection: "done",
      announcement: "The job is done",
    });
    expect(requests).toEqual(["POST /api/jobs", `GET /api/jobs/${id}`]);
  });

  test("after a reload, and in another tab, the id is enough", async () => {
    const { open } = defineGate();
    const first = viewOf();
    const id = await first.start("gate");
    await until(first.subscribe, () => first.getSnapshot().logs.length === 1);
    leaves.pop()!(); // the page is left
    const [again, tab] = [viewOf({ id }), viewOf({ id })];
    expect(again.getSnapshot()).toMatchObject({ id, status: "loading", job: null });
    await Promise.all([reached(again, "running"), reached(tab, "running")]);
    open();
    await Promise.all([reached(again, "completed"), reached(tab, "completed")]);
    for (const view of [again, tab])
      expect(view.getSnapshot().logs.map(({ text }) => text)).toEqual(["begun", "through"]);
    const late = viewOf({ id });
    await reached(late, "completed");
    expect(late.getSnapshot().job).toMatchObject({ result: { ok: true }, progress: { done: 1 } });
  });

  test("a cut in between is mended: no line is missing, none comes twice", async () => {
    const { open } = defineGate();
    const view = viewOf();
    await view.start("gate");
    await until(view.subscribe, () => view.getSnapshot().logs.length === 1);
    readers[0]!.abort(); // the server's side of the connection goes
    await vi.waitFor(() => expect(readers).toHaveLength(2));
    open();
    await reached(view, "completed");
    expect(view.getSnapshot().logs.map(({ text }) => text)).toEqual(["begun", "through"]);
  });

  test("cancel() stops the job for every tab, once", async () => {
    const { aborts } = defineGate();
    const view = viewOf();
    const id = await view.start("gate");
    const tab = viewOf({ id });
    await Promise.all([reached(view, "running"), reached(tab, "running")]);
    const cancelled = view.cancel();
    expect(view.getSnapshot().cancelling).toBe(true);
    expect(await view.cancel()).toBe(false);
    expect(await cancelled).toBe(true);
    await Promise.all([reached(view, "stopped"), reached(tab, "stopped")]);
    expect(view.getSnapshot()).toMatchObject({ cancelling: false, error: null, announcement: "The job was stopped" });
    expect(await view.cancel()).toBe(false);
    expect([aborts(), requests.filter((request) => request.startsWith("DELETE"))]).toEqual([
      1,
      [`DELETE /api/jobs/${id}`],
    ]);
  });

  test("cancel() that the server refuses says why, and can be tried again", async () => {
    defineGate();
    const view = viewOf();
    await view.start("gate");
    await reached(view, "running");
    refuse = problem(new TailraceError("store_unavailable", "away"));
    expect(await view.cancel()).toBe(false);
    expect(view.getSnapshot()).toMatchObject({
      cancelling: false,
      status: "running",
      error: { code: "response_refused" },
    });
    refuse = undefined;
    expect(await view.cancel()).toBe(true);
    await reached(view, "stopped");
    expect(view.getSnapshot().error).toBeNull();
  });

  test("retry() starts a new job and follows that", async () => {
    let isBroken = true;
    jobs.define("k", () => {
      if (isBroken) throw new TailraceError("input_invalid", "The folder is empty.");
      return 1;
    });
    const view = viewOf();
    expect(await view.retry()).toBeNull();
    const id = await view.start("k");
    await reached(view, "failed");
    expect(view.getSnapshot()).toMatchObject({
      job: { failure: { message: "The folder is empty." } },
      announcement: "The job failed: The folder is empty.",
    });
    isBroken = false;
    const again = await view.retry();
    await reached(view, "completed");
    expect(view.getSnapshot()).toMatchObject({ id: again, job: { retryOf: id, result: 1 }, error: null });
    expect(again).not.toBe(id);
  });

  test("start() that is refused says why; two at once make one job", async () => {
    const view = viewOf();
    expect(await view.start("unknown")).toBeNull();
    expect(view.getSnapshot()).toMatchObject({
      id: null,
      status: "idle",
      error: { code: "response_refused", status: 422 },
    });
    refuse = Response.json({ ok: true });
    expect(await view.start("k")).toBeNull();
    expect(view.getSnapshot().error?.code).toBe("decode_failed");
    refuse = undefined;
    jobs.define("k", () => 1);
    const [id, second] = await Promise.all([view.start("k"), view.start("k")]);
    expect([second, view.getSnapshot().id, view.getSnapshot().error]).toEqual([null, id, null]);
    const broken = viewOf({ fetch: () => Promise.reject(new TypeError("failed")) });
    expect(await broken.start("k")).toBeNull();
    expect(broken.getSnapshot().error?.code).toBe("connection_failed");
  });

  test("a job that is not there is an error of the view", async () => {
    const view = viewOf({ id: "gone" });
    await until(view.subscribe, () => view.getSnapshot().connection === "failed");
    expect(view.getSnapshot()).toMatchObject({
      status: "loading",
      job: null,
      error: { code: "response_refused", status: 404 },
    });
    view.follow(null);
    expect(view.getSnapshot()).toMatchObject({ id: null, status: "idle", error: null });
  });

  test("the last maxLogLineCount lines are kept, at the limit and one past it", async () => {
    jobs.define("talk", ({ log, input }) => {
      for (let line = 1; line <= (input as { lines: number }).lines; line++) log(String(line));
    });
    for (const [lines, first, dropped] of [
      [10, "1", 0],
      [11, "2", 1],
      [45, "36", 35],
    ] as const) {
      const view = viewOf({ maxLogLineCount: 10 });
      await view.start("talk", { lines });
      await reached(view, "completed");
      const { logs, droppedLogCount } = view.getSnapshot();
      expect([logs.length, logs[0]?.text, logs.at(-1)?.text, droppedLogCount]).toEqual([
        10,
        first,
        String(lines),
        dropped,
      ]);
    }
  });

  test("it commits at most once per frame while a job reports", async () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
    vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
    let talk: (text: string) => void = () => undefined;
    jobs.define("talk", async ({ log, signal }) => {
      talk = log;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    const view = viewOf();
    await view.start("talk");
    await vi.waitFor(() => {
      for (const run of frames.splice(0)) run();
      expect(view.getSnapshot().status).toBe("running");
    });
    let commits = 0;
    view.subscribe(() => (commits += 1));
    for (let line = 0; line < 50; line++) {
      talk(String(line));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await vi.waitFor(() => expect(frames).toHaveLength(1));
    expect(commits).toBe(0);
    for (const run of frames.splice(0)) run();
    expect(commits).toBe(1);
    expect(view.getSnapshot().logs.length).toBeGreaterThan(40);
  });

  test("leaving closes the connection and lets the job go on", async () => {
    const { open, aborts } = defineGate();
    const view = viewOf();
    const id = await view.start("gate");
    await reached(view, "running");
    leaves.pop()!();
    await vi.waitFor(() => expect(readers.every((reader) => reader.signal.aborted)).toBe(true));
    expect([aborts(), jobs.counts.running]).toEqual([0, 1]);
    open();
    await jobs.follow(id!).ended();
    leaves.push(view.attach());
    await reached(view, "completed");
    expect(view.getSnapshot().logs.map(({ text }) => text)).toEqual(["begun", "through"]);
  });
});
