// What can be said of a relay, and what holds where nothing is said.

/** Asks one address; `globalThis.fetch`, `guardedFetch(...)`, or one of your own. */
export type RelayFetch = (url: string, init: RequestInit) => Promise<Response>;

/** Options of `relay`. */
export interface RelayOptions {
  /** Default: the request's. */
  readonly method?: string | undefined;
  /** Sent to the upstream, in place of what the request says. On a redirect to another origin they stay behind. */
  readonly headers?: HeadersInit | undefined;
  /** Sent to the upstream. Default: the request's body, streamed, for a method that has one. */
  readonly body?: BodyInit | null | undefined;
  /** Names of further request headers to pass on; `authorization` only if it stands here. */
  readonly forwardHeaders?: readonly string[] | undefined;
  /** Passes `Cookie` and `Set-Cookie`. Default false: neither. */
  readonly cookies?: boolean | undefined;
  /** Adds `Forwarded` (RFC 7239) and `Via`; `for` is the client's address, which a web Request does not tell. Default: neither. */
  readonly forwarded?: boolean | { readonly for: string } | undefined;
  /** `follow` (default): the client never sees the redirect. `pass`: it gets the 3xx as it is, with the address in it. */
  readonly redirect?: "follow" | "pass" | undefined;
  /** How many redirects are followed. Default 5. */
  readonly maxRedirectCount?: number | undefined;
  /**
   * The origins that may be asked, at every redirect too. Default: the upstream's own origin (and its `https`), or any that a
   * `guardedFetch` lets through.
   */
  readonly allow?: readonly (string | URL)[] | undefined;
  /**
   * How long the upstream may take to answer, in milliseconds, from when it has the request. While it takes an upload, each piece gives it
   * that time anew, and waiting for the client does not count. Default 30,000.
   */
  readonly firstByteMs?: number | undefined;
  /** How long the answer waits for the first piece of the body, so that a failure there is still a 502. Default 100; event streams 0. */
  readonly firstChunkMs?: number | undefined;
  /** How long the upstream may be silent between two pieces, in milliseconds. Default 60,000; event streams without limit. */
  readonly idleMs?: number | undefined;
  /** What a body may have, in bytes as they are passed on (so after decoding). Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** Default `globalThis.fetch`. */
  readonly fetch?: RelayFetch | undefined;
  /**
   * Gets what went wrong, with its cause; the client never sees that. Default: failures of 500 and above go to the diagnostics channel
   * `tailrace:error`, or to the console when nobody listens there.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export const DEFAULT_FIRST_BYTE_MS = 30_000;
export const DEFAULT_FIRST_CHUNK_MS = 100;
export const DEFAULT_IDLE_MS = 60_000;
export const DEFAULT_MAX_REDIRECT_COUNT = 5;
