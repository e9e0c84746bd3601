// One request of a transfer: sent, watched for silence, and its answer judged.

import { isTailraceError, TailraceError } from "../errors.ts";
import { withDefaults } from "./open-defaults.ts";
import { requestHeaders } from "./request.ts";
import { responseError } from "./response.ts";
import { parseRetryAfterMs } from "./retry-delay.ts";
import type { TransferOptions } from "./transfer-types.ts";
import { untilAborted } from "./transfer-wait.ts";
import { canUseXhr, fetchByXhr } from "./transfer-xhr.ts";
import { startWatchdog } from "./watchdog.ts";

/** The slowest upload that is not taken for dead where nothing tells how much has left: 10 KiB per second. */
const MIN_BLIND_BYTES_PER_SECOND = 10_240;
/** The slowest server that is not taken for dead while it handles a body that has arrived: 10 MiB per second. */
const MIN_HANDLING_BYTES_PER_SECOND = 10_485_760;

/** One request. */
export interface TransferRequest {
  readonly method: string;
  readonly url: string;
  /** Set over the caller's own headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Blob | undefined;
  /** Bytes that the server has to handle before it answers, beside the body. */
  readonly handledBytes?: number | undefined;
  /** Attempts lost before this one, for the function that makes the headers. */
  readonly attempt: number;
  /** Statuses that `read` is called with; all others are errors. */
  accepts(status: number): boolean;
  /** Tells how much of the body was given to the network, where that can be told. */
  onSent?(bytes: number): void;
}

/** Statuses after which the same request may succeed: timeouts, locked, too early, too many, the server's own troubles. */
function mayPass(status: number): boolean {
  return status === 408 || status === 423 || status === 425 || status === 429 || status >= 500;
}

async function errorOf(response: Response): Promise<TailraceError> {
  const { status, headers } = response;
  const lost = mayPass(status);
  const error = await responseError(response, lost ? "connection_failed" : "response_refused");
  const { message, details } = error;
  if (status === 413) return new TailraceError("limit_exceeded", message, { details });
  if (!lost) return error;
  const retryAfterMs = parseRetryAfterMs(headers.get("retry-after"), headers.get("date"), Date.now());
  return new TailraceError(error.code, message, { status, details: { ...details, retryAfterMs } });
}

function idleError(limitMs: number): TailraceError {
  const message = `The request showed no sign of life for ${limitMs} ms, so it counts as cut. Raise idleMs if the server is that slow.`;
  return new TailraceError("connection_failed", message, { details: { idleMs: limitMs } });
}

/**
 * Sends a request and gives what `read` makes of its answer; the watch covers both.
 *
 * @throws TailraceError `connection_failed`: another attempt may help (`details.retryAfterMs`: not before) ·
 * `limit_exceeded` (413) and `response_refused`: none will · the signal's reason once that has aborted.
 */
export async function sendRequest<R>(
  options: TransferOptions,
  request: TransferRequest,
  signal: AbortSignal,
  read: (response: Response) => Promise<R>,
): Promise<R> {
  const { method, url, body, attempt } = request;
  const defaults = withDefaults(options);
  const byXhr = body !== undefined && canUseXhr(options);
  const rate = body === undefined || byXhr ? MIN_HANDLING_BYTES_PER_SECOND : MIN_BLIND_BYTES_PER_SECOND;
  const limitMs = defaults.idleMs + ((request.handledBytes ?? body?.size ?? 0) * 1000) / rate;

  // Its own controller, not AbortSignal.any: a transfer of thousands of requests leaves nothing behind on the signal.
  const own = new AbortController();
  const abort = (): void => own.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const watch = startWatchdog(limitMs, () => own.abort(idleError(Math.round(limitMs))));
  try {
    const headers = await untilAborted(requestHeaders(options.headers, { attempt, lastEventId: "" }), own.signal);
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, value);
    const credentials = options.credentials ?? "same-origin";
    const onSent = (bytes: number): void => {
      watch.touch();
      request.onSent?.(bytes);
    };
    const fetching = byXhr
      ? fetchByXhr({ url, method, headers, body, credentials }, own.signal, onSent)
      : defaults.fetch(url, {
          method,
          headers,
          credentials,
          cache: "no-store",
          signal: own.signal,
          ...(body === undefined ? {} : { body }),
        });
    const response = await untilAborted(fetching, own.signal).catch((error: unknown) => {
      // A response that comes after all is let go, not left open.
      if (own.signal.aborted) fetching.then((late) => late.body?.cancel()).catch(() => undefined);
      throw error;
    });
    watch.touch();
    const accepted = request.accepts(response.status);
    return await untilAborted(accepted ? read(response) : errorOf(response).then(fail), own.signal);
  } catch (cause) {
    if (own.signal.aborted) throw own.signal.reason;
    if (isTailraceError(cause)) throw cause;
    throw new TailraceError("connection_failed", "The connection to the server failed or was cut.", { cause });
  } finally {
    watch.stop();
    signal.removeEventListener("abort", abort);
  }
}

function fail(error: TailraceError): never {
  throw error;
}
