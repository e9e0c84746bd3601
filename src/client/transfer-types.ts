// What uploads and downloads have in common: the options of their requests, and how fast they go.

import type { Fetch, HeadersSource } from "./stream-types.ts";

/** Options of the requests of a transfer. */
export interface TransferOptions {
  /** Headers, or a function that makes them anew for each request (a fresh token, say). Its `lastEventId` is empty. */
  readonly headers?: HeadersSource | undefined;
  /** @default "same-origin" */
  readonly credentials?: RequestCredentials | undefined;
  readonly fetch?: Fetch | undefined;
  /** Aborting it aborts the transfer; what the server has stays there. */
  readonly signal?: AbortSignal | undefined;
  /** Shortest wait before another attempt. @default 500 */
  readonly minDelayMs?: number | undefined;
  /** Longest wait before another attempt, unless `Retry-After` asks for more. @default 30000 */
  readonly maxDelayMs?: number | undefined;
  /**
   * Attempts lost in a row, without one new byte in between, after which the transfer has failed.
   * @default Infinity (the state shows `attempt` and `retryAt`, and the reader may give up)
   */
  readonly maxAttempts?: number | undefined;
  /** A request that shows no sign of life for so long counts as cut. @default 45000 */
  readonly idleMs?: number | undefined;
}

/** How fast a transfer goes. */
export interface TransferSpeed {
  /** Mean of the last 5 seconds; 0 while nothing moves. */
  readonly bytesPerSecond: number;
  /** Null while it cannot be told. */
  readonly remainingMs: number | null;
}
