// A job's items as server-sent events (PROTOCOL.md, section 6).

import type { SseEvent } from "../wire/sse-encode.ts";
import type { JobItem } from "../wire/job-items.ts";

export interface JobEventOptions {
  /** Readers see what the job was started with. Default false: it may hold what is none of their business. */
  readonly showsInput?: boolean | undefined;
}

/**
 * The event of an item, for `sse(request, jobs.follow(id), { toEvent: jobEvent })`: `state`, `progress`, `log`, `result` and
 * `failure`, each with its members as data. A checkpoint is for the task alone: its block has an id and dispatches nothing.
 */
export function jobEvent(item: JobItem, options: JobEventOptions = {}): SseEvent {
  if (item.type === "checkpoint") return { comment: "checkpoint" };
  const { type, ...data } = item;
  if ("input" in data && options.showsInput !== true) {
    const { input: _input, ...rest } = data;
    return { event: type, data: rest };
  }
  return { event: type, data };
}
