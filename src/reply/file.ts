// Files as replies: RFC 9110 sections 8.8, 13 and 14, for anything with a size that gives the bytes between two places.

import { isPromiseLike } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import { DEFAULT_MAX_RANGES, planRanges, type RangePlan, contentRange, unsatisfiedRange } from "../http/range.ts";
import { evaluatePreconditions, ifRangeHolds } from "../http/validators.ts";
import { makeByteReply } from "./byte-reply.ts";
import { fileHeaders, notModifiedHeaders, offloadHeaders } from "./file-headers.ts";
import type { FileOptions } from "./file-options.ts";
import { newBoundary, severalParts, singlePart, type FileBody } from "./file-parts.ts";
import { type FileLike, type FileSource, toFileSource } from "./file-source.ts";
import { type Choice, chooseVariant } from "./file-variants.ts";

/** The size of what is sent, in bytes, for hosts that take `content-length` away (Next.js does). */
export const LENGTH_HEADER = "tailrace-content-length";

/** With a promise of a source, as `diskFile` gives it: 404 as problem details if there is no such file. */
export function file(request: Request, source: PromiseLike<FileLike>, options?: FileOptions): Promise<Response>;
/**
 * Replies with a file: whole, in part (`Range`), or with 304, 412 or 416 where the request's conditions say so. Exactly
 * the announced bytes are sent; a source that falls short cuts the connection. The source is closed on every way out.
 *
 * @throws {TailraceError} `source_invalid` for a source that is no file, `encode_refused` for an option that no header can carry.
 */
export function file(request: Request, source: FileLike, options?: FileOptions): Response;
export function file(
  request: Request,
  source: FileLike | PromiseLike<FileLike>,
  options: FileOptions = {},
): Response | Promise<Response> {
  if (!isPromiseLike<FileLike>(source)) return reply(request, source, options);
  return Promise.resolve(source).then(
    (ready) => reply(request, ready, options),
    (error: unknown) => {
      for (const { source: variant } of options.variants ?? []) toFileSource(variant).close();
      if (isTailraceError(error)) return problem(error);
      throw error;
    },
  );
}

function reply(request: Request, like: FileLike, options: FileOptions): Response {
  const opened: FileSource[] = [];
  const open = (each: FileLike): FileSource => {
    const source = toFileSource(each);
    opened.push(source);
    return source;
  };
  try {
    const source = open(like);
    const variants = options.variants?.map((each) => ({ encoding: each.encoding, source: open(each.source) }));
    const choice = chooseVariant(request, source, variants, options);
    for (const each of opened) if (each !== choice.source) each.close();
    return answer(request, choice, options);
  } catch (error) {
    for (const each of opened) each.close();
    throw error;
  }
}

function answer(request: Request, choice: Choice, options: FileOptions): Response {
  const { source } = choice;
  if (options.offload !== undefined) {
    const headers = offloadHeaders(choice, options, options.offload);
    source.close();
    return new Response(null, { headers });
  }
  const headers = fileHeaders(choice, options);
  switch (evaluatePreconditions(request.method, request.headers, choice)) {
    case "not_modified":
      source.close();
      return new Response(null, { status: 304, headers: notModifiedHeaders(headers) });
    case "failed":
      source.close();
      return refuse(
        new TailraceError("precondition_failed", "The file is not in the state that If-Match or its kin names."),
        headers,
      );
    case "proceed":
      break;
  }
  const plan = rangePlan(request, choice, options.maxRanges ?? DEFAULT_MAX_RANGES);
  if (plan.kind === "unsatisfiable") {
    const { size } = source;
    source.close();
    headers.set("content-range", unsatisfiedRange(size));
    return refuse(
      new TailraceError(
        "range_unsatisfiable",
        `The file has ${size.toLocaleString("en")} bytes; ask for some of these.`,
        {
          details: { sizeBytes: size },
        },
      ),
      headers,
    );
  }
  const { status, body } = bodyOf(plan, source, headers, options);
  headers.set("content-length", String(body.length));
  headers.set(LENGTH_HEADER, String(body.length));
  return makeByteReply(
    request,
    { open: () => body.open(), release: () => source.close() },
    { status, headers, onError: options.onError },
  );
}

/** Section 14.2: Range counts for GET alone. Section 13.2.2: If-Range is looked at last. */
function rangePlan(request: Request, choice: Choice, maxRanges: number): RangePlan {
  if (request.method !== "GET" || maxRanges === 0) return { kind: "whole" };
  const value = request.headers.get("range");
  if (value === null || !ifRangeHolds(request.headers, choice)) return { kind: "whole" };
  return planRanges(value, choice.source.size, maxRanges);
}

function bodyOf(
  plan: Exclude<RangePlan, { kind: "unsatisfiable" }>,
  source: FileSource,
  headers: Headers,
  options: FileOptions,
): { readonly status: 200 | 206; readonly body: FileBody } {
  if (plan.kind === "whole") return { status: 200, body: singlePart(source, { start: 0, end: source.size }) };
  // A host that compressed a part would send bytes that its Content-Range does not name (RFC 9111 section 5.2.2.6).
  if (options.cacheControl === undefined && new Headers(options.headers).get("cache-control") === null) {
    headers.append("cache-control", "no-transform");
  }
  const [first, ...others] = plan.ranges;
  if (others.length === 0) {
    headers.set("content-range", contentRange(first, source.size));
    return { status: 206, body: singlePart(source, first) };
  }
  const boundary = newBoundary();
  const body = severalParts(source, plan.ranges, headers.get("content-type") ?? "", boundary);
  headers.set("content-type", `multipart/byteranges; boundary=${boundary}`); // no Content-Range here (section 15.3.7.2)
  return { status: 206, body };
}

/** A problem that keeps what a cache and a client need to go on. */
function refuse(error: TailraceError, headers: Headers): Response {
  const response = problem(error);
  for (const name of ["accept-ranges", "content-range", "vary"]) {
    const value = headers.get(name);
    if (value !== null) response.headers.set(name, value);
  }
  return response;
}
