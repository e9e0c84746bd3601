// One progress reporter for an upload, however many requests bring it: kept from its first request in this process to its end.

import type { ProgressReporter } from "../progress.ts";
import type { Settings } from "./options.ts";
import type { UploadInfo } from "./storage.ts";

/** Reporters that are kept. The one that was asked for least recently is closed to make room. */
export const MAX_REPORTER_COUNT = 10_000;

const REPORTERS: unique symbol = Symbol.for("tailrace.uploads.reporters.1");

/** One per process, though Next.js may load this module several times. In the order of their last use. */
function reporters(): Map<string, ProgressReporter> {
  const host = globalThis as { [REPORTERS]?: Map<string, ProgressReporter> };
  return (host[REPORTERS] ??= new Map());
}

type Reported = Pick<Settings, "storage" | "progress">;

function keyOf({ storage }: Reported, id: string): string {
  return `${storage.place}\0${id}`;
}

/** The reporter of `upload`, told how it stands; undefined where no progress is wanted. */
export function reporterOf(settings: Reported, upload: UploadInfo): ProgressReporter | undefined {
  const key = keyOf(settings, upload.id);
  const known = reporters().get(key);
  if (known !== undefined) {
    reporters().delete(key);
    reporters().set(key, known);
    return known;
  }
  const made = settings.progress?.(upload);
  if (made === undefined) return undefined;
  const [oldest] = reporters().size >= MAX_REPORTER_COUNT ? reporters().entries() : [];
  if (oldest !== undefined) {
    oldest[1].close();
    reporters().delete(oldest[0]);
  }
  reporters().set(key, made);
  if (upload.lengthBytes !== undefined) made.setTotal(upload.lengthBytes);
  if (upload.offset > 0) made.stored(upload.offset); // the server was started anew
  return made;
}

/** Before another process may have the upload: what this one has to tell is told, so that nobody is shown a step back. */
export async function settleReports(settings: Reported & Pick<Settings, "line">, id: string): Promise<void> {
  if (settings.line !== undefined) await reporters().get(keyOf(settings, id))?.flush();
}

/** Tells an end and lets the reporter go. */
export function endReport(
  settings: Reported,
  upload: UploadInfo,
  state: "complete" | "failed" | "expired",
  code?: Parameters<ProgressReporter["to"]>[1],
): void {
  const reporter = reporterOf(settings, upload);
  reporters().delete(keyOf(settings, upload.id));
  reporter?.to(state, code);
}

/** How many reporters are kept in this process: for tests. */
export function reporterCount(): number {
  return reporters().size;
}
