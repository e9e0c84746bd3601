// What of a request goes to the upstream: a short list of headers, and never a credential that was not asked for.

import { forwardedValue } from "../http/forwarded.ts";
import { hopByHopOf, withoutHopByHop } from "../http/hop-by-hop.ts";
import type { RelayOptions } from "./relay-options.ts";

/** Passed on unasked. None of them says who the client is. */
const FORWARDED: readonly string[] = [
  "accept",
  "accept-language",
  "content-digest",
  "content-encoding",
  "content-language",
  "content-range",
  "content-type",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-event-id",
  "range",
  "repr-digest",
];

/** Set by who sends the request, and for that request alone. */
const NEVER: readonly string[] = ["host", "content-length", "expect"];

/** What the headers depend on, beside the request. */
export interface RequestPlan {
  readonly options: RelayOptions;
  /** Those of a Request that was given as the upstream. */
  readonly given: Headers | undefined;
  /** Whether the request's own body is sent. */
  readonly sendsBody: boolean;
  /** Whether bodies come back as they are on the wire, so that the client's codings can be asked for. */
  readonly isRaw: boolean;
}

/** The headers for the upstream. */
export function upstreamHeaders(request: Request, plan: RequestPlan): Headers {
  const { options, given, sendsBody, isRaw } = plan;
  const from = request.headers;
  const isOfConnection = hopByHopOf(from);
  const headers = new Headers();
  const names = [...FORWARDED, ...(options.forwardHeaders ?? []), ...(options.cookies === true ? ["cookie"] : [])];
  for (const name of names) {
    if (isOfConnection(name.toLowerCase())) continue;
    const value = from.get(name);
    if (value !== null && (sendsBody || !isOfContent(name))) headers.set(name, value);
  }
  for (const name of NEVER) headers.delete(name);
  const length = from.get("content-length");
  // Announced to the upstream as it was to us: it can refuse an upload that is too long, and sees one that is cut.
  if (sendsBody && length !== null && /^\d{1,15}$/.test(length)) headers.set("content-length", length);
  askForCodings(headers, from, isRaw);
  if (options.forwarded !== undefined && options.forwarded !== false) {
    const client = options.forwarded === true ? undefined : options.forwarded.for;
    headers.append("forwarded", forwardedValue(new URL(request.url), client));
    headers.append("via", "1.1 tailrace"); // RFC 9110 section 7.6.3
  }
  for (const own of [given, options.headers]) {
    if (own === undefined) continue;
    for (const [name, value] of withoutHopByHop(new Headers(own))) if (!NEVER.includes(name)) headers.set(name, value);
  }
  return headers;
}

/** The fields of `headers` that a redirect to another origin must not take along: who wrote them meant the first one. */
export function ownNames(options: RelayOptions, given: Headers | undefined): readonly string[] {
  const own = [...new Headers(options.headers).keys(), ...(given?.keys() ?? []), ...(options.forwardHeaders ?? [])];
  return own.filter((name) => !FORWARDED.includes(name.toLowerCase()));
}

function isOfContent(name: string): boolean {
  return /^(content|repr)-/i.test(name);
}

function askForCodings(headers: Headers, from: Headers, isRaw: boolean): void {
  if (isRaw) {
    headers.set("accept-encoding", from.get("accept-encoding") ?? "identity");
    return;
  }
  // With a Range, fetch asks for no coding by itself (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch): a part of a coded body
  // could not be decoded. For events neither: a coder on the way may hold them back.
  if (headers.get("accept")?.toLowerCase().includes("text/event-stream") === true) {
    headers.set("accept-encoding", "identity");
  }
}
