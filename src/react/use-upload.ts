"use client";
// Uploads in a component: the thin skin over the framework-free view of a queue.

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { UploadView, type UploadViewOptions, type UploadViewSnapshot } from "../client/upload-view.ts";

/** Options of {@link useUpload}. A new object on each render is fine; a new address or queue makes a new list. */
export type UseUploadOptions = UploadViewOptions;

/** What {@link useUpload} gives. */
export interface UseUpload extends UploadViewSnapshot {
  /** Adds files, as an input or a drop gives them; they begin as the queue has turns. */
  readonly add: (files: Iterable<File> | ArrayLike<File>) => void;
  readonly pause: (id: string) => void;
  /** Goes on with a paused upload; a failed one begins again, from what the server has. */
  readonly resume: (id: string) => void;
  /** Takes an upload out of the list, and aborts it if it is not over. */
  readonly remove: (id: string) => void;
}

/**
 * Uploads files to `url`, a few at a time, with at most one render per animation frame. When the component is unmounted
 * what runs goes on, unless `onUnmount` is `"abort"`; give a `queue` that lives outside of components to see it again.
 *
 * Put `announcement` into a visually hidden element with `role="status"`.
 *
 * @example
 * const { uploads, add, pause, resume, remove } = useUpload("/api/tus/");
 */
export function useUpload(url: string | URL, options: UseUploadOptions = {}): UseUpload {
  const address = String(url);
  const { queue } = options;
  const [held, hold] = useState(() => ({ view: new UploadView(address, options), queue }));
  let { view } = held;
  if (view.url !== address || held.queue !== queue) {
    view = new UploadView(address, options);
    hold({ view, queue });
  }
  useEffect(() => {
    view.setOptions(options);
  });
  useEffect(() => view.attach(), [view]);
  const snapshot = useSyncExternalStore(view.subscribe, view.getSnapshot, view.getServerSnapshot);
  const actions = useMemo(
    () => ({
      add: (files: Iterable<File> | ArrayLike<File>) => view.add(files),
      pause: (id: string) => view.pause(id),
      resume: (id: string) => view.resume(id),
      remove: (id: string) => view.remove(id),
    }),
    [view],
  );
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}
