// Attempts until one succeeds: back-off with jitter, Retry-After, a limit, and what there is to show of it.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { ConnectionLimits } from "./connection-state.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { waitForRetry } from "./transfer-wait.ts";

/** What `Retry-After` asked for, as the request left it in the error's details. */
function retryAfterOf(error: TailraceError): number | undefined {
  const ms = error.details["retryAfterMs"];
  return typeof ms === "number" ? ms : undefined;
}

function asTailraceError(error: unknown): TailraceError {
  if (isTailraceError(error)) return error;
  return new TailraceError("source_failed", "The transfer failed by a fault of its own; see the cause.", {
    cause: error,
  });
}

/** Whether the same request may succeed later: it was lost on the way, or the server said so. */
export function isLost(error: TailraceError): boolean {
  return error.code === "connection_failed";
}

/** The attempts of one request or chain of requests. */
export class Retries {
  /** Attempts lost in a row. */
  attempt = 0;
  /** When the next attempt is due, in milliseconds since 1970; null while none is awaited. */
  retryAt: number | null = null;
  /** Why the last attempt was lost; null once there was progress. */
  error: TailraceError | null = null;
  readonly #limits: ConnectionLimits;
  readonly #changed: () => void;

  constructor(limits: ConnectionLimits, changed: () => void) {
    this.#limits = limits;
    this.#changed = changed;
  }

  /** New bytes have arrived: the next loss is the first again. */
  progressed(): void {
    this.attempt = 0;
    this.error = null;
  }

  /** Runs `once` until it succeeds, fails with what no other attempt can mend, or the signal aborts. */
  async run<R>(
    once: (signal: AbortSignal) => Promise<R>,
    signal: AbortSignal,
    mayRepeat: (error: TailraceError) => boolean = isLost,
  ): Promise<R> {
    this.progressed();
    for (;;) {
      try {
        signal.throwIfAborted();
        return await once(signal);
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        const error = asTailraceError(cause);
        if (!mayRepeat(error)) throw error;
        await this.#wait(error, signal);
      }
    }
  }

  async #wait(error: TailraceError, signal: AbortSignal): Promise<void> {
    this.attempt += 1;
    if (this.attempt >= this.#limits.maxAttempts) {
      const message =
        `The transfer was lost after ${this.attempt} attempts in a row without one new byte; the last said: ` +
        `${error.message} Raise maxAttempts to keep trying.`;
      const details = { ...error.details, attempts: this.attempt };
      throw new TailraceError("connection_failed", message, { cause: error, details });
    }
    const retryAfterMs = retryAfterOf(error) ?? 0;
    const backOffMs = retryDelayMs(this.attempt, this.#limits.minDelayMs, this.#limits, Math.random());
    const ms = Math.max(backOffMs, retryAfterMs);
    this.error = error;
    this.retryAt = Date.now() + ms;
    this.#changed();
    try {
      await waitForRetry(ms, retryAfterMs, signal);
    } finally {
      this.retryAt = null;
    }
    this.#changed();
  }
}
