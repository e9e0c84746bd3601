// Fields that speak of one connection and end with it: an intermediary takes them out (RFC 9110 section 7.6.1).

import { trimOws } from "./ows.ts";

const NAMES: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The one field of that prefix that is meant for whoever is at the end (RFC 9209 section 2). */
const PROXY_STATUS = "proxy-status";

/** Tells which fields of `headers` are of the connection: `Connection`, those that it names, and the ones that always are. */
export function hopByHopOf(headers: Headers): (name: string) => boolean {
  const value = headers.get("connection");
  const named = new Set(value === null ? [] : value.split(",").map((name) => trimOws(name).toLowerCase()));
  return (name) => NAMES.has(name) || named.has(name) || (name.startsWith("proxy-") && name !== PROXY_STATUS);
}

/**
 * A copy of `headers` without those of the connection: `Connection`, every field that it names, `Keep-Alive`, `Proxy-*`, `TE`, `Trailer`,
 * `Transfer-Encoding` and `Upgrade`.
 */
export function withoutHopByHop(headers: Headers): Headers {
  const isOfConnection = hopByHopOf(headers);
  const left = new Headers();
  for (const [name, value] of headers) if (!isOfConnection(name)) left.append(name, value);
  return left;
}
