// The end of uploads that nobody finished.

import { systemClock } from "../../clock.ts";
import type { ResumableOptions } from "./options.ts";
import { endReport } from "./progress-registry.ts";

/**
 * Removes the uploads that have expired, and tells their progress so. Call it now and then, for example once an hour; a second process may
 * do so too. Gives how many were removed.
 */
export async function sweepUploads(options: Pick<ResumableOptions, "storage" | "progress" | "clock">): Promise<number> {
  const swept = await options.storage.sweep((options.clock ?? systemClock).now());
  for (const upload of swept) endReport(options, upload, "expired");
  return swept.length;
}
