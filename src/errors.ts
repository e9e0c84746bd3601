// The one error class of the package and its closed set of codes.

/**
 * Why something failed. The set is closed: a new code is a change of the public surface.
 *
 * | code | meaning | HTTP status when it reaches a client |
 * |---|---|---|
 * | `source_invalid` | the value given as a source cannot be pulled from | 500 |
 * | `source_failed` | a source threw while it was read | 500 |
 * | `encode_refused` | a value would corrupt the stream or cannot be written in the format | 500 |
 * | `decode_failed` | bytes that are not what the format says | 400 |
 * | `limit_exceeded` | something is larger than the stated limit | 413 |
 * | `input_invalid` | a request's body, query or field has the wrong shape | 422 (400 when it cannot be parsed at all) |
 * | `cursor_invalid` | a `Last-Event-ID` or cursor that no stream ever gave out | 400 |
 * | `stream_unknown` | no stream of that name | 404 |
 * | `stream_exists` | a stream of that name exists with another configuration | 409 |
 * | `stream_closed` | an append to a stream that has ended | 409 |
 * | `gap` | history asked for that is no longer kept | 410 |
 * | `fenced` | an append by an owner or producer that has been replaced | 403 |
 * | `sequence_gap` | a producer skipped a sequence number | 409 |
 * | `conflict` | `expect` named another tail than the stream has | 409 |
 * | `not_found` | no such file, or one that may not be served | 404 |
 * | `precondition_failed` | `If-Match` or `If-Unmodified-Since` names another state | 412 |
 * | `range_unsatisfiable` | a `Range` that lies behind the end of the file | 416 |
 * | `truncated` | a body ended before the size that its sender announced, or before its final boundary | 400 |
 * | `digest_mismatch` | a body is not what `Content-Digest` or `Repr-Digest` says | 400 |
 * | `too_slow` | the sender was silent, or slower than the stated minimum | 408 |
 * | `type_refused` | a file of a type, or in a coding, that is not taken | 415 |
 * | `upstream_failed` | another server could not be reached, or broke off before its first byte | 502 |
 * | `upstream_slow` | another server did not answer in time | 504 |
 * | `address_refused` | an address that may not be asked: not on the list, or in a private range | 403 |
 * | `queue_full` | as much waits as may wait; come back later | 429 |
 * | `store_unavailable` | the store cannot be opened, read or written | 503 |
 * | `store_newer` | the store was written by a newer version | 503 |
 * | `store_damaged` | the store's file is not a database or is corrupt | 503 |
 * | `connection_failed` | the client could not reach the server, or the server kept failing | - |
 * | `response_refused` | the server answered with a status or a type that is not a stream | - |
 * | `aborted` | the caller's signal aborted | 499 |
 * | `closed` | the object was closed before the call | 503 |
 */
export type ErrorCode = keyof typeof STATUS;

const STATUS = {
  source_invalid: 500,
  source_failed: 500,
  encode_refused: 500,
  decode_failed: 400,
  limit_exceeded: 413,
  input_invalid: 422,
  cursor_invalid: 400,
  stream_unknown: 404,
  stream_exists: 409,
  stream_closed: 409,
  gap: 410,
  fenced: 403,
  sequence_gap: 409,
  conflict: 409,
  not_found: 404,
  precondition_failed: 412,
  range_unsatisfiable: 416,
  truncated: 400,
  digest_mismatch: 400,
  too_slow: 408,
  type_refused: 415,
  upstream_failed: 502,
  upstream_slow: 504,
  address_refused: 403,
  queue_full: 429,
  store_unavailable: 503,
  store_newer: 503,
  store_damaged: 503,
  connection_failed: 502,
  response_refused: 502,
  aborted: 499,
  closed: 503,
} as const;

/** What a {@link TailraceError} carries beside its message. */
export interface ErrorOptions {
  readonly cause?: unknown;
  /** The HTTP status to answer with, where the code's own does not fit. */
  readonly status?: number | undefined;
  /** Machine-readable facts (numbers with their unit in the name), safe to show to a client. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

const MARK: symbol = Symbol.for("tailrace.error");

/**
 * Every error that Tailrace throws or rejects with. The message says what happened, the number with its unit, and what
 * to do about it; the cause is kept.
 *
 * Test with {@link isTailraceError} rather than `instanceof`: a bundler may load the module twice.
 */
export class TailraceError extends Error {
  override readonly name = "TailraceError";
  readonly code: ErrorCode;
  /** The HTTP status that fits when the error reaches a client. */
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = options.status ?? STATUS[code];
    this.details = options.details ?? {};
    Object.defineProperty(this, MARK, { value: true });
  }
}

/** Whether `value` is a {@link TailraceError}, from this copy of the package or another; with `code`, of that code. */
export function isTailraceError(value: unknown, code?: ErrorCode): value is TailraceError {
  if (typeof value !== "object" || value === null || !(MARK in value)) return false;
  return code === undefined || (value as TailraceError).code === code;
}
