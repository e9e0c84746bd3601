// What of an upstream's answer goes to the client: the connection's fields out, and coding and length only where they still hold.

import { withoutHopByHop } from "../http/hop-by-hop.ts";

interface ZlibLike {
  createZstdDecompress?: unknown;
}

interface ProcessLike {
  getBuiltinModule?(id: "node:zlib"): ZlibLike;
}

/** The codings that the platform's fetch takes off (https://fetch.spec.whatwg.org/#handle-content-codings). */
const DECODED: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br", ...(decodesZstd() ? ["zstd"] : [])]);

/** Node.js decodes zstd from 22.15 on. */
function decodesZstd(): boolean {
  const host = (globalThis as { process?: ProcessLike }).process;
  return host?.getBuiltinModule === undefined || host.getBuiltinModule("node:zlib").createZstdDecompress !== undefined;
}

/**
 * Whether the platform's fetch has decoded a body with this `Content-Encoding`, which it does not tell: it keeps the header. It decodes
 * either every coding of the list or, if it does not know one of them, none.
 */
export function isDecoded(contentEncoding: string | null): boolean {
  return (
    contentEncoding !== null && contentEncoding.split(",").every((coding) => DECODED.has(coding.trim().toLowerCase()))
  );
}

/** Said of the bytes as they were coded. */
const OF_CODED_BYTES = ["content-encoding", "content-length", "content-digest", "repr-digest", "digest", "content-md5"];

/** What decides about an answer's headers. */
export interface AnswerPlan {
  readonly isDecoded: boolean;
  readonly isEventStream: boolean;
  readonly cookies: boolean;
}

/** The headers for the client. */
export function answerHeaders(upstream: Headers, plan: AnswerPlan): Headers {
  const headers = withoutHopByHop(upstream);
  if (!plan.cookies) headers.delete("set-cookie");
  headers.delete("alt-svc"); // RFC 7838 section 3: it speaks of the origin that sent it, which is not ours
  if (plan.isDecoded) {
    for (const name of OF_CODED_BYTES) headers.delete(name);
    // RFC 9110 section 8.8.3.3: a strong tag is of one coding alone.
    const tag = headers.get("etag");
    if (tag?.startsWith('"') === true) headers.set("etag", `W/${tag}`);
  }
  if (plan.isEventStream) {
    const control = headers.get("cache-control");
    if (control === null) headers.set("cache-control", "no-cache, no-transform");
    else if (!/\bno-transform\b/i.test(control)) headers.set("cache-control", `${control}, no-transform`);
    headers.set("x-accel-buffering", "no");
  }
  return headers;
}

/** The length in `headers`, in bytes; undefined where there is none that can be read. */
export function announcedBytes(headers: Headers): number | undefined {
  const value = headers.get("content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
