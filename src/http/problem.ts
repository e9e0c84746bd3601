// Errors before the first byte: problem details for HTTP APIs (RFC 9457).

import { isTailraceError, type TailraceError } from "../errors.ts";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  460: "Checksum Mismatch",
  499: "Client Closed Request",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};

/**
 * The answer to a request that failed before its first byte, as `application/problem+json`.
 *
 * A {@link TailraceError} below 500 tells its message, code and details. Anything else, and any error of 500 and above,
 * tells only that it happened: internal details never reach a client.
 */
export function problem(error: unknown): Response {
  return isTailraceError(error) ? problemOf(error) : problemResponse(500, {});
}

function problemOf(error: TailraceError): Response {
  if (error.status >= 500) return problemResponse(error.status, { code: error.code });
  return problemResponse(error.status, { detail: error.message, code: error.code, ...error.details });
}

function problemResponse(status: number, members: Readonly<Record<string, unknown>>): Response {
  const body = { type: "about:blank", title: TITLES[status] ?? "Error", status, ...members };
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}
