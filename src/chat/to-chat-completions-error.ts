// Errors in OpenAI's shape: what a client of theirs makes its own error classes of.

import { isTailraceError } from "../errors.ts";
import { classifyModelError, type ModelErrorKind } from "./model-errors.ts";

/** The body of an error. */
export interface CompletionErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: string | null;
    readonly param: string | null;
  };
}

/** An error, and how it is answered before the first byte. */
export interface CompletionError {
  readonly status: number;
  readonly body: CompletionErrorBody;
  readonly retryAfterMs?: number | undefined;
}

const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
};

/** How an error of the model is told to those who asked us. Its refusal of our credentials or request is no fault of theirs. */
const KINDS: Readonly<Record<ModelErrorKind, readonly [status: number, code: string]>> = {
  rate_limit: [429, "rate_limit_exceeded"],
  context_length: [400, "context_length_exceeded"],
  content_filter: [400, "content_filter"],
  overloaded: [503, "overloaded"],
  network: [502, "upstream_failed"],
  timeout: [504, "upstream_slow"],
  authentication: [500, "source_failed"],
  invalid_request: [500, "source_failed"],
  unknown: [500, "source_failed"],
};

/** `error` in OpenAI's shape. Of one that is no error of the reader's, it tells its class alone. */
export function completionError(error: unknown): CompletionError {
  if (!isTailraceError(error) || "kind" in error.details) {
    const { kind, message, retryAfterMs } = classifyModelError(error);
    const [status, code] = KINDS[kind];
    return { status, body: bodyOf(status, message, code, null), retryAfterMs };
  }
  const { status, details } = error;
  const isTold = status < 500 || details["isTold"] === true;
  const named = details["reason"] === "stopped" ? "stopped" : details["openaiCode"];
  const { field, retryAfterMs } = details as { readonly field?: unknown; readonly retryAfterMs?: unknown };
  const message = isTold ? error.message : "The answer failed before its end.";
  return {
    status,
    body: bodyOf(
      status,
      message,
      typeof named === "string" ? named : error.code,
      typeof field === "string" ? field : null,
    ),
    retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : undefined,
  };
}

function bodyOf(status: number, message: string, code: string, param: string | null): CompletionErrorBody {
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  return { error: { message, type, code, param } };
}

/** An error before the first byte. */
export function errorResponse(error: unknown, headers: HeadersInit = {}): Response {
  const { status, body, retryAfterMs } = completionError(error);
  const all = new Headers(headers);
  all.set("cache-control", "no-store");
  // RFC 9110 section 10.2.3 counts in whole seconds.
  if (retryAfterMs !== undefined) all.set("retry-after", String(Math.ceil(retryAfterMs / 1_000)));
  return Response.json(body, { status, headers: all });
}
