"use client";
// A download in a component: the thin skin over the framework-free view.

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { DownloadView, type DownloadViewOptions, type DownloadViewSnapshot } from "../client/download-view.ts";

/** Options of {@link useDownload}. A new object on each render is fine: only a new address makes a new download. */
export type UseDownloadOptions = DownloadViewOptions;

/** What {@link useDownload} gives. */
export interface UseDownload extends DownloadViewSnapshot {
  /** Begins, again if it is over. Without effect while it runs. */
  readonly start: () => void;
  readonly pause: () => void;
  /** Goes on with what is missing. */
  readonly resume: () => void;
  /** Aborts what runs and forgets what there was. */
  readonly cancel: () => void;
}

/**
 * Downloads `url` when `start` is called, with at most one render per animation frame. When the component is unmounted a
 * download that runs is aborted, unless `onUnmount` is `"continue"` (for one that goes to a stream).
 *
 * Put `announcement` into a visually hidden element with `role="status"`.
 *
 * @example
 * const { status, bytes, totalBytes, start, pause, resume, blob, name } = useDownload("/api/download/report.pdf");
 */
export function useDownload(url: string | URL, options: UseDownloadOptions = {}): UseDownload {
  const address = String(url);
  const [held, hold] = useState(() => new DownloadView(address, options));
  let view = held;
  if (held.url !== address) {
    view = new DownloadView(address, options);
    hold(view);
  }
  useEffect(() => {
    view.setOptions(options);
  });
  useEffect(() => view.attach(), [view]);
  const snapshot = useSyncExternalStore(view.subscribe, view.getSnapshot, view.getServerSnapshot);
  const actions = useMemo(
    () => ({
      start: () => view.start(),
      pause: () => view.pause(),
      resume: () => view.resume(),
      cancel: () => view.cancel(),
    }),
    [view],
  );
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}
