// Another server's answer, passed on as it comes: what is true of the wire between the two stays behind, and an end in the middle
// reaches both sides.

import { systemClock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import { takeBody } from "../receive/body-pull.ts";
import { makeByteReply } from "../reply/byte-reply.ts";
import { report } from "../trace.ts";
import { isRaw } from "./fetch-marks.ts";
import { RelayBody } from "./relay-body.ts";
import { upstreamError } from "./relay-errors.ts";
import { type AskUpstream, discard, RelayExchange } from "./relay-exchange.ts";
import { announcedBytes, answerHeaders, isDecoded } from "./relay-headers.ts";
import { DEFAULT_FIRST_CHUNK_MS, DEFAULT_IDLE_MS, type RelayOptions } from "./relay-options.ts";

/** Answers without content (RFC 9110 section 15), which `Response` takes with no body only. */
const NO_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Answers `request` with what `upstream` answers: an address, a Request of your own, a Response, or a function that gets one.
 *
 * Status, headers and body are the upstream's, also for 4xx and 5xx. What fails before the first byte is answered with problem details:
 * `upstream_failed` (502), `upstream_slow` (504), `address_refused` (403). What fails later cuts the connection. When the client leaves,
 * by the request's signal or by cancelling the body, the upstream's connection is closed.
 *
 * @throws {TailraceError} `source_invalid` for a Response that has been read before
 */
export async function relay(
  request: Request,
  upstream: string | URL | Request | Response | AskUpstream,
  options: RelayOptions = {},
): Promise<Response> {
  if (upstream instanceof Response && (upstream.bodyUsed || upstream.body?.locked === true)) {
    throw new TailraceError("source_invalid", "The upstream's response has been read before; hand it on unread.");
  }
  const exchange = new RelayExchange(request, options);
  try {
    const response = await answerOf(exchange, upstream);
    return await passOn(request, response, exchange, options);
  } catch (error) {
    exchange.end();
    const failure = upstreamError(error);
    const { onError } = options;
    if (failure.code !== "aborted") {
      if (onError !== undefined) onError(failure);
      else if (failure.status >= 500) report("relay", failure);
    }
    return problem(failure);
  }
}

function answerOf(
  exchange: RelayExchange,
  upstream: string | URL | Request | Response | AskUpstream,
): Promise<Response> {
  if (typeof upstream === "function") return exchange.ask(upstream);
  if (upstream instanceof Response) return exchange.ask(() => Promise.resolve(upstream));
  return exchange.fetch(upstream);
}

async function passOn(
  request: Request,
  response: Response,
  exchange: RelayExchange,
  options: RelayOptions,
): Promise<Response> {
  const { status } = response;
  if (status < 200 || status > 599) {
    discard(response);
    throw new TailraceError(
      "upstream_failed",
      `The upstream answered with the status ${status}, which cannot be passed on.`,
    );
  }
  const coding = response.headers.get("content-encoding");
  const decoded = !isRaw(response) && isDecoded(coding);
  const isEventStream = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
  const headers = answerHeaders(response.headers, {
    isDecoded: decoded,
    isEventStream,
    cookies: options.cookies === true,
  });
  if (response.body === null || NO_CONTENT.has(status) || request.method === "HEAD") {
    discard(response);
    exchange.answered();
    if (status === 204 || status === 205) headers.delete("content-length"); // RFC 9110 section 8.6
    return new Response(null, { status, headers });
  }
  if (status === 206 && decoded) {
    discard(response);
    throw new TailraceError("upstream_failed", "The upstream sent a part of a coded body, which cannot be decoded.");
  }
  const { onError, maxBytes = Infinity } = options;
  const { idleMs = isEventStream ? Infinity : DEFAULT_IDLE_MS, firstChunkMs = DEFAULT_FIRST_CHUNK_MS } = options;
  const limits = { announcedBytes: announcedBytes(headers), maxBytes, idleMs, clock: systemClock };
  const body = new RelayBody(takeBody(response.body).pull, limits);
  const release = (): void => {
    const { isOver } = body;
    body.close();
    // Else the connection goes back to its pool, to be used again.
    if (!isOver) exchange.end();
  };
  try {
    await exchange.during(body.begin(isEventStream ? 0 : firstChunkMs));
  } catch (error) {
    release();
    throw error;
  }
  exchange.answered();
  return makeByteReply(request, { open: () => body, release }, { status, headers, onError });
}
