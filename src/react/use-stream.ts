"use client";
// A stream in a component: the window of items, the state, and a stop that reaches the server.

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { type StreamSnapshot, StreamView, type StreamViewOptions } from "../client/stream-view.ts";

/** Options of {@link useStream}. A new object on each render is fine: only a new address opens a new connection. */
export type UseStreamOptions<T, S = undefined> = StreamViewOptions<T, S>;

/** What {@link useStream} gives. */
export interface UseStream<T, S = undefined> extends StreamSnapshot<T, S> {
  /** Leaves the stream. What the server runs goes on. */
  readonly close: () => void;
  /** Follows again from the last cursor; the items stay. */
  readonly reconnect: () => void;
  /** Ends what the server runs (a DELETE of the address). False, with the reason in `error`, when that failed. */
  readonly stop: () => Promise<boolean>;
}

/**
 * Follows a stream while the component is mounted. With `null` as the address it does nothing.
 *
 * Items arrive at most once per animation frame, a replay as one, changes of the state and the end at once.
 *
 * @example
 * const { items, status, stop, error } = useStream<Notification>("/api/events");
 */
export function useStream<T = unknown, S = undefined>(
  url: string | URL | null,
  options: UseStreamOptions<T, S> = {},
): UseStream<T, S> {
  const address = url === null ? null : String(url);
  const [held, hold] = useState(() => new StreamView<T, S>(address, options));
  let view = held;
  if (held.url !== address) {
    view = new StreamView<T, S>(address, options);
    hold(view);
  }
  useEffect(() => {
    view.setOptions(options);
  });
  useEffect(() => view.attach(), [view]);
  const snapshot = useSyncExternalStore(view.subscribe, view.getSnapshot, view.getServerSnapshot);
  const actions = useMemo(
    () => ({ close: () => view.close(), reconnect: () => view.reconnect(), stop: () => view.stop() }),
    [view],
  );
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}
