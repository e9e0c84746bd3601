// Injectable time: what leases, heartbeats and expiry read, so that tests can make the clock jump.

/** A source of time. `now` is in milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. The timer does not keep a process alive. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    unref(timer);
    return () => clearTimeout(timer);
  },
};

/** Lets a process exit although this timer is pending. In browsers and on edge runtimes timers are numbers: nothing to do. */
export function unref(timer: unknown): void {
  if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function")
    timer.unref();
}

/**
 * Calls `callback` once the current turn of the event loop is over: what becomes ready in one turn is written as one
 * chunk. The returned function cancels it.
 */
export function afterTurn(callback: () => void): () => void {
  // setImmediate runs after pending I/O of this turn; setTimeout(0) costs at least a millisecond on Node.
  if (typeof setImmediate === "function") {
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  }
  const timer = setTimeout(callback, 0);
  return () => clearTimeout(timer);
}
