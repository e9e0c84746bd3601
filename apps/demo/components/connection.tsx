// The state of a stream's connection in words, with the seconds until it is tried again.

"use client";

import { type ReactElement, useEffect, useState } from "react";
import type { StreamSnapshot } from "tailrace/react";

type State = Pick<StreamSnapshot<unknown>, "status" | "attempt" | "retryAt">;

const TICK_MS = 250;

export function Connection({ state }: { readonly state: State }): ReactElement {
  const seconds = useSecondsUntil(state.retryAt);
  return (
    <span className="connection" data-testid="connection" data-status={state.status}>
      {connectionWords(state, seconds)}
    </span>
  );
}

/** Whole seconds until `time`, counting down; null without one. */
function useSecondsUntil(time: number | null): number | null {
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (time === null) return undefined;
    const tick = (): void => setNow(Date.now());
    tick();
    const timer = setInterval(tick, TICK_MS);
    return () => clearInterval(timer);
  }, [time]);
  return time === null || now === 0 ? null : Math.max(0, Math.ceil((time - now) / 1_000));
}

/** `seconds`: until the next attempt. */
export function connectionWords({ status, attempt }: State, seconds: number | null): string {
  switch (status) {
    case "idle":
      return "Not connected";
    case "connecting":
      return attempt > 0 ? "Reconnecting…" : "Connecting…";
    case "open":
      return "Connected";
    case "waiting":
      return seconds === null || seconds === 0 ? "Reconnecting…" : `Cut. Reconnecting in ${seconds} s`;
    case "paused":
      return "Paused";
    case "done":
      return "Ended";
    case "failed":
      return "Disconnected";
  }
}
