// What went wrong at the upstream, in one of four codes. The client gets the code; who runs the relay gets the cause.

import { isTailraceError, TailraceError } from "../errors.ts";

/** How deep causes are looked at. */
const MAX_CAUSE_DEPTH = 5;
/** Codes of Node.js and of its fetch for a connection or an answer that did not come in time. */
const SLOW: ReadonlySet<unknown> = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** `error`, or the first of its causes that says what it is; else `upstream_failed`. */
export function upstreamError(error: unknown): TailraceError {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSE_DEPTH && typeof cause === "object" && cause !== null; depth++) {
    if (isTailraceError(cause)) return cause;
    const { code, name } = cause as { readonly code?: unknown; readonly name?: unknown };
    if (SLOW.has(code) || name === "TimeoutError") {
      return new TailraceError("upstream_slow", "The upstream did not answer in time.", { cause: error });
    }
    cause = (cause as { readonly cause?: unknown }).cause;
  }
  const message = "The upstream could not be reached, or broke off before its first byte.";
  return new TailraceError("upstream_failed", message, { cause: error });
}

/** A refusal that tells a client nothing of the address; the cause does. */
export function addressRefused(why: string): TailraceError {
  return new TailraceError("address_refused", "The upstream's address may not be asked.", { cause: new Error(why) });
}
