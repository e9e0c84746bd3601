// One download as something to look at: begun on request, at most one change per frame, and words for those who cannot
// see it.

import { createAttachment } from "./attachment.ts";
import { download } from "./download.ts";
import type { Download, DownloadOptions, DownloadSnapshot, DownloadStatus } from "./download-types.ts";
import { createFrameScheduler, type FrameScheduler } from "./frame.ts";
import { requestHeaders } from "./request.ts";
import { Store } from "./store.ts";

/** Options of a view. They are read when a download begins; `headers` anew for each request. */
export interface DownloadViewOptions extends Omit<DownloadOptions, "signal" | "to"> {
  readonly to?: Exclude<DownloadOptions["to"], "chunks"> | undefined;
  /** What happens to a download that runs when nobody looks any more. @default "abort" (nobody would get the file) */
  readonly onUnmount?: "continue" | "abort" | undefined;
}

/** What a view shows. Never changed: each change gives a new object. */
export interface DownloadViewSnapshot extends Omit<DownloadSnapshot, "status" | "result"> {
  /** `idle`: not begun, or cancelled. */
  readonly status: DownloadStatus | "idle";
  /** The file, once it is done and where it was gathered. */
  readonly blob: Blob | null;
  /** What the file is called, once it is done; else null. */
  readonly name: string | null;
  /** A sentence about what has just changed, for a live region. Progress alone says nothing. */
  readonly announcement: string;
}

const IDLE: DownloadViewSnapshot = {
  status: "idle",
  bytes: 0,
  totalBytes: null,
  bytesPerSecond: 0,
  remainingMs: null,
  attempt: 0,
  retryAt: null,
  restarted: 0,
  error: null,
  blob: null,
  name: null,
  announcement: "",
};

function announce({ status, error, restarted }: DownloadSnapshot, before: DownloadViewSnapshot): string {
  if (restarted > before.restarted) return "The file changed, the download begins anew";
  if (status === before.status) return before.announcement;
  if (status === "done") return "Download finished";
  if (status === "failed") return `Download failed: ${error?.message ?? ""}`;
  if (status === "waiting") return "Connection lost, the download will go on by itself";
  if (status === "paused") return "Download paused";
  return before.status === "idle" ? "Download started" : before.announcement;
}

/** A view of one address. */
export class DownloadView {
  readonly url: string;
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => DownloadViewSnapshot;
  readonly getServerSnapshot: () => DownloadViewSnapshot = () => IDLE;
  /** Looks. Returns the leave, after which a download that runs is aborted or goes on, as `onUnmount` says. */
  readonly attach: () => () => void;
  readonly #store = new Store<DownloadViewSnapshot>(IDLE);
  readonly #frame: FrameScheduler;
  #options: DownloadViewOptions;
  #download: Download | undefined;

  constructor(url: string, options: DownloadViewOptions = {}) {
    this.url = url;
    this.#options = options;
    this.subscribe = this.#store.subscribe;
    this.getSnapshot = this.#store.getSnapshot;
    this.#frame = createFrameScheduler(() => this.#commit());
    this.attach = createAttachment(
      () => this.#commit(),
      () => {
        if (this.#options.onUnmount === "continue") return this.#frame.cancel();
        if (this.#isRunning()) this.cancel();
      },
    );
  }

  /** Sets the options as they are now. */
  setOptions(options: DownloadViewOptions): void {
    this.#options = options;
  }

  /** Begins, again if it is over. Without effect while it runs. Throws what `download` throws at once. */
  start(): void {
    if (this.#isRunning()) return;
    const { onUnmount: _onUnmount, ...options } = this.#options;
    const headers: DownloadOptions["headers"] = async (info) => requestHeaders(this.#options.headers, info);
    const begun = download(this.url, { ...options, headers });
    this.#download = begun;
    this.#store.set(IDLE);
    begun.subscribe(() => this.#changed(begun));
    this.#commit();
  }

  pause(): void {
    this.#download?.pause();
  }

  resume(): void {
    this.#download?.resume();
  }

  /** Aborts what runs and forgets what there was. */
  cancel(): void {
    const cancelled = this.#download;
    this.#download = undefined;
    cancelled?.abort();
    this.#commit();
  }

  #isRunning(): boolean {
    const status = this.#download?.state.status;
    return status !== undefined && status !== "done" && status !== "failed";
  }

  #changed(changed: Download): void {
    if (changed !== this.#download) return;
    const { status } = changed.state;
    // The ends and the reader's own doing are shown at once.
    if (status === "done" || status === "failed" || status === "paused") this.#commit();
    else this.#frame.schedule();
  }

  #commit(): void {
    this.#frame.cancel();
    const state = this.#download?.state;
    if (state === undefined) return this.#store.set(IDLE);
    const { result, ...shown } = state;
    const announcement = announce(state, this.getSnapshot());
    this.#store.set({ ...shown, blob: result?.blob ?? null, name: result?.name ?? null, announcement });
  }
}
