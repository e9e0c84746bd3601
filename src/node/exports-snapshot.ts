// An export as its job tells it.

import { type JobEventOptions, jobEvent } from "../jobs/job-events.ts";
import type { JobItem, JobSnapshot } from "../wire/job-items.ts";
import type { SseEvent } from "../wire/sse-encode.ts";
import type { ExportResult, ExportSnapshot } from "./exports-types.ts";

const KIND_PREFIX = "export.";

/** The kind of job that makes exports of that name. */
export function kindOf(name: string): string {
  return KIND_PREFIX + name;
}

/** `job` as an export; undefined if it is another kind of job. */
export function exportOf(job: JobSnapshot | undefined, nowMs: number): ExportSnapshot | undefined {
  if (job?.kind?.startsWith(KIND_PREFIX) !== true) return undefined;
  const result = job.state === "completed" ? (job.result as ExportResult | undefined) : undefined;
  return {
    ...(job as JobSnapshot<ExportResult>),
    name: job.kind.slice(KIND_PREFIX.length),
    rows: result?.rows ?? job.progress?.done ?? 0,
    bytes: result?.bytes ?? bytesIn(job.progress?.note),
    ...(result === undefined
      ? {}
      : { sha256: result.sha256, filename: result.filename, expiresAtMs: result.expiresAtMs }),
    isExpired: result !== undefined && nowMs >= result.expiresAtMs,
  };
}

/** How many bytes are written, as the note of a job's progress: `1,234 bytes`. */
export function bytesNote(bytes: number): string {
  return `${bytes.toLocaleString("en")} bytes`;
}

function bytesIn(note: string | undefined): number {
  const [, digits] = /^([\d,]+) bytes$/.exec(note ?? "") ?? [];
  return digits === undefined ? 0 : Number(digits.replaceAll(",", ""));
}

/**
 * The event of an item of an export, for `sse(request, exports.follow(id), { toEvent: exportEvent })`: as `jobEvent`, with the `bytes` that are
 * written beside the rows that are `done`.
 */
export function exportEvent(item: JobItem, options: JobEventOptions = {}): SseEvent {
  const event = jobEvent(item, options);
  return item.type === "progress"
    ? { ...event, data: { ...(event.data as object), bytes: bytesIn(item.note) } }
    : event;
}
