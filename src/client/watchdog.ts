// Notices silence: a connection without one byte for too long is dead, whatever the socket says.

/**
 * The longest time between two looks at the clock. A machine that sleeps stops its timers too, and one that was set for long would run
 * on for all of that after it woke, where the clock says at once that nothing has come.
 */
const MAX_STEP_MS = 5_000;

/** Watches one attempt. */
export interface Watchdog {
  /** A sign of life. */
  touch(): void;
  /** Stops the watch while the reader is the one who is slow; `touch` starts it again. */
  rest(): void;
  stop(): void;
}

/**
 * Calls `onIdle` once when nothing has touched the watchdog for `idleMs`, by the clock on the wall. One timer, set again only when
 * it fires: a fast stream costs no timer per chunk.
 */
export function startWatchdog(idleMs: number, onIdle: () => void): Watchdog {
  let touchedAt: number | undefined = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = (ms: number): void => {
    timer = setTimeout(check, Math.min(ms, MAX_STEP_MS));
  };
  const check = (): void => {
    if (touchedAt === undefined) return arm(idleMs);
    const left = touchedAt + idleMs - Date.now();
    if (left > 0) return arm(left);
    timer = undefined;
    onIdle();
  };
  if (Number.isFinite(idleMs)) arm(idleMs);
  return {
    touch() {
      touchedAt = Date.now();
    },
    rest() {
      touchedAt = undefined;
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
