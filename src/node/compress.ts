// Replies compressed by Accept-Encoding, so that each chunk can be read when it arrives.

import type { BytePull } from "../bytes/byte-pull.ts";
import { openSource } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import { addEncodingVary, parseAcceptEncoding } from "../http/accept-encoding.ts";
import { acceptedEncodings, type Encoding } from "../http/precompressed.ts";
import { trimOws } from "../http/ows.ts";
import { ENCODING_HEADER } from "../next/content-encoding.ts";
import { keepsContentEncoding } from "../next/content-length.ts";
import { pullOf, respond } from "../reply/reply.ts";
import { Coder, type EncodingLevels, hasEncoding, LEVEL_LIMITS } from "./compress-coder.ts";
import { coded304Headers, codedHeaders, hasNoTransform, plainBytes, withNoTransform } from "./compress-headers.ts";
import { CompressedPull } from "./compress-pull.ts";
import { isCompressibleType } from "./compress-types.ts";

/** Options of {@link compress}. */
export interface CompressOptions {
  /**
   * The codings to choose from; between those that the request wants equally, the first. Default: for an event stream
   * `["gzip", "zstd", "br"]`, else `["zstd", "br", "gzip"]`. zstd is passed over where Node has none (before 22.15).
   */
  readonly encodings?: readonly Encoding[] | undefined;
  /** The level of each coding. Default gzip 6, zstd 3, brotli 4, and 3 for an event stream. */
  readonly levels?: EncodingLevels | undefined;
  /** A reply that says that it is shorter than this is left as it is. Default 1,024 bytes. */
  readonly minBytes?: number | undefined;
  /** Whether a media type, in lower case and without parameters, is compressed. Default {@link isCompressibleType}. */
  readonly types?: ((type: string) => boolean) | undefined;
}

const DEFAULT_MIN_BYTES = 1_024;
const EVENT_STREAM = "text/event-stream";
// Where each event is flushed, gzip is the shortest of the three and takes the least memory; elsewhere it is the slowest.
const STREAM_ENCODINGS: readonly Encoding[] = ["gzip", "zstd", "br"];
const BODY_ENCODINGS: readonly Encoding[] = ["zstd", "br", "gzip"];

/**
 * The reply in the coding that the request prefers, flushed after each chunk: an event can be read when it arrives.
 * Demand reaches the source as before, and a source that fails cuts the body without the coding's end. What is coded
 * already, a part (206), without a body, too short or not worth it is given back as it is, and so is everything on a host
 * that drops `content-encoding` (see docs/compression.md for Next.js).
 *
 * @throws {TailraceError} `encode_refused` for a level that the coding does not have.
 */
export function compress(request: Request, response: Response, options: CompressOptions = {}): Response {
  checkLevels(options.levels);
  const { headers, status } = response;
  if (status === 304) {
    const coded = coded304Headers(headers, request.headers.get("if-none-match"));
    return coded === undefined ? response : withHeaders(response, coded);
  }
  const type = trimOws(headers.get("content-type")?.split(";", 1)[0] ?? "").toLowerCase();
  if (type === "" || !(options.types ?? isCompressibleType)(type)) return response;
  const isHead = request.method === "HEAD";
  // The pull first, here and below: asking a reply of ours for its body would make a web stream of it.
  const hasBody =
    pullOf(response) !== undefined || response.body !== null || (isHead && status !== 204 && status !== 205);
  const isWhole = status !== 206 && !headers.has("content-range");
  if (!hasBody || headers.has("content-encoding")) return response;

  const isEventStream = type === EVENT_STREAM;
  const encodings = options.encodings ?? (isEventStream ? STREAM_ENCODINGS : BODY_ENCODINGS);
  const isNext = process.env["NEXT_RUNTIME"] !== undefined && process.env["NEXT_RUNTIME"] !== "";
  if (isNext && !keepsContentEncoding()) {
    // Left to Next.js, whose own compression knows gzip alone.
    return isWhole && encodings.includes("gzip") && hasNoTransform(headers)
      ? withHeaders(response, withNoTransform(headers, false))
      : response;
  }

  const accepted = request.headers.get("accept-encoding");
  const isWorthIt = isWhole && isLongEnough(headers, parseAcceptEncoding(accepted).isPlainRefused, options);
  // Where nothing that it takes is there, a request gets the plain body, also one that refuses it (section 12.5.3).
  const [encoding] = isWorthIt ? acceptedEncodings(accepted, encodings.filter(hasEncoding)) : [];
  if (encoding === undefined) {
    const varied = new Headers(headers);
    addEncodingVary(varied);
    return withHeaders(response, varied);
  }
  const coded = isNext
    ? withNoTransform(codedHeaders(headers, encoding, ENCODING_HEADER), true) // or Next.js would code it once more
    : codedHeaders(headers, encoding, "content-encoding");
  const pull = plainPull(response);
  if (pull === undefined || isHead) {
    // RFC 9110 section 9.3.2: what a GET would say. What cannot be known before the body is coded is left out.
    pull?.close();
    return new Response(null, { status, statusText: response.statusText, headers: coded });
  }
  const levels = options.levels ?? {};
  const makeCoder = (): Coder => new Coder(encoding, isEventStream ? "idle" : "busy", levels);
  return respond(new CompressedPull(request.signal, pull, makeCoder), { status, headers: coded });
}

function isLongEnough(headers: Headers, isPlainRefused: boolean, options: CompressOptions): boolean {
  const bytes = plainBytes(headers);
  return bytes === undefined || (bytes > 0 && isPlainRefused) || bytes >= (options.minBytes ?? DEFAULT_MIN_BYTES);
}

function plainPull(response: Response): BytePull | undefined {
  return pullOf(response) ?? (response.body === null ? undefined : openSource(response.body));
}

function withHeaders(response: Response, headers: Headers): Response {
  const { status, statusText } = response;
  const pull = pullOf(response);
  return pull === undefined
    ? new Response(response.body, { status, statusText, headers })
    : respond(pull, { status, headers });
}

function checkLevels(levels: EncodingLevels | undefined): void {
  for (const encoding of ["gzip", "br", "zstd"] as const) {
    const level = levels?.[encoding];
    const [least, most] = LEVEL_LIMITS[encoding];
    if (level === undefined || (Number.isInteger(level) && level >= least && level <= most)) continue;
    throw new TailraceError(
      "encode_refused",
      `${encoding} has the levels ${least} to ${most}, and ${level} is none of them.`,
    );
  }
}
