// Which unfinished uploads this tab began: what the browser remembers of uploads, it remembers for all its tabs.

"use client";

/** In the session's storage: that of one tab, kept over a reload. */
const KEY = "tailrace.tab-uploads";
/** The newest are kept; the client remembers no more either. */
const MAX_KEPT_COUNT = 100;

const NONE: ReadonlySet<string> = new Set();

/** The ids that {@link keepTabUploads} was told of, also before a reload. */
export function readTabUploads(): ReadonlySet<string> {
  try {
    const ids: unknown = JSON.parse(window.sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? new Set(ids.filter((id) => typeof id === "string")) : NONE;
  } catch {
    // On a server, and where the storage is shut or damaged.
    return NONE;
  }
}

export function keepTabUploads(ids: readonly string[]): void {
  const kept = [...new Set([...readTabUploads(), ...ids])].slice(-MAX_KEPT_COUNT);
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Then an upload that was cut off is shown once the server has noticed.
  }
}
