// An upload's progress as a named stream, so that any tab, device or process can follow it.

import { isTailraceError } from "../errors.ts";
import type { StreamConfig } from "../log/store.ts";
import type { Streams } from "../log/streams.ts";
import { isEndState, type UploadProgress } from "./progress.ts";

/** A progress stream keeps its last 1,000 reports, for a day after it was last looked at. */
const DEFAULTS: StreamConfig = { maxItems: 1_000, ttlMs: 86_400_000 };

/**
 * Makes the `publish` of a `ProgressReporter`: every report becomes an item of the stream `name`, and the last one ends it, as
 * `completed` or as `failed` (an upload that failed or expired). Follow it with `sse(request, streams.follow(name))`; the newest report
 * alone is `streams.follow(name, { last: 1 })`.
 *
 * The name should be one that cannot be guessed, such as the upload's id, and the route that shows it should ask who may look.
 */
export function publishTo(
  streams: Streams,
  name: string,
  config: StreamConfig = DEFAULTS,
): (progress: UploadProgress) => Promise<void> {
  let made: Promise<void> | undefined;
  async function make(): Promise<void> {
    try {
      await streams.create(name, config);
    } catch (error) {
      // Somebody made it before with limits of their own: those hold.
      if (!isTailraceError(error, "stream_exists")) throw error;
    }
  }
  return async (progress) => {
    made ??= make();
    try {
      await made;
    } catch (error) {
      made = undefined; // the next report tries again
      throw error;
    }
    const reason = progress.state === "complete" ? "completed" : "failed";
    await streams.append(name, [progress], isEndState(progress.state) ? { end: { reason } } : {});
  };
}
