// The words of downloads: what `download` takes, what it shows, and what it gives.

import type { TailraceError } from "../errors.ts";
import type { TransferOptions, TransferSpeed } from "./transfer-types.ts";

/**
 * `connecting` a request is on its way · `receiving` · `paused` on request · `waiting` cut, and a timer runs until the next
 * attempt · `verifying` all is here, the digest is compared and the sink closed · `done` · `failed` will not go on.
 */
export type DownloadStatus = "connecting" | "receiving" | "paused" | "waiting" | "verifying" | "done" | "failed";

/** What a download gives in the end. */
export interface DownloadResult {
  /** The file, where it was gathered (`to: "blob"`); else null. */
  readonly blob: Blob | null;
  readonly bytes: number;
  /** The name in `Content-Disposition`, else the last step of the address. Not safe as a path. */
  readonly name: string;
  readonly type: string;
  /** In hexadecimal, where there was a digest to compare with; it is the same. */
  readonly sha256: string | null;
}

/** A snapshot of a download. Never changed: each change gives a new object. */
export interface DownloadSnapshot extends TransferSpeed {
  readonly status: DownloadStatus;
  /** Bytes received that are still good: it falls to 0 when the download begins anew. */
  readonly bytes: number;
  /** Null as long as the server has not told it. */
  readonly totalBytes: number | null;
  /** Attempts lost in a row without one new byte; 0 while all is well. */
  readonly attempt: number;
  /** When the next attempt is due, in milliseconds since 1970; set only while `waiting`. */
  readonly retryAt: number | null;
  /** How often it began anew, because the file had changed or its parts could not be told to be of one file. */
  readonly restarted: number;
  /** Why the download waits or has failed. */
  readonly error: TailraceError | null;
  readonly result: DownloadResult | null;
}

/** Options of {@link TransferOptions} and of the download itself. */
export interface DownloadOptions extends TransferOptions {
  /**
   * `"blob"`: gathered, and given in the result. `"chunks"`: read with `for await`, which the network waits for. A
   * WritableStream, which is closed in the end or aborted. A function that opens one: it is called again when the
   * download begins anew, which a stream that was written to cannot.
   * @default "blob"
   */
  readonly to?:
    | "blob"
    | "chunks"
    | WritableStream<Uint8Array>
    | (() => WritableStream<Uint8Array> | Promise<WritableStream<Uint8Array>>)
    | undefined;
  /** The largest download. @default 2147483648 (2 GiB) for a blob, else no limit */
  readonly maxBytes?: number | undefined;
  /** The file's SHA-256 in hexadecimal. Default: what `Repr-Digest` or `Content-Digest` say, if anything. */
  readonly sha256?: string | undefined;
}

/** A file on its way from a server. With `to: "chunks"` iterate it, once; `break` aborts. */
export interface Download extends AsyncIterable<Uint8Array> {
  readonly state: DownloadSnapshot;
  /** Calls `listener` after each change of {@link state}. Returns the unsubscribe. */
  subscribe(listener: () => void): () => void;
  /** Takes the request away until `resume()`, which asks for what is missing. */
  pause(): void;
  resume(): void;
  /** Ends the download as failed, with the code `aborted`. */
  abort(): void;
  /** Settles with the download. A rejection that nobody looks at is no unhandled one. */
  readonly done: Promise<DownloadResult>;
}
