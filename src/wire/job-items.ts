// What stands in a job's stream, and the snapshot that it folds into: one fold for the server and for the browser.

import type { End, EndReason } from "./format.ts";

/** How a job stands. The last four are ends: nothing comes after them. */
export type JobState = "queued" | "running" | EndReason;

/** The job waits for its turn. The first item of every job, and again with each change of a place among the first 20. */
export interface JobQueuedItem {
  readonly type: "state";
  readonly state: "queued";
  readonly kind?: string | undefined;
  /** What the job was started with. Left out of what readers are sent, unless the route asks for it. */
  readonly input?: unknown;
  /** The job whose kind and input this one has taken over. */
  readonly retryOf?: string | undefined;
  /** The place in the queue of its process: 1 is the next one, 0 starts at once. */
  readonly position?: number | undefined;
  /** When it was started, by the server's clock; absent where only the place has changed. */
  readonly atMs?: number | undefined;
  /** True where another process goes on with a job whose own has died. */
  readonly carriedOn?: boolean | undefined;
}

/** The job's turn has come. */
export interface JobRunningItem {
  readonly type: "state";
  readonly state: "running";
  readonly atMs: number;
}

/** How far a job has come: what its task reported, and what follows from it. */
export interface JobProgress {
  readonly done: number;
  readonly total?: number | undefined;
  /** 0 to 1; absent without a total. */
  readonly fraction?: number | undefined;
  /** 0 to 100, whole, and 100 only when all is done. */
  readonly percent?: number | undefined;
  /** Over the last 30 s; 0 when nothing moves. */
  readonly ratePerSecond: number;
  /** The time left at that rate, in milliseconds; absent while the total or the rate is unknown. */
  readonly remainingMs?: number | undefined;
  /** What the task is at, in its own words. */
  readonly note?: string | undefined;
  readonly atMs: number;
}

export type JobLogLevel = "debug" | "info" | "warn" | "error";

/** One line that a task has logged. */
export interface JobLogLine {
  readonly level: JobLogLevel;
  readonly text: string;
  readonly atMs: number;
}

/** Why a job failed, where its task said so for its readers. */
export interface JobFailure {
  readonly message: string;
  readonly code?: string | undefined;
}

/** An item of a job's stream. */
export type JobItem<Result = unknown> =
  | JobQueuedItem
  | JobRunningItem
  | ({ readonly type: "progress" } & JobProgress)
  | ({ readonly type: "log" } & JobLogLine)
  /** From where the job can be carried on. Not for its readers. */
  | { readonly type: "checkpoint"; readonly value: unknown }
  | { readonly type: "result"; readonly value?: Result | undefined; readonly atMs: number }
  | ({ readonly type: "failure"; readonly atMs: number } & JobFailure);

/** A job as it stands. Never changed: each change gives a new object. */
export interface JobSnapshot<Result = unknown> {
  readonly id: string;
  /** Absent until the first item is known. */
  readonly kind?: string | undefined;
  readonly state: JobState;
  readonly input?: unknown;
  /** The place in the queue while it is `queued`, where it is known: 1 is the next one. */
  readonly position?: number | undefined;
  readonly progress?: JobProgress | undefined;
  /** What the task returned. */
  readonly result?: Result | undefined;
  readonly failure?: JobFailure | undefined;
  readonly end?: End | undefined;
  /** When it was put into the queue, in milliseconds since 1970 by the server's clock; so are the next two. */
  readonly createdAtMs?: number | undefined;
  readonly startedAtMs?: number | undefined;
  /** When it ended. Of a job that was stopped or interrupted: its last sign of life. */
  readonly endedAtMs?: number | undefined;
  readonly retryOf?: string | undefined;
  readonly lastLog?: JobLogLine | undefined;
  /** How often another process has gone on with it. */
  readonly carriedOnCount: number;
  /** The time of the last item that has one. */
  readonly lastAtMs?: number | undefined;
}

/** A job of which nothing is known but its id. */
export function emptyJob<Result = unknown>(id: string): JobSnapshot<Result> {
  return { id, state: "queued", carriedOnCount: 0 };
}

/** `job` with one more item. An item of a type that is not known changes nothing. */
export function foldJob<Result>(job: JobSnapshot<Result>, item: JobItem<Result>): JobSnapshot<Result> {
  switch (item.type) {
    case "state":
      return item.state === "queued" ? foldQueued(job, item) : foldRunning(job, item);
    case "progress": {
      const { type: _type, ...progress } = item;
      return { ...job, progress, lastAtMs: later(job, item.atMs) };
    }
    case "log": {
      const { type: _type, ...lastLog } = item;
      return { ...job, lastLog, lastAtMs: later(job, item.atMs) };
    }
    case "result":
      return { ...job, result: item.value, lastAtMs: later(job, item.atMs) };
    case "failure": {
      const { message, code } = item;
      return { ...job, failure: { message, ...(code === undefined ? {} : { code }) }, lastAtMs: later(job, item.atMs) };
    }
    case "checkpoint":
      return job;
  }
  return job; // written by a later version
}

function foldQueued<Result>(job: JobSnapshot<Result>, item: JobQueuedItem): JobSnapshot<Result> {
  const { kind, input, retryOf, position, atMs, carriedOn = false } = item;
  return {
    ...job,
    state: "queued",
    position,
    ...(kind === undefined ? {} : { kind }),
    ...(input === undefined ? {} : { input }),
    ...(retryOf === undefined ? {} : { retryOf }),
    ...(atMs === undefined ? {} : { createdAtMs: job.createdAtMs ?? atMs, lastAtMs: later(job, atMs) }),
    carriedOnCount: job.carriedOnCount + (carriedOn ? 1 : 0),
  };
}

function foldRunning<Result>(job: JobSnapshot<Result>, { atMs }: JobRunningItem): JobSnapshot<Result> {
  const { position: _position, ...rest } = job;
  return { ...rest, state: "running", startedAtMs: job.startedAtMs ?? atMs, lastAtMs: later(job, atMs) };
}

/** Progress may be told twice, the second time behind later lines. */
function later(job: JobSnapshot, atMs: number): number {
  return Math.max(job.lastAtMs ?? atMs, atMs);
}

/** `job` with its end. */
export function endJob<Result>(job: JobSnapshot<Result>, end: End): JobSnapshot<Result> {
  const { position: _position, ...rest } = job;
  const endedAtMs = job.lastAtMs;
  return { ...rest, state: end.reason, end, ...(endedAtMs === undefined ? {} : { endedAtMs }) };
}
