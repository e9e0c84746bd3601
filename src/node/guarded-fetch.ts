// A fetch that asks no address of one's own network: for addresses that come from outside, and for what they redirect to.

import { TailraceError } from "../errors.ts";
import { markGuarded } from "../flow/fetch-marks.ts";
import { type Hop, nextHop } from "../flow/redirect.ts";
import { addressRefused, upstreamError } from "../flow/relay-errors.ts";
import { discard } from "../flow/relay-exchange.ts";
import { AddressGuard, type ResolveHost } from "./address-guard.ts";
import { type Agents, aborted, attempt, createAgents, NotConnected, StaleConnection } from "./guarded-request.ts";

/** Options of {@link guardedFetch}. */
export interface GuardedFetchOptions {
  /** What may be asked: origins (`https://a.example`), hosts (`a.example`, any port) or host:port. Default: whatever is public. */
  readonly allow?: readonly (string | URL)[] | undefined;
  /** Exceptions to the refused addresses: ranges (`10.1.0.0/16`, `fd00:1::/32`) or a URL's host:port (`db.internal:8080`). Default: none. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Default 5. */
  readonly maxRedirectCount?: number | undefined;
  /** How long it may take to resolve a name, and how long until a connection stands, TLS included, in milliseconds each. Default 10,000. */
  readonly connectMs?: number | undefined;
  /** Connections to one address at a time. Default 256. */
  readonly maxSocketCount?: number | undefined;
  /** Gives the addresses of a name. Default: the system's resolver. */
  readonly resolve?: ResolveHost | undefined;
}

/** A fetch. `redirect` and `signal` of the init are obeyed, as are method, headers and body; the rest is left. */
export type GuardedFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const DEFAULT_MAX_REDIRECT_COUNT = 5;
const DEFAULT_CONNECT_MS = 10_000;
const DEFAULT_MAX_SOCKET_COUNT = 256;

/**
 * Makes a fetch over node:http that refuses addresses which are private, loopback, link-local (metadata services), shared, multicast,
 * reserved or for documentation, in every spelling and also inside IPv6. A name is resolved once, all its addresses are checked, and the
 * connection goes to one of those; each redirect is checked anew.
 *
 * The bodies of its responses are raw: `Content-Encoding` and `Content-Length` are true of them, and nothing is decoded. A response must be
 * read to its end or cancelled, or its connection stays open.
 *
 * The fetch rejects with a `TailraceError`: `address_refused`, `upstream_slow`, `upstream_failed`; or with the signal's reason.
 *
 * @throws {RangeError} for an entry of `allow` or `allowPrivate` that cannot be read
 */
export function guardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const guard = new AddressGuard(options);
  const agents = createAgents(options.maxSocketCount ?? DEFAULT_MAX_SOCKET_COUNT);
  const { maxRedirectCount = DEFAULT_MAX_REDIRECT_COUNT, connectMs = DEFAULT_CONNECT_MS } = options;

  const fetch: GuardedFetch = async (input, init = {}) => {
    const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
    const redirect = init.redirect ?? (input instanceof Request ? input.redirect : "follow");
    let hop = firstHop(input, init);
    for (let count = 0; ; count++) {
      const response = await ask(hop, guard, agents, connectMs, signal).catch((error: unknown) => {
        throw signal?.aborted === true ? aborted(signal) : upstreamError(error);
      });
      const next = redirect === "manual" ? undefined : nextHop(hop, response);
      if (next === undefined) return response;
      discard(response);
      if (redirect === "error" || count >= maxRedirectCount) {
        throw new TailraceError("upstream_failed", `The upstream redirects more than ${count} times.`);
      }
      hop = next;
    }
  };
  markGuarded(fetch);
  return fetch;
}

function firstHop(input: string | URL | Request, init: RequestInit): Hop {
  const given = input instanceof Request ? input : undefined;
  const url = URL.parse(typeof input === "string" ? input : "url" in input ? input.url : input.href);
  if (url === null) throw addressRefused("It is not an absolute address.");
  const method = (init.method ?? given?.method ?? "GET").toUpperCase();
  const headers = new Headers(init.headers ?? given?.headers);
  const body = init.body === undefined ? (given?.body ?? null) : init.body;
  if (body === null || body instanceof ReadableStream) return { url, method, headers, body };
  // Fetch knows the types of bodies, and what media type each has.
  const type = new Response(body).headers.get("content-type");
  if (type !== null && !headers.has("content-type")) headers.set("content-type", type);
  return { url, method, headers, body };
}

async function ask(
  hop: Hop,
  guard: AddressGuard,
  agents: Agents,
  connectMs: number,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const check = (): void => {
    if (signal?.aborted === true) throw aborted(signal);
  };
  check();
  const addresses = await inTime(guard.addressesOf(hop.url), connectMs, signal);
  let failure: unknown;
  for (const address of addresses) {
    for (;;) {
      try {
        return await attempt({ hop: await withStream(hop), address, connectMs, agents, signal });
      } catch (error) {
        check();
        failure = error instanceof NotConnected ? error.cause : error;
        if (error instanceof NotConnected) break; // the next address may do
        // The other side closed before it read the request: it may be sent again. A body is gone.
        if (!(error instanceof StaleConnection) || hop.body !== null || !isSafe(hop.method)) throw failure;
      }
    }
  }
  throw failure;
}

/** RFC 9110 section 9.2.2: a request that may be repeated without being asked. */
function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/** The hop with its body as a stream, and with its length where that is known. */
async function withStream(hop: Hop): Promise<Hop> {
  const { body } = hop;
  if (body === null || body instanceof ReadableStream) return hop;
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  const headers = new Headers(hop.headers);
  headers.set("content-length", String(bytes.byteLength));
  return { ...hop, headers, body: new Response(bytes).body };
}

/** Waits for the resolver, which cannot be told to stop. */
function inTime<T>(work: Promise<T>, ms: number, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(aborted(signal)));
    const timer = setTimeout(() => {
      const message = `The name was not resolved within ${ms.toLocaleString("en")} ms.`;
      settle(() => reject(new TailraceError("upstream_slow", message)));
    }, ms);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      then();
    };
    signal?.addEventListener("abort", abort, { once: true });
    work.then(
      (result) => settle(() => resolve(result)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
