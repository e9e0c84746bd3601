// The options of openStream with their defaults, and with limits that fit together.

import type { ConnectionLimits } from "./connection-state.ts";
import type { BodyFormat } from "./response.ts";
import type { Fetch, OpenOptions } from "./stream-types.ts";

const DEFAULT_MIN_DELAY_MS = 500;
const DEFAULT_MAX_DELAY_MS = 30_000;
const DEFAULT_IDLE_MS = 45_000;
const DEFAULT_MAX_QUEUED_ITEMS = 1000;

/** What a connection runs with. */
export interface OpenDefaults {
  readonly fetch: Fetch;
  readonly idleMs: number;
  readonly maxQueuedItems: number;
  readonly limits: ConnectionLimits;
}

/** Fills in what was not given. A maximum below its minimum is raised to it. */
export function withDefaults<T>(options: OpenOptions<T>): OpenDefaults {
  const minDelayMs = Math.max(0, options.minDelayMs ?? DEFAULT_MIN_DELAY_MS);
  return {
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    idleMs: options.idleMs ?? DEFAULT_IDLE_MS,
    maxQueuedItems: Math.max(1, options.maxQueuedItems ?? DEFAULT_MAX_QUEUED_ITEMS),
    limits: {
      minDelayMs,
      maxDelayMs: Math.max(minDelayMs, options.maxDelayMs ?? DEFAULT_MAX_DELAY_MS),
      maxAttempts: Math.max(1, options.maxAttempts ?? Infinity),
    },
  };
}

/** Why a stream that was lost is not asked for again, and what to do about it. */
export function whyNotAgain(format: BodyFormat | undefined, answered: boolean): string {
  if (format === "ndjson" || format === "text") {
    return "Rows and text have no cursor to come back with; use server-sent events where a cut must be repaired.";
  }
  return answered
    ? "It was begun by a request that is not repeated; give a resumeUrl to come back with a GET."
    : "The request is not repeated, as it may have reached the server.";
}
