// What a caller may say about a file reply.

import type { Encoding } from "../http/precompressed.ts";
import type { FileLike } from "./file-source.ts";

/** The same file, encoded. */
export interface FileVariant {
  readonly encoding: Encoding;
  readonly source: FileLike;
}

/** A server in front that sends the file itself. */
export interface Offload {
  /** `x-accel-redirect` for nginx, `x-sendfile` for Apache and lighttpd. */
  readonly header: "x-accel-redirect" | "x-sendfile";
  /** The path as that server knows it, plain: it is percent-encoded here. */
  readonly path: string;
}

export interface FileOptions {
  /** The name to save it under. Default: the source's own, when `disposition` is given. */
  readonly name?: string | undefined;
  /** The media type. Default: the source's own, else by the name, else `application/octet-stream`. */
  readonly type?: string | undefined;
  /** Whether a browser shows it or saves it. Default: no `content-disposition`, or `inline` where a `name` is given. */
  readonly disposition?: "inline" | "attachment" | undefined;
  /** An entity tag with its quotes, instead of the source's own. A weak one (`W/"…"`) allows no resuming. */
  readonly etag?: string | undefined;
  /** Milliseconds since the epoch, instead of the source's own. */
  readonly lastModifiedMs?: number | undefined;
  /** Default `max-age=0, must-revalidate`: it may be kept, and is asked for anew each time, which costs a 304. */
  readonly cacheControl?: string | undefined;
  /** Further headers. They win over ours but for those that say which bytes are sent: validators, lengths, ranges, encoding. */
  readonly headers?: HeadersInit | undefined;
  /** A request for more ranges gets the whole. Default 16; 0 turns ranges off. */
  readonly maxRanges?: number | undefined;
  /** Leave the sending to the server in front. Preconditions and ranges are then its matter. */
  readonly offload?: Offload | undefined;
  /** Encoded copies, the most wanted first. A request gets one that it accepts. Not for Next.js, which drops `content-encoding`. */
  readonly variants?: readonly FileVariant[] | undefined;
  /**
   * Gets what went wrong while the file was read. Default: the diagnostics channel `tailrace:error`, or the console when
   * nobody listens there.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}
