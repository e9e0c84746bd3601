// The uploads of a queue as something to look at: at most one change per frame, and words for those who cannot see it.

import { createAttachment } from "./attachment.ts";
import { createFrameScheduler } from "./frame.ts";
import { requestHeaders } from "./request.ts";
import { Store } from "./store.ts";
import { createUploadQueue, type UploadQueue, type UploadTotals } from "./upload-queue.ts";
import type { UploadOptions, UploadSnapshot, UploadStatus } from "./upload-types.ts";

/** Options of a view. They are read when a file is added; `headers` anew for each request. */
export interface UploadViewOptions extends Omit<
  UploadOptions,
  "signal" | "name" | "sha256" | "fingerprint" | "uploadId"
> {
  /** `true`: compute each file's SHA-256 first, for the server to check. */
  readonly sha256?: true | undefined;
  /** How many files are sent at the same time, where the view makes its own queue. @default 3 */
  readonly concurrency?: number | undefined;
  /** A queue that is shared with others. Default: one of its own. */
  readonly queue?: UploadQueue | undefined;
  /** What happens to uploads that run when nobody looks any more. @default "continue" */
  readonly onUnmount?: "continue" | "abort" | undefined;
}

/** One file. */
export interface UploadItem extends UploadSnapshot {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

/** What a view shows. Never changed: each change gives a new object. */
export interface UploadViewSnapshot {
  readonly uploads: readonly UploadItem[];
  readonly totals: UploadTotals;
  /** A sentence about what has just changed, for a live region. Progress alone says nothing. */
  readonly announcement: string;
}

function announce(item: UploadItem, { files, done }: UploadTotals): string | undefined {
  if (item.status === "done") return `${item.name} uploaded, ${done} of ${files}`;
  if (item.status === "failed") {
    return item.error?.code === "aborted"
      ? `${item.name} stopped`
      : `${item.name} failed: ${item.error?.message ?? ""}`;
  }
  if (item.status === "waiting") return `${item.name} lost the connection and will go on by itself`;
  if (item.status === "paused") return `${item.name} paused`;
  return undefined;
}

/** A view of a queue. */
export class UploadView {
  readonly url: string;
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => UploadViewSnapshot;
  readonly getServerSnapshot: () => UploadViewSnapshot;
  /** Listens to the queue. Returns the leave, after which uploads go on or are aborted, as `onUnmount` says. */
  readonly attach: () => () => void;
  readonly #queue: UploadQueue;
  readonly #store: Store<UploadViewSnapshot>;
  #options: UploadViewOptions;
  #statuses = new Map<string, UploadStatus>();
  #announcement = "";

  constructor(url: string, options: UploadViewOptions = {}) {
    this.url = url;
    this.#options = options;
    this.#queue = options.queue ?? createUploadQueue({ concurrency: options.concurrency });
    const first = { ...this.#view(), announcement: "" }; // what a queue held before is no news
    this.#announcement = "";
    this.#store = new Store(first);
    this.subscribe = this.#store.subscribe;
    this.getSnapshot = this.#store.getSnapshot;
    this.getServerSnapshot = () => first;
    const frame = createFrameScheduler(() => this.#store.set(this.#view()));
    let unsubscribe: (() => void) | undefined;
    this.attach = createAttachment(
      () => {
        unsubscribe = this.#queue.subscribe(() => frame.schedule());
        this.#store.set(this.#view());
      },
      () => {
        unsubscribe?.();
        frame.cancel();
        if (this.#options.onUnmount === "abort") this.#queue.abort();
      },
    );
  }

  /** Sets the options as they are now. */
  setOptions(options: UploadViewOptions): void {
    this.#options = options;
  }

  /** Adds files: an array, or what an input or a drop gives. Throws what {@link UploadQueue} `add` throws. */
  add(files: Iterable<File> | ArrayLike<File>): void {
    for (const file of Array.from(files)) this.#queue.add(this.url, file, this.#uploadOptions());
    this.#store.set(this.#view());
  }

  pause(id: string): void {
    this.#find(id)?.upload.pause();
  }

  /** Goes on with a paused upload; one that has failed begins again, from what the server has. */
  resume(id: string): void {
    const upload = this.#find(id)?.upload;
    if (upload?.state.status === "failed") this.#queue.retry(id);
    else upload?.resume();
  }

  /** Takes an upload out of the list, and aborts it if it is not over. */
  remove(id: string): void {
    this.#queue.remove(id);
    this.#store.set(this.#view());
  }

  #find(id: string): UploadQueue["uploads"][number] | undefined {
    return this.#queue.uploads.find((entry) => entry.id === id);
  }

  #uploadOptions(): UploadOptions {
    const { concurrency: _concurrency, queue: _queue, onUnmount: _onUnmount, ...options } = this.#options;
    return { ...options, headers: async (info) => requestHeaders(this.#options.headers, info) };
  }

  #view(): UploadViewSnapshot {
    const { totals } = this.#queue;
    const uploads = this.#queue.uploads.map(({ id, name, type, upload }) => ({ id, name, type, ...upload.state }));
    const statuses = new Map<string, UploadStatus>();
    for (const item of uploads) {
      statuses.set(item.id, item.status);
      if (this.#statuses.get(item.id) !== item.status)
        this.#announcement = announce(item, totals) ?? this.#announcement;
    }
    if (uploads.length > this.#statuses.size) {
      const added = uploads.filter(({ id }) => !this.#statuses.has(id)).length;
      this.#announcement = added === 1 ? `Uploading ${uploads.at(-1)?.name ?? ""}` : `Uploading ${added} files`;
    }
    this.#statuses = statuses;
    return { uploads, totals, announcement: this.#announcement };
  }
}
