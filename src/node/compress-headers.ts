// What compression changes in the headers of a reply, and in those of its 304.

import { addEncodingVary } from "../http/accept-encoding.ts";
import type { Encoding } from "../http/precompressed.ts";
import { parseTags } from "../http/validators.ts";
import { LENGTH_HEADER } from "../reply/file.ts";

/**
 * They speak of bytes that are not sent any more: lengths and ranges of the plain body (RFC 9110 sections 8.6 and 14.3), and
 * digests, which are made over the coded one (RFC 9530 sections 2 and 3).
 */
const OF_PLAIN_BYTES = [
  "accept-ranges",
  "content-digest",
  "content-length",
  "content-md5",
  "digest",
  "repr-digest",
  LENGTH_HEADER,
];

/** The headers of the reply coded in `encoding`, where `field` is the header that says so. */
export function codedHeaders(given: Headers, encoding: Encoding, field: string): Headers {
  const headers = new Headers(given);
  for (const name of OF_PLAIN_BYTES) headers.delete(name);
  headers.set(field, encoding);
  addEncodingVary(headers);
  const etag = headers.get("etag");
  // RFC 9110 section 8.8.3.3: two codings may not share a strong tag. A weak one still makes a 304, as If-None-Match
  // compares weakly, and never lets If-Range put plain bytes behind coded ones.
  if (etag !== null) headers.set("etag", weak(etag));
  return headers;
}

/** Those of a 304 for a reader that holds a coded copy: the tag that it named, so that its cache knows what is meant. */
export function coded304Headers(given: Headers, ifNoneMatch: string | null): Headers | undefined {
  const etag = given.get("etag");
  if (etag === null || etag.startsWith("W/") || ifNoneMatch === null) return undefined;
  if (parseTags(ifNoneMatch)?.includes(weak(etag)) !== true) return undefined;
  const headers = new Headers(given);
  headers.set("etag", weak(etag));
  addEncodingVary(headers);
  return headers;
}

/** With `no-transform` among the directives of Cache-Control, or without it (RFC 9111 section 5.2.2.6). */
export function withNoTransform(given: Headers, isWanted: boolean): Headers {
  const headers = new Headers(given);
  const value = headers.get("cache-control") ?? "";
  const others = value.split(",").filter((each) => !/^\s*(?:no-transform\s*)?$/i.test(each));
  const directives = [...others.map((each) => each.trim()), ...(isWanted ? ["no-transform"] : [])];
  if (directives.length === 0) headers.delete("cache-control");
  else headers.set("cache-control", directives.join(", "));
  return headers;
}

/** Whether Cache-Control forbids everyone behind the server to code the body. */
export function hasNoTransform(headers: Headers): boolean {
  return /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(headers.get("cache-control") ?? "");
}

/** How many bytes the plain body has, where the reply says so. */
export function plainBytes(headers: Headers): number | undefined {
  const value = headers.get("content-length") ?? headers.get(LENGTH_HEADER);
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined;
}

function weak(etag: string): string {
  return etag.startsWith("W/") ? etag : `W/${etag}`;
}
