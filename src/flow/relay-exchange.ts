// One request to the upstream: its deadline, its redirects, and its end when the client leaves or nobody wants it any more.

import { toReadableStream } from "../bytes/bridge.ts";
import type { Chunk } from "../bytes/byte-pull.ts";
import { isPromiseLike, type Pull } from "../bytes/source.ts";
import { systemClock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { offerPull, takeBody } from "../receive/body-pull.ts";
import { Pace } from "../receive/pace.ts";
import { isGuarded } from "./fetch-marks.ts";
import { type Hop, nextHop } from "./redirect.ts";
import { addressRefused } from "./relay-errors.ts";
import {
  DEFAULT_FIRST_BYTE_MS,
  DEFAULT_MAX_REDIRECT_COUNT,
  type RelayFetch,
  type RelayOptions,
} from "./relay-options.ts";
import { announcedBytes } from "./relay-headers.ts";
import { ownNames, upstreamHeaders } from "./relay-request.ts";

/** A function that asks the upstream itself. It hands `signal` on, which aborts when the client leaves. */
export type AskUpstream = (context: { readonly signal: AbortSignal }) => Promise<Response>;

/** An upload of up to this many bytes may be kept by the platform's fetch, so that a redirect that answers it can be seen. */
const MAX_HELD_BYTES = 1_048_576;

export class RelayExchange {
  readonly #request: Request;
  readonly #options: RelayOptions;
  readonly #controller = new AbortController();
  readonly #deadline: Pace;
  #failure: TailraceError | undefined;
  #rejectWait: ((error: unknown) => void) | undefined;
  #isAnswered = false;

  constructor(request: Request, options: RelayOptions) {
    this.#request = request;
    this.#options = options;
    const { firstByteMs = DEFAULT_FIRST_BYTE_MS } = options;
    const onTooSlow = (): void => {
      const message = `The upstream gave no answer within ${firstByteMs.toLocaleString("en")} ms; raise firstByteMs if it may take longer.`;
      this.#fail(new TailraceError("upstream_slow", message));
    };
    this.#deadline = new Pace({ clock: systemClock, idleMs: firstByteMs, minBytesPerSecond: 0, onTooSlow });
    if (request.signal.aborted) this.#onLeft();
    else request.signal.addEventListener("abort", this.#onLeft, { once: true });
  }

  /** Ends the exchange: what is still under way at the upstream is cut. */
  end(): void {
    this.answered();
    if (!this.#controller.signal.aborted)
      this.#controller.abort(new DOMException("The relay has ended.", "AbortError"));
  }

  /** From now on somebody else watches the client. */
  answered(): void {
    this.#isAnswered = true;
    this.#deadline.close();
    this.#request.signal.removeEventListener("abort", this.#onLeft);
  }

  /** The answer of a function. */
  async ask(upstream: AskUpstream): Promise<Response> {
    return this.#answer(() => upstream({ signal: this.#controller.signal }));
  }

  /** The answer of an address, behind its redirects. */
  async fetch(upstream: string | URL | Request): Promise<Response> {
    const options = this.#options;
    const fetch: RelayFetch = options.fetch ?? globalThis.fetch;
    const given = upstream instanceof Request ? upstream : undefined;
    const { redirect = "follow", maxRedirectCount = DEFAULT_MAX_REDIRECT_COUNT } = options;
    let hop: Hop = this.#firstHop(upstream, isGuarded(fetch));
    const mayAsk = originRule(options.allow, hop.url, isGuarded(fetch));
    for (let count = 0; ; count++) {
      mayAsk(hop.url);
      const response = await this.#answer(() => fetch(hop.url.href, this.#init(hop, isGuarded(fetch))));
      const next = redirect === "pass" ? undefined : nextHop(hop, response, () => ownNames(options, given?.headers));
      if (next === undefined) return response;
      discard(response);
      if (count >= maxRedirectCount) {
        throw new TailraceError("upstream_failed", `The upstream redirects more than ${maxRedirectCount} times.`);
      }
      hop = next;
    }
  }

  #firstHop(upstream: string | URL | Request, isRaw: boolean): Hop {
    const request = this.#request;
    const given = upstream instanceof Request ? upstream : undefined;
    const url = URL.parse(typeof upstream === "string" ? upstream : "url" in upstream ? upstream.url : upstream.href);
    if (url === null) throw addressRefused("It is not an absolute address.");
    const method = this.#options.method ?? (given ?? request).method;
    const takesBody = method !== "GET" && method !== "HEAD";
    const own = this.#options.body === undefined ? (given?.body ?? undefined) : this.#options.body;
    const sendsBody = takesBody && own === undefined && given === undefined && request.body !== null;
    const plan = { options: this.#options, given: given?.headers, sendsBody, isRaw };
    const body = !takesBody ? null : sendsBody ? this.#upload(request.body) : (own ?? null);
    return { url, method, headers: upstreamHeaders(request, plan), body };
  }

  #init({ method, headers, body }: Hop, isGuarded: boolean): RequestInit {
    const init: RequestInit = { method, headers, body, redirect: "manual", signal: this.#controller.signal };
    if (!(body instanceof ReadableStream)) return init;
    // Fetch keeps all of a streamed body in memory, unless it is told that it will never have to send it again: that nobody wants a
    // redirect, and that there is no window (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch, the clone of the request).
    const isSmall = (announcedBytes(headers) ?? Infinity) <= MAX_HELD_BYTES;
    const once: RequestInit = isGuarded || isSmall ? {} : { redirect: "error", window: null };
    // Node.js asks for `duplex`; the DOM's types do not know it.
    return { ...init, ...once, duplex: "half" } as RequestInit;
  }

  /** The request's body, as the upstream asks for it. The deadline stands still while the client is waited for. */
  #upload(body: ReadableStream<Uint8Array>): ReadableStream<Chunk> {
    if (body.locked) {
      throw new TailraceError("source_invalid", "The request's body has been read before; give the relay a body.");
    }
    const inner = takeBody(body).pull as Pull<Chunk>;
    const arrived = <T>(result: T): T => {
      if (!this.#isAnswered) this.#deadline.wait();
      return result;
    };
    const pull: Pull<Chunk> = {
      next: () => {
        this.#deadline.arrived(0);
        const result = inner.next();
        return isPromiseLike(result) ? result.then(arrived) : arrived(result);
      },
      close: () => inner.close(),
    };
    const stream = toReadableStream(pull);
    offerPull(stream, pull);
    return stream;
  }

  /** Waits for `work`, unless the client leaves before it or the deadline passes. */
  async during<T>(work: Promise<T>, onTooLate?: (result: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#rejectWait = reject;
      if (this.#failure !== undefined) reject(this.#failure);
      work.then(
        (result) => (this.#failure === undefined ? resolve(result) : onTooLate?.(result)),
        // An abort makes the work fail too: what caused it is what is told.
        (error: unknown) => reject(this.#failure ?? error),
      );
    });
  }

  #answer(ask: () => Promise<Response>): Promise<Response> {
    if (this.#failure !== undefined) throw this.#failure; // nobody is asked
    this.#deadline.wait();
    return this.during(ask(), discard);
  }

  readonly #onLeft = (): void => {
    this.#fail(new TailraceError("aborted", "The reader left before the upstream had answered."));
  };

  #fail(error: TailraceError): void {
    this.#failure = error;
    this.end();
    this.#rejectWait?.(error);
  }
}

/** What may be asked. @throws {TailraceError} `address_refused` */
function originRule(allow: RelayOptions["allow"], first: URL, isGuarded: boolean): (url: URL) => void {
  const origins = new Set(allow?.map((each) => new URL(each).origin));
  // Without a list the caller's own choice holds. Where nobody checks addresses, a redirect could lead from it to anywhere.
  const isOwn = (url: URL): boolean =>
    url.origin === first.origin || (url.protocol === "https:" && url.hostname === first.hostname && url.port === "");
  const mayAsk = (url: URL): boolean => (allow === undefined ? isGuarded || isOwn(url) : origins.has(url.origin));
  return (url) => {
    if (url.protocol !== "http:" && url.protocol !== "https:") throw addressRefused("It is neither http nor https.");
    if (url.username !== "" || url.password !== "") throw addressRefused("It holds a user name or a password.");
    if (!mayAsk(url)) throw addressRefused(`${url.origin} is not among the origins that may be asked.`);
  };
}

/** Lets go of an answer that nobody will read. */
export function discard(response: Response): void {
  if (response.body === null || response.body.locked) return;
  void response.body.cancel().catch(() => undefined);
}
