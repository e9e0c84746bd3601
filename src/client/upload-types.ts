// The words of uploads: what `upload` takes, what it shows, and what it gives.

import type { TailraceError } from "../errors.ts";
import type { TransferOptions, TransferSpeed } from "./transfer-types.ts";
import type { UploadStore } from "./upload-store.ts";

/**
 * `queued` waits for its turn · `creating` the server is told of it, or asked how much it has · `sending` · `paused` on
 * request · `waiting` cut, and a timer runs until the next attempt · `verifying` all is sent, the last answer is awaited ·
 * `done` · `failed` will not go on by itself.
 */
export type UploadStatus = "queued" | "creating" | "sending" | "paused" | "waiting" | "verifying" | "done" | "failed";

/** What an upload gives in the end. What the server did not tell is null. */
export interface UploadResult {
  /** Where the upload lies, as the server named it (tus). */
  readonly url: string | null;
  readonly id: string | null;
  readonly name: string;
  readonly bytes: number;
  /** In hexadecimal: as the server counted it, or as it was announced to it. */
  readonly sha256: string | null;
}

/** A snapshot of an upload. Never changed: each change gives a new object. */
export interface UploadSnapshot extends TransferSpeed {
  readonly status: UploadStatus;
  /** Bytes given to the network, those that the server has included. Falls back when a request was lost. */
  readonly bytesSent: number;
  /** Bytes that the server has said it has. */
  readonly bytesStored: number;
  readonly totalBytes: number;
  /** Attempts lost in a row without one new byte; 0 while all is well. */
  readonly attempt: number;
  /** When the next attempt is due, in milliseconds since 1970; set only while `waiting`. */
  readonly retryAt: number | null;
  /** How often the server had lost what it had, so that the upload began anew. */
  readonly restarted: number;
  /** Why the upload waits or has failed. */
  readonly error: TailraceError | null;
  /** The id that names the progress stream, once it is known. */
  readonly uploadId: string | null;
  readonly result: UploadResult | null;
}

/** Options of {@link TransferOptions} and of the upload itself. */
export interface UploadOptions extends TransferOptions {
  /** `tus`: resumable, in chunks. `raw`: one POST. @default "tus" */
  readonly protocol?: "tus" | "raw" | undefined;
  /** Default: the file's own name, else `file`. */
  readonly name?: string | undefined;
  /** Sent with the creation, beside the name and the type (tus). */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * The file's SHA-256 in hexadecimal, for the server to check; `true`: read the file and compute it first.
   * Default: none.
   */
  readonly sha256?: string | true | undefined;
  /** How much one request carries (tus). @default 8388608 (8 MiB: some proxies cut bodies at 10 MiB and say nothing) */
  readonly chunkBytes?: number | undefined;
  /** Parts that are sent at the same time and then joined by the server (tus concatenation), 1 to 16. @default 1 */
  readonly parallelParts?: number | undefined;
  /** Where an upload is remembered, so that it goes on after a reload; null: nowhere. Default: `localStorage`, if any. */
  readonly store?: UploadStore | null | undefined;
  /** What the upload is remembered by. Default: the address, name, size and date of a File; none for a bare Blob. */
  readonly fingerprint?: string | undefined;
  /** Names the progress stream of a raw upload (header `Upload-Id`). Default: a random one for each attempt. */
  readonly uploadId?: string | undefined;
}

/** A file on its way to a server. */
export interface Upload {
  readonly state: UploadSnapshot;
  /** Calls `listener` after each change of {@link state}. Returns the unsubscribe. */
  subscribe(listener: () => void): () => void;
  /** Takes the request away until `resume()`. A raw upload then begins anew, a resumable one goes on. */
  pause(): void;
  resume(): void;
  /**
   * Ends the upload as failed, with the code `aborted`. What the server has stays, and the same file goes on from there,
   * unless `terminate` asks the server to remove it. Resolves when that is answered, and never rejects.
   */
  abort(options?: { readonly terminate?: boolean | undefined }): Promise<void>;
  /** Settles with the upload. A rejection that nobody looks at is no unhandled one. */
  readonly done: Promise<UploadResult>;
}
