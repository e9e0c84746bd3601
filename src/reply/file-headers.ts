// The headers of a file reply, for each of its statuses.

import { TailraceError } from "../errors.ts";
import { addEncodingVary } from "../http/accept-encoding.ts";
import { contentDisposition } from "../http/content-disposition.ts";
import { mediaTypeOf, UNKNOWN_TYPE } from "../http/media-types.ts";
import { setValidators } from "../http/validators.ts";
import type { FileOptions, Offload } from "./file-options.ts";
import type { Choice } from "./file-variants.ts";

/**
 * It may be kept by anybody and is asked for anew each time, so that a file that changes or is no longer allowed is never
 * shown from a cache (RFC 9111 section 5.2.2.2).
 */
const DEFAULT_CACHE_CONTROL = "max-age=0, must-revalidate";

/**
 * What says which bytes are sent is ours to say, as conditions and ranges are judged by it; connection-level headers are the
 * host's (RFC 9113 section 8.2.2).
 */
const NOT_THE_CALLERS = [
  "accept-ranges",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "etag",
  "keep-alive",
  "last-modified",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
];

/** What the caller wants and what describes the file, however it is sent. */
function describingHeaders({ original, encoding, varies }: Choice, options: FileOptions): Headers {
  const headers = new Headers(options.headers);
  for (const name of NOT_THE_CALLERS) headers.delete(name);
  const name = options.name ?? original.name;
  const type = options.type ?? original.type ?? (name === undefined ? UNKNOWN_TYPE : mediaTypeOf(name));
  setText(headers, "content-type", headers.get("content-type") ?? type);
  setText(headers, "cache-control", options.cacheControl ?? headers.get("cache-control") ?? DEFAULT_CACHE_CONTROL);
  if (!headers.has("x-content-type-options")) headers.set("x-content-type-options", "nosniff");
  if (!headers.has("content-disposition") && (options.disposition !== undefined || options.name !== undefined)) {
    headers.set("content-disposition", contentDisposition(options.disposition ?? "inline", name));
  }
  if (encoding !== undefined) headers.set("content-encoding", encoding);
  if (varies) addEncodingVary(headers);
  return headers;
}

/** The headers of a 200, from which those of the other statuses are made. */
export function fileHeaders(choice: Choice, options: FileOptions): Headers {
  const headers = describingHeaders(choice, options);
  headers.set("accept-ranges", options.maxRanges === 0 ? "none" : "bytes");
  setValidators(headers, choice);
  return headers;
}

/**
 * RFC 9110 section 15.4.5: what a 200 would have said of the cache, and nothing of a body that is not sent. Last-Modified is
 * needed only where there is no tag.
 */
export function notModifiedHeaders(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of ["content-type", "content-disposition", "content-encoding", "accept-ranges"]) kept.delete(name);
  if (kept.has("etag")) kept.delete("last-modified");
  return kept;
}

/** The server in front has validators and ranges of its own: ours would contradict them. */
export function offloadHeaders(choice: Choice, options: FileOptions, { header, path }: Offload): Headers {
  const headers = describingHeaders(choice, options);
  setText(headers, header, path.toWellFormed().split("/").map(encodeURIComponent).join("/"));
  return headers;
}

function setText(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch (cause) {
    throw new TailraceError("encode_refused", `${JSON.stringify(value)} cannot stand in the header ${name}.`, {
      cause,
    });
  }
}
