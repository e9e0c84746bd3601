// What `/api/relay` passes on: some paths of one other server. By default that server is this one, so that the demo shows
// something without a network.

import { relay } from "tailrace";
import { guardedFetch } from "tailrace/node";
import { invalid } from "./input.ts";

/** The paths that may be asked for; one that ends in `/` stands for everything under it. */
const ALLOWED_PATHS = [
  "/api/health",
  "/api/events",
  "/api/rows",
  "/api/text",
  "/api/files",
  "/api/download/",
  "/api/video/",
] as const;

/** The upstream's origin. Never taken from the request: its Host header is whatever the sender likes. */
const origin = upstreamOrigin();

/** Keeps its connections to the upstream. This server lies in a range that the guard refuses; it alone may be connected to. */
const fetch = guardedFetch({ allow: [origin], allowPrivate: [origin.host] });

function upstreamOrigin(): URL {
  const host = process.env["HOST"] ?? "127.0.0.1";
  const own = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return new URL(process.env["RELAY_UPSTREAM"] ?? `http://${own}:${process.env["PORT"] ?? "3000"}`);
}

/** Answers with what the upstream has at `path` (a path and a query). @throws {TailraceError} for one that is not allowed */
export function relayPath(request: Request, path: string | null): Promise<Response> {
  const url = path?.startsWith("/") === true ? URL.parse(path, origin) : null;
  if (url === null || url.origin !== origin.origin || !isAllowed(url.pathname)) {
    throw invalid("path", `begins with one of ${ALLOWED_PATHS.join(", ")}`);
  }
  return relay(request, url, { allow: [origin], fetch });
}

function isAllowed(pathname: string): boolean {
  // A separator or a dot in disguise would be read otherwise by the upstream than here.
  if (/%(?:2e|2f|5c)/i.test(pathname)) return false;
  return ALLOWED_PATHS.some((path) => (path.endsWith("/") ? pathname.startsWith(path) : pathname === path));
}
