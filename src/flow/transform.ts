// `transform`: a request's body, changed on its way through and sent back as it comes. Nothing is held but what is under way.

import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import { streamHeaders } from "../http/stream-headers.ts";
import { makeByteReply } from "../reply/byte-reply.ts";
import { report } from "../trace.ts";
import { TransformPull } from "../wire/transform-pull.ts";
import type { TransformAs, TransformFunction } from "../wire/transform-types.ts";
import { openTransformBody, type TransformBody } from "./transform-body.ts";
import type { TransformOptions } from "./transform-options.ts";

const CONTENT_TYPES: Readonly<Record<TransformAs, string>> = {
  bytes: "application/octet-stream",
  text: "text/plain; charset=utf-8",
  lines: "text/plain; charset=utf-8",
  rows: "application/x-ndjson",
};

/**
 * Sends the request's body back as `fn` changes it, while it still comes. The reader's demand asks `fn`, which asks the sender: none of
 * them runs ahead, and a body of any size takes the same memory.
 *
 * ```ts
 * export const POST = (request: Request): Promise<Response> =>
 *   transform(request, (text) => text.toUpperCase(), { as: "text" });
 * ```
 *
 * The answer begins with the first output. What fails before it is answered by problem details: 400 for bytes that are not what `as` says,
 * 413 past a limit, 415 for a coding other than gzip and deflate, 408 for a slow sender, 500 if `fn` throws (a `TailraceError`: its own
 * status). What fails later cuts the connection, so that the reader never takes a part for the whole.
 *
 * @returns the answer; rejects only with `input_invalid`, for options that are none
 */
export async function transform<As extends TransformAs = "bytes">(
  request: Request,
  fn: TransformFunction<As>,
  options: TransformOptions<As> = {},
): Promise<Response> {
  const tell =
    options.onError ?? ((error: unknown) => void (isTailraceError(error, "aborted") || report("transform", error)));
  let body: TransformBody;
  try {
    body = openTransformBody(request, options);
  } catch (error) {
    return refusal(error, tell);
  }
  let pull: TransformPull<As>;
  try {
    pull = new TransformPull(body.input, fn, options);
  } catch (error) {
    body.refuse();
    throw error;
  }
  const stop = stopOnAbort(request, options.signal, pull);
  let first: IteratorResult<Chunk, undefined>;
  try {
    first = await pull.next();
  } catch (error) {
    stop();
    if (request.signal.aborted) body.cancel();
    else body.refuse();
    return refusal(error, tell);
  }
  const release = (): void => {
    stop();
    pull.close();
    body.cancel();
  };
  const headers = streamHeaders(options.contentType ?? CONTENT_TYPES[options.as ?? "bytes"], options.headers);
  return makeByteReply(
    request,
    { open: () => behind(first, pull), release },
    { status: options.status ?? 200, headers, onError: tell },
  );
}

/** Ends `pull` when either side gives up, whatever it waits for. The returned function stops looking. */
function stopOnAbort(
  request: Request,
  signal: AbortSignal | undefined,
  pull: { cut(error: unknown): void },
): () => void {
  const signals = signal === undefined ? [request.signal] : [request.signal, signal];
  const onAbort = (): void => {
    const left = request.signal.aborted;
    const message = left ? "The sender left before the transform had ended." : "The transform was stopped.";
    pull.cut(new TailraceError("aborted", message, { cause: (left ? request.signal : signal)?.reason }));
  };
  for (const each of signals) {
    if (each.aborted) onAbort();
    else each.addEventListener("abort", onAbort);
  }
  return () => {
    for (const each of signals) each.removeEventListener("abort", onAbort);
  };
}

/** `pull` from its start, of which `first` has been read. */
function behind(first: IteratorResult<Chunk, undefined>, pull: BytePull): BytePull {
  let isFirst = true;
  return {
    next() {
      if (!isFirst) return pull.next();
      isFirst = false;
      return first;
    },
    close: () => pull.close(),
    recycle: (chunk) => pull.recycle?.(chunk),
  };
}

function refusal(error: unknown, tell: (error: unknown) => void): Response {
  if (!isTailraceError(error) || error.status >= 500) tell(error);
  const response = problem(error);
  // RFC 9110 section 15.5.16: what would have been taken. Only a coding is refused as a type here.
  if (isTailraceError(error, "type_refused")) response.headers.set("accept-encoding", "gzip, deflate");
  return response;
}
