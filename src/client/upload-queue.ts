// Many files, a few at a time, and how far they are together.

import { TailraceError } from "../errors.ts";
import { Listeners } from "./store.ts";
import { type TakeTurn, uploadNameOf, UploadTask } from "./upload.ts";
import type { Upload, UploadOptions } from "./upload-types.ts";

const DEFAULT_CONCURRENCY = 3;
/** How many uploads a queue holds, those that are over included. 10,000. */
export const MAX_QUEUED_UPLOADS: number = 10_000;

/** Options of {@link createUploadQueue}. */
export interface UploadQueueOptions {
  /** How many uploads run at the same time. @default 3 */
  readonly concurrency?: number | undefined;
  /** How many uploads are held, those that are over included. @default 10000 */
  readonly maxUploads?: number | undefined;
}

/** One file in a queue. */
export interface QueuedUpload {
  /** Unique in this page. */
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly upload: Upload;
}

/** All files of a queue together. */
export interface UploadTotals {
  readonly files: number;
  readonly done: number;
  readonly failed: number;
  readonly bytesSent: number;
  readonly bytesStored: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  /** For what is not done, failed or paused; null while it cannot be told. */
  readonly remainingMs: number | null;
}

/** Uploads that wait for each other. */
export interface UploadQueue {
  /** Adds a file; it begins when fewer than `concurrency` others run. Throws `limit_exceeded` when the queue is full. */
  add(url: string | URL, file: Blob, options?: UploadOptions): QueuedUpload;
  /** Oldest first. */
  readonly uploads: readonly QueuedUpload[];
  readonly totals: UploadTotals;
  /** Calls `listener` when an upload was added or removed, or has changed. Returns the unsubscribe. */
  subscribe(listener: () => void): () => void;
  /** Begins an upload that has failed again, in its place: a resumable one from what the server has. */
  retry(id: string): void;
  /** Takes an upload out, and aborts it if it is not over. */
  remove(id: string): void;
  /** Aborts what is not over. */
  abort(): void;
}

/** Turns for a number of holders, in the order of asking. */
function createTurns(count: number): TakeTurn {
  let free = count;
  const waiting = new Set<() => void>();
  const giveBack = (): void => {
    free += 1;
    const [next] = waiting;
    next?.();
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (free === 0 || waiting.size > 0) {
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => {
          waiting.delete(go);
          signal.removeEventListener("abort", abort);
        };
        const go = (): void => {
          // Taken at once: whoever asks before this wait has ended must not get the same turn.
          free -= 1;
          leave();
          resolve();
        };
        const abort = (): void => {
          leave();
          reject(signal.reason as Error);
        };
        waiting.add(go);
        signal.addEventListener("abort", abort, { once: true });
      });
    } else {
      free -= 1;
    }
    return giveBack;
  };
}

let lastId = 0;

class Queue implements UploadQueue {
  readonly #takeTurn: TakeTurn;
  readonly #maxUploads: number;
  readonly #listeners = new Listeners();
  #uploads: readonly QueuedUpload[] = [];
  /** Makes the upload of an entry anew. */
  readonly #makers = new WeakMap<QueuedUpload, () => UploadTask>();

  constructor(options: UploadQueueOptions) {
    this.#takeTurn = createTurns(Math.max(1, Math.floor(options.concurrency ?? DEFAULT_CONCURRENCY)));
    this.#maxUploads = options.maxUploads ?? MAX_QUEUED_UPLOADS;
  }

  get uploads(): readonly QueuedUpload[] {
    return this.#uploads;
  }

  get totals(): UploadTotals {
    const states = this.#uploads.map(({ upload }) => upload.state);
    const sum = (of: (state: Upload["state"]) => number): number => states.reduce((all, state) => all + of(state), 0);
    const isIdle = ({ status }: Upload["state"]): boolean =>
      status === "done" || status === "failed" || status === "paused";
    const bytesPerSecond = sum((state) => state.bytesPerSecond);
    const leftBytes = sum((state) => (isIdle(state) ? 0 : state.totalBytes - state.bytesSent));
    return {
      files: states.length,
      done: states.filter(({ status }) => status === "done").length,
      failed: states.filter(({ status }) => status === "failed").length,
      bytesSent: sum((state) => state.bytesSent),
      bytesStored: sum((state) => state.bytesStored),
      totalBytes: sum((state) => state.totalBytes),
      bytesPerSecond,
      remainingMs: bytesPerSecond > 0 ? Math.round((leftBytes * 1000) / bytesPerSecond) : null,
    };
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  add(url: string | URL, file: Blob, options: UploadOptions = {}): QueuedUpload {
    if (this.#uploads.length >= this.#maxUploads) {
      const message = `The queue holds ${this.#maxUploads} uploads already. Remove those that are over, or raise maxUploads.`;
      throw new TailraceError("limit_exceeded", message, { details: { maxUploads: this.#maxUploads } });
    }
    const make = (): UploadTask => new UploadTask(url, file, options, this.#takeTurn);
    const upload = make();
    lastId += 1;
    const entry = { id: `upload-${lastId}`, name: uploadNameOf(file, options), type: file.type, upload };
    this.#uploads = [...this.#uploads, entry];
    this.#begin(entry, upload, make);
    return entry;
  }

  retry(id: string): void {
    const old = this.#uploads.find((candidate) => candidate.id === id);
    const make = old === undefined ? undefined : this.#makers.get(old);
    if (old === undefined || make === undefined || old.upload.state.status !== "failed") return;
    const upload = make();
    const entry = { ...old, upload };
    this.#uploads = this.#uploads.map((candidate) => (candidate === old ? entry : candidate));
    this.#begin(entry, upload, make);
  }

  #begin(entry: QueuedUpload, task: UploadTask, make: () => UploadTask): void {
    this.#makers.set(entry, make);
    // Its listeners go with it: nothing else holds an upload that is over.
    task.subscribe(() => this.#listeners.call());
    task.start();
    this.#listeners.call();
  }

  remove(id: string): void {
    const entry = this.#uploads.find((candidate) => candidate.id === id);
    if (entry === undefined) return;
    this.#uploads = this.#uploads.filter((candidate) => candidate !== entry);
    void entry.upload.abort();
    this.#listeners.call();
  }

  abort(): void {
    for (const { upload } of this.#uploads) void upload.abort();
  }
}

/**
 * A queue of uploads. A paused upload gives its turn to another and queues again when it is resumed. Keep one queue
 * outside of components where uploads should be seen on every page.
 */
export function createUploadQueue(options: UploadQueueOptions = {}): UploadQueue {
  return new Queue(options);
}
