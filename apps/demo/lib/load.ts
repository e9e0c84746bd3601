// The server's own load, measured once a second for as long as somebody watches.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { streams } from "./streams.ts";

export interface Load {
  /** ISO 8601. */
  readonly at: string;
  /** 0 to 1 of one core, and above with several. */
  readonly cpu: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** The 99th percentile of the last second. */
  readonly eventLoopDelayMs: number;
  /** Streams that this process follows or writes. */
  readonly followers: number;
  /** Runs that this process writes. */
  readonly runs: number;
}

const SAMPLE_MS = 1_000;
const RESOLUTION_MS = 10;

export async function* measureLoad(signal: AbortSignal): AsyncGenerator<Load, void, undefined> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let cpu = process.cpuUsage();
  let since = performance.now();
  try {
    while (!signal.aborted) {
      await sleep(SAMPLE_MS, undefined, { signal });
      const used = process.cpuUsage(cpu);
      const elapsedMs = performance.now() - since;
      const { rss, heapUsed } = process.memoryUsage();
      yield {
        at: new Date().toISOString(),
        cpu: (used.user + used.system) / 1_000 / elapsedMs,
        rssBytes: rss,
        heapBytes: heapUsed,
        // The histogram counts the timer's own period too.
        eventLoopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS),
        followers: streams.counts.channels,
        runs: streams.counts.runs,
      };
      cpu = process.cpuUsage();
      since = performance.now();
      delay.reset();
    }
  } finally {
    delay.disable();
  }
}
