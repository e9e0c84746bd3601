"use client";
// A job in a component: the thin skin over the framework-free view of one.

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { JobView, type JobViewOptions, type JobViewSnapshot } from "../client/job-view.ts";

/** Options of {@link useJob}. A new object on each render is fine; only a new `api` or `id` changes what is followed. */
export type UseJobOptions = JobViewOptions;

/** What {@link useJob} gives. */
export interface UseJob<Result = unknown> extends JobViewSnapshot<Result> {
  /** Starts a job and follows it. Gives its id, to be put into the page's address; null when that failed. */
  readonly start: (kind: string, input?: object) => Promise<string | null>;
  /** Cancels the job. False, with the reason in `error`, when that failed. */
  readonly cancel: () => Promise<boolean>;
  /** Starts a new job of the same kind and input, and follows it. */
  readonly retry: () => Promise<string | null>;
  /** Follows another job, or none. */
  readonly follow: (id: string | null) => void;
}

/**
 * Starts a job, or follows the one of `id`, with at most one render per animation frame. Unmounting leaves the job alone: it
 * goes on, and is found again by its id.
 *
 * Put `announcement` into a visually hidden element with `role="status"`.
 *
 * @example
 * const { status, job, logs, start, cancel, retry } = useJob({ id: searchParams.get("job") });
 */
export function useJob<Result = unknown>(options: UseJobOptions = {}): UseJob<Result> {
  const { api = "/api/jobs", id } = options;
  const [held, hold] = useState(() => new JobView<Result>(options));
  let view = held;
  if (held.api !== api) {
    view = new JobView<Result>(options);
    hold(view);
  }
  useEffect(() => {
    view.setOptions(options);
  });
  useEffect(() => {
    // Without an `id` the view follows what it has started.
    if (id !== undefined) view.follow(id);
  }, [view, id]);
  useEffect(() => view.attach(), [view]);
  const snapshot = useSyncExternalStore(view.subscribe, view.getSnapshot, view.getServerSnapshot);
  const actions = useMemo(
    () => ({
      start: (kind: string, input?: object) => view.start(kind, input),
      cancel: () => view.cancel(),
      retry: () => view.retry(),
      follow: (other: string | null) => view.follow(other),
    }),
    [view],
  );
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}
