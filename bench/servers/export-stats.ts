// What an export costs the process that serves it: `/stats` tells the event-loop delay since the last reply began, and the peak RSS.

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface ServerStats {
  readonly loopP99Ms: number;
  readonly peakRssMb: number;
  /** What the process had before the first reply. */
  readonly startRssMb: number;
}

const startRssMb = process.resourceUsage().maxRSS / 1_024;

/** Serves `listener` with the number of rows asked for by the path. */
export function serveExport(listener: RequestListener): void {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (incoming.url === "/stats") {
      const stats: ServerStats = {
        loopP99Ms: Math.max(0, delay.percentile(99) / 1e6 - 1), // the histogram holds the timer's own millisecond too
        peakRssMb: process.resourceUsage().maxRSS / 1_024,
        startRssMb,
      };
      outgoing.end(JSON.stringify(stats));
      return;
    }
    delay.reset();
    listener(incoming, outgoing);
  }).listen(0, "127.0.0.1");
}

/** The count of rows in a path such as `/1000000`. */
export function countIn(url: string | undefined): number {
  return Number((url ?? "/").split("/").at(-1));
}
