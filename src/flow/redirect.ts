// One step of following a redirect, by the rules of fetch (https://fetch.spec.whatwg.org/#http-redirect-fetch).

import { TailraceError } from "../errors.ts";

/** One request of a chain. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: BodyInit | null;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const CONTENT_FIELDS = ["encoding", "language", "location", "type", "length", "digest", "range"].map(
  (name) => `content-${name}`,
);
/** What is meant for one origin alone. */
const CREDENTIALS = ["authorization", "cookie", "proxy-authorization"];

/**
 * The request that `response` sends `hop` on to, or undefined if it is no redirect. Credentials, and the fields that `ownNames` gives,
 * do not go to another origin.
 *
 * @throws {TailraceError} `upstream_failed` for an address that cannot be read, or a streamed body that would have to be sent again
 */
export function nextHop(hop: Hop, response: Response, ownNames?: () => readonly string[]): Hop | undefined {
  const location = response.headers.get("location");
  if (!REDIRECTS.has(response.status) || location === null) return undefined;
  const { status } = response;
  const url = URL.parse(location, hop.url);
  if (url === null)
    throw new TailraceError("upstream_failed", "The upstream redirects to something that is no address.");

  const headers = new Headers(hop.headers);
  if (url.origin !== hop.url.origin) for (const name of [...CREDENTIALS, ...(ownNames?.() ?? [])]) headers.delete(name);
  const becomesGet =
    status === 303 ? hop.method !== "GET" && hop.method !== "HEAD" : status < 303 && hop.method === "POST";
  if (becomesGet) {
    for (const name of [...CONTENT_FIELDS, "repr-digest"]) headers.delete(name);
    return { url, method: "GET", headers, body: null };
  }
  if (hop.body instanceof ReadableStream) {
    const message = `The upstream redirects (${status}) a body that was streamed to it and cannot be sent again; ask its final address.`;
    throw new TailraceError("upstream_failed", message);
  }
  return { ...hop, url, headers };
}
