// The headers of a streamed reply: those that keep proxies from holding it back, and none that HTTP/2 forbids.

/**
 * Headers of every streamed reply. `no-transform` turns off compression in Next.js and in middleware that obeys
 * RFC 9111 section 5.2.2.6; `x-accel-buffering` turns off buffering in nginx. Connection-level headers are left to the host:
 * HTTP/2 forbids them (RFC 9113 section 8.2.2).
 */
const STREAM_HEADERS: readonly (readonly [string, string])[] = [
  ["cache-control", "no-cache, no-transform"],
  ["x-accel-buffering", "no"],
  ["x-content-type-options", "nosniff"],
];

const CONNECTION_HEADERS = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/** The headers of a streamed reply of `contentType`. The caller's `extra` win, connection-level ones are dropped. */
export function streamHeaders(contentType: string, extra?: HeadersInit): Headers {
  const headers = new Headers(extra);
  for (const name of CONNECTION_HEADERS) headers.delete(name);
  if (!headers.has("content-type")) headers.set("content-type", contentType);
  for (const [name, value] of STREAM_HEADERS) if (!headers.has(name)) headers.set(name, value);
  return headers;
}
