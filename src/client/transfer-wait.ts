// Waiting that can be called off: for a promise that may never settle, and for the time of the next attempt.

import { listenForWake } from "./wake.ts";

/** The longest time that a platform timer can be set to; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Settles with `promise`, or rejects with the signal's reason when that aborts first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Waits for `ms`, or until the browser comes online or the page is shown again, but never less than `atLeastMs` (what a
 * `Retry-After` asks for). Rejects with the signal's reason.
 */
export function waitForRetry(ms: number, atLeastMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const notBefore = Date.now() + atLeastMs;
    const release = (): void => {
      clearTimeout(timer);
      stopListening();
      signal.removeEventListener("abort", abort);
    };
    const end = (): void => {
      release();
      resolve();
    };
    const abort = (): void => {
      release();
      reject(signal.reason as Error);
    };
    const wake = (): void => {
      if (Date.now() >= notBefore) end();
    };
    const nothing = (): void => undefined;
    const timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS));
    const stopListening = listenForWake({ onWake: wake, onStale: wake, onHidden: nothing, onShown: nothing });
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
  });
}
