// NDJSON and text: formats without room for an error, so that a source that fails cuts the connection.

import { assertSource, openSource, type Source } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import { isNamed, type NamedSource } from "../log/named.ts";
import { encodeRow } from "../wire/ndjson.ts";
import { makeReply, type ReplyOptions } from "./reply.ts";

/** A named stream is looked up first, hence the promise: 404 if it is not there. */
export function ndjson(request: Request, source: NamedSource<unknown>, options?: ReplyOptions): Promise<Response>;
/**
 * Replies with one JSON value and LF per item (`application/x-ndjson`). A source that throws cuts the connection: what
 * the reader has is never taken for the whole.
 *
 * @throws {TailraceError} `source_invalid`
 */
export function ndjson(request: Request, source: Source<unknown>, options?: ReplyOptions): Response;
export function ndjson(
  request: Request,
  source: Source<unknown> | NamedSource<unknown>,
  options: ReplyOptions = {},
): Response | Promise<Response> {
  return lines(request, source, "application/x-ndjson; charset=utf-8", encodeRow, options);
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
  options: ReplyOptions = {},
): Response | Promise<Response> {
  return lines(request, source, "text/plain; charset=utf-8", encodeText, options);
}

function encodeText(item: unknown): string {
  if (typeof item === "string") return item;
  throw new TailraceError("encode_refused", `An item of a text reply is a string, not ${typeof item}.`);
}

function lines<T>(
  request: Request,
  source: Source<T> | NamedSource<T>,
  contentType: string,
  encode: (item: T) => string,
  options: ReplyOptions,
): Response | Promise<Response> {
  assertSource(source);
  const reply = (): Response =>
    makeReply(
      request,
      () => openSource(source),
      {
        contentType,
        farewell: undefined,
        writer: {
          open: "", // an empty first chunk makes a host send the headers at once
          encode,
          close: () => "",
          fail: () => undefined,
          heartbeat: undefined,
          heartbeatMs: 0,
        },
      },
      options,
    );
  if (!isNamed(source)) return reply();
  return source.open().then(reply, (error: unknown) => {
    if (isTailraceError(error)) return problem(error);
    throw error;
  });
}
