// One attempt's request: where it goes, with which headers, and how a cursor becomes a header value.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { AttemptInfo, HeadersSource, OpenOptions, RequestBody } from "./stream-types.ts";

/** What `fetch` is called with. */
export interface StreamRequest {
  readonly url: string | URL;
  readonly init: RequestInit;
}

/**
 * `id` as a header value. The standard sends `Last-Event-ID` as UTF-8, and a `fetch` header value is a byte string: so
 * each UTF-8 byte becomes the character of that number. Any other way throws for ids above U+00FF.
 *
 * Throws `cursor_invalid` for control characters, which no header can carry (RFC 9110, section 5.5): retrying with such
 * an id could never succeed.
 */
export function cursorHeader(id: string): string {
  let value = "";
  for (const byte of new TextEncoder().encode(id)) {
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) {
      const message =
        `The event id holds the control character 0x${byte.toString(16).padStart(2, "0")}, which no header can carry, so ` +
        "the stream cannot be resumed after it. Let the server send ids without control characters.";
      throw new TailraceError("cursor_invalid", message);
    }
    value += String.fromCharCode(byte);
  }
  return value;
}

function isPlatformBody(body: RequestBody): body is Exclude<RequestBody, string> & BodyInit {
  return (
    (typeof FormData !== "undefined" && body instanceof FormData) ||
    (typeof Blob !== "undefined" && body instanceof Blob) ||
    body instanceof URLSearchParams ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  );
}

/** The method that a first attempt uses. */
export function methodOf(options: Pick<OpenOptions, "method" | "body">): string {
  return (options.method ?? (options.body === undefined ? "GET" : "POST")).toUpperCase();
}

/**
 * Builds the request of one attempt; with `resuming` it is the GET of `resumeUrl`.
 *
 * `cache: "no-store"` as an EventSource has it; an `Accept` that names the event stream first, so that a server which
 * can answer in several ways picks the one that can be resumed.
 */
export async function buildRequest<T>(
  url: string | URL,
  options: OpenOptions<T>,
  info: AttemptInfo,
  resuming: boolean,
): Promise<StreamRequest> {
  const headers = await requestHeaders(options.headers, info);
  if (!headers.has("accept")) headers.set("accept", "text/event-stream, application/x-ndjson;q=0.9, */*;q=0.8");
  if (info.lastEventId !== "") headers.set("last-event-id", cursorHeader(info.lastEventId));

  const init: RequestInit = { cache: "no-store", credentials: options.credentials ?? "same-origin", headers };
  // An injected fetch may know addresses of its own.
  if (options.fetch === undefined) checkUrl(resuming ? (options.resumeUrl ?? url) : url);
  if (resuming) {
    headers.delete("content-type");
    return { url: options.resumeUrl ?? url, init: { ...init, method: "GET" } };
  }
  const { body } = options;
  const method = methodOf(options);
  if (body === undefined) return { url, init: { ...init, method } };
  if (typeof body === "string" || isPlatformBody(body)) return { url, init: { ...init, method, body } };
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return { url, init: { ...init, method, body: toJson(body) } };
}

/**
 * The headers of one attempt. Throws `connection_failed` when the function that makes them fails, `input_invalid` when
 * they cannot be sent.
 */
export async function requestHeaders(source: HeadersSource | undefined, info: AttemptInfo): Promise<Headers> {
  return makeHeaders(await headersOf(source, info));
}

async function headersOf(source: HeadersSource | undefined, info: AttemptInfo): Promise<HeadersInit | undefined> {
  if (typeof source !== "function") return source;
  try {
    return await source(info);
  } catch (cause) {
    // A token that could not be fetched may be had a little later, so this is like a failed connection.
    throw isTailraceError(cause)
      ? cause
      : new TailraceError("connection_failed", "The headers function failed before the request was sent.", { cause });
  }
}

function makeHeaders(given: HeadersInit | undefined): Headers {
  try {
    return new Headers(given);
  } catch (cause) {
    throw new TailraceError("input_invalid", "A header has a name or value that cannot be sent; see the cause.", {
      cause,
    });
  }
}

function toJson(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new TailraceError("input_invalid", "The request's body cannot be written as JSON; see the cause.", { cause });
  }
}

/** Refuses an address that no attempt could ever reach, which a failed `fetch` would not tell from a lost network. */
function checkUrl(url: string | URL): void {
  const { document, location } = globalThis as {
    readonly document?: { readonly baseURI: string };
    readonly location?: { readonly href: string };
  };
  if (URL.canParse(String(url), document?.baseURI ?? location?.href)) return;
  const message = `The address "${String(url)}" is no URL here. Outside of a page it has to be absolute.`;
  throw new TailraceError("input_invalid", message, { details: { field: "url" } });
}
