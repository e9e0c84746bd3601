// What `transform` takes.

import type { Clock } from "../clock.ts";
import type { TransformAs, TransformCoreOptions } from "../wire/transform-types.ts";

/** What is taken of the sender. */
export interface TransformLimits {
  /** The largest body, as it is sent, in bytes. Default 4,294,967,296 (4 GiB). */
  readonly maxBytes?: number | undefined;
  /** The largest body once its `Content-Encoding` is undone, in bytes. Default: `maxBytes`. */
  readonly maxDecodedBytes?: number | undefined;
  /** How many bytes may come out of each byte of a coded body, once more than 1 MiB has come out. Default 200. */
  readonly maxExpansionRatio?: number | undefined;
  /** How long no bytes may come while they are waited for, in milliseconds. Default 30,000. */
  readonly idleMs?: number | undefined;
  /** The least speed, judged over each 30 s of waiting for the sender. Default 1,024; 0 for any, as for a person who types. */
  readonly minBytesPerSecond?: number | undefined;
  /** Ends the transform when it aborts. The request's own signal does so in any case. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/** Options of {@link transform}. */
export interface TransformOptions<As extends TransformAs> extends TransformCoreOptions<As>, TransformLimits {
  /** Of the answer. Default by `as`: `application/octet-stream`, `text/plain; charset=utf-8` or `application/x-ndjson`. */
  readonly contentType?: string | undefined;
  /** The status of the answer. Default 200. */
  readonly status?: number | undefined;
  /** Further headers of the answer. Connection-level ones are dropped. */
  readonly headers?: HeadersInit | undefined;
  /**
   * Gets what went wrong and is not told to the sender: what `fn` threw, and every failure once the answer has begun. Default: the
   * diagnostics channel `tailrace:error`, or the console when nobody listens there; a sender that leaves is not reported there.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}
