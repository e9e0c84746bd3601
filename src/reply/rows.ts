// NDJSON and text: formats whose own grammar has no room for an error, so that a source that fails cuts the connection.

import { assertSource, type Source } from "../bytes/source.ts";
import type { ChunkWriter } from "../bytes/chunks.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import type { FollowEvent, FollowPull, OpenFollow } from "../log/follow.ts";
import { gapError, isNamed, throwIfBroken, type NamedSource } from "../log/named.ts";
import { fromPayload } from "../log/payload.ts";
import type { Payload } from "../log/store.ts";
import { END_RECORD, ROWS_HEADER } from "../wire/ndjson-end.ts";
import { encodeRow } from "../wire/ndjson.ts";
import { attachmentHeaders, type AttachmentOptions } from "./attachment.ts";
import { makeReply, type ReplyOptions } from "./reply.ts";
import { openRows, type RowSourceOptions } from "./row-batches.ts";
import { RowsEndWriter } from "./rows-end.ts";
import { setTrailers, type TrailerOptions } from "./trailers.ts";

/** Options of {@link ndjson}. */
export interface RowsOptions extends ReplyOptions, AttachmentOptions, RowSourceOptions, TrailerOptions {
  /**
   * Write an end record behind the last row, and announce it by the header `tailrace-rows: end-record` (PROTOCOL.md, section 3.1), so that a
   * reader can tell a cut from an end, and how many rows there were. A failed source is told there too, before the cut.
   * @default false
   */
  readonly endRecord?: boolean | undefined;
  /**
   * Silence after which a blank line is sent, in milliseconds. Only for readers that skip blank lines, as ours do; some others throw.
   * Default: none is sent.
   */
  readonly heartbeatMs?: number | undefined;
}

/** How the items of a format are written. */
export interface RowFormat<T> {
  readonly contentType: string;
  /** What is sent at once, before the source is opened. Default: nothing. */
  readonly open?: (() => string) | undefined;
  readonly encode: (item: T) => string;
  readonly encodePayload: (payload: Payload) => string;
}

const ROWS: RowFormat<unknown> = {
  contentType: "application/x-ndjson; charset=utf-8",
  encode: encodeRow,
  // The payload of a JSON stream is the JSON text already, without any line end.
  encodePayload: (payload) => (typeof payload === "string" ? `${payload}\n` : encodeRow(payload)),
};

const TEXT: RowFormat<string> = {
  contentType: "text/plain; charset=utf-8",
  encode: encodeText,
  encodePayload: (payload) => encodeText(fromPayload(payload)),
};

/** A named stream is looked up first, hence the promise: 404 if it is not there. */
export function ndjson(request: Request, source: NamedSource<unknown>, options?: RowsOptions): Promise<Response>;
/**
 * Replies with one JSON value and LF per item (`application/x-ndjson`). A source that throws cuts the connection: what
 * the reader has is never taken for the whole.
 *
 * @throws {TailraceError} `source_invalid`; `input_invalid` for a `heartbeatMs` that is no positive number
 */
export function ndjson(request: Request, source: Source<unknown>, options?: RowsOptions): Response;
export function ndjson(
  request: Request,
  source: Source<unknown> | NamedSource<unknown>,
  options: RowsOptions = {},
): Response | Promise<Response> {
  return replyRows(request, source, ROWS, options);
}

/** A named stream is looked up first, hence the promise: 404 if it is not there. */
export function text(request: Request, source: NamedSource<string>, options?: ReplyOptions): Promise<Response>;
/**
 * Replies with the strings of the source as they are (`text/plain`). A source that throws cuts the connection.
 *
 * @throws {TailraceError} `source_invalid`
 */
export function text(request: Request, source: Source<string>, options?: ReplyOptions): Response;
export function text(
  request: Request,
  source: Source<string> | NamedSource<string>,
  { status, headers, onError }: ReplyOptions = {},
): Response | Promise<Response> {
  return replyRows(request, source, TEXT, { status, headers, onError });
}

function encodeText(item: unknown): string {
  if (typeof item === "string") return item;
  throw new TailraceError("encode_refused", `An item of a text reply is a string, not ${typeof item}.`);
}

/** Replies with the items of any source in `format`. */
export function replyRows<T>(
  request: Request,
  source: Source<T> | NamedSource<T>,
  format: RowFormat<T>,
  options: RowsOptions,
): Response | Promise<Response> {
  assertSource(source);
  const heartbeat = heartbeatOf(options.heartbeatMs);
  const end = options.endRecord === true ? new RowsEndWriter() : undefined;
  const headers = attachmentHeaders(options.headers, options.filename);
  if (end !== undefined) headers.append(ROWS_HEADER, END_RECORD);
  const rest = {
    open: format.open?.() ?? "", // an empty first chunk makes a host send the headers at once
    fail: (error: unknown): string | undefined => end?.failure(error),
    cutsAfterFail: true,
    ...heartbeat,
  };
  const make = <I>(
    open: Parameters<typeof makeReply<I>>[1],
    { encode, close }: Pick<ChunkWriter<I>, "encode" | "close">,
  ): Response => {
    let rowCount = 0;
    const counted = (item: I): string => {
      const row = encode(item);
      if (row !== "") rowCount++; // the mark between replay and tail is no row
      return row;
    };
    const hasTrailers = options.trailers === true;
    const writer = { ...rest, encode: hasTrailers ? counted : encode, close };
    const shape = { contentType: format.contentType, farewell: undefined, writer };
    const response = makeReply<I>(request, open, shape, { ...options, headers });
    if (hasTrailers) setTrailers(response, { rowCount: () => rowCount });
    return response;
  };

  if (!isNamed(source)) {
    const encode = end === undefined ? format.encode : (item: T) => end.row(format.encode(item));
    return make(() => openRows<T>(source, options.batches === true), {
      encode,
      close: () => end?.end("completed") ?? "",
    });
  }

  let pull: FollowPull | undefined;
  const writer = {
    encode: (event: FollowEvent): string => {
      if (event.kind === "live") return "";
      if (event.kind === "gap") throw gapError(source.name, event.gap);
      const row = format.encodePayload(event.item.payload);
      return end === undefined ? row : end.row(row);
    },
    close: (): string => {
      throwIfBroken(source.name, pull?.end);
      // Without an end the follower was closed, and nobody reads on.
      return (pull?.end && end?.end(pull.end.reason)) ?? "";
    },
  };
  return source.open().then(
    (opened: OpenFollow) => make(() => (pull = opened.pull()), writer),
    (error: unknown) => {
      if (isTailraceError(error)) return problem(error);
      throw error;
    },
  );
}

function heartbeatOf(heartbeatMs: number | undefined): { heartbeat: string | undefined; heartbeatMs: number } {
  if (heartbeatMs === undefined || heartbeatMs === Infinity) return { heartbeat: undefined, heartbeatMs: 0 };
  if (heartbeatMs >= 1) return { heartbeat: "\n", heartbeatMs };
  const message = `heartbeatMs must be at least 1 millisecond, not ${heartbeatMs}; leave it out for none.`;
  throw new TailraceError("input_invalid", message);
}
