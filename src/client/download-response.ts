// What a response says about a file and the part of it that it carries; and whether that fits what is here already.

import { TailraceError } from "../errors.ts";
import { parseHttpDate } from "../http/http-date.ts";
import { sha256OfHeader } from "./transfer-digest.ts";

/** What tells one version of a file from another. */
export interface Validator {
  /** A strong entity tag, or null. */
  readonly etag: string | null;
  /** Whether there was an entity tag that is weak. */
  readonly isWeak: boolean;
  /** A Last-Modified that is a strong validator, as it was written; or null. */
  readonly lastModified: string | null;
}

/** A body to be read, and where it stands in the file. */
export interface Part {
  /** The first byte's place. */
  readonly start: number;
  /** Whether it is a range (206), which may end before the file does. */
  readonly isRange: boolean;
  /** How many bytes the body has; null: unknown. */
  readonly lengthBytes: number | null;
  /** The size of the file; null: unknown. */
  readonly totalBytes: number | null;
  readonly validator: Validator;
  readonly sha256: string | null;
}

/** What a response means for a download that has `offset` bytes. */
export type PartVerdict =
  /** Read the body from `part.start`: the offset, or 0 to begin anew. */
  | { readonly kind: "part"; readonly part: Part }
  /** Nothing is missing. */
  | { readonly kind: "complete" }
  /** What is here belongs to another version: ask again, from 0. */
  | { readonly kind: "changed" };

/** What is known of the file from the responses before. */
export interface Known {
  readonly offset: number;
  readonly totalBytes: number | null;
  readonly validator: Validator | null;
}

/** With no `Date` to measure against: how far back a Last-Modified must lie by this machine's clock. 60 s. */
const UNKNOWN_CLOCK_MARGIN_SECONDS = 60;

/**
 * RFC 9110, section 8.8.2.2: a date is strong only if it lies at least a second before the response's own `Date`, else
 * the file may have changed again within that second.
 */
function strongDateOf(headers: Headers): string | null {
  const text = headers.get("last-modified");
  const modified = text === null ? undefined : parseHttpDate(text);
  if (modified === undefined) return null;
  const date = parseHttpDate(headers.get("date") ?? "");
  const latest = date === undefined ? Date.now() / 1000 - UNKNOWN_CLOCK_MARGIN_SECONDS : date - 1;
  return modified <= latest ? text : null;
}

function validatorOf(headers: Headers): Validator {
  const etag = headers.get("etag");
  const isWeak = etag?.startsWith("W/") ?? false;
  return { etag: isWeak ? null : etag, isWeak, lastModified: strongDateOf(headers) };
}

/** Whether later parts can be shown to be of the same version. */
export function canResume({ etag, lastModified }: Validator): boolean {
  return etag !== null || lastModified !== null;
}

/**
 * The headers that ask for what is missing. A range is asked for from the first byte on: its answer tells the size even
 * where a host drops `Content-Length`, and browsers then ask for the bytes uncompressed.
 */
export function rangeHeaders({ offset, validator }: Known): Readonly<Record<string, string>> {
  const range = { range: `bytes=${offset}-` };
  if (offset === 0 || validator === null) return range;
  if (validator.etag !== null) return { ...range, "if-range": validator.etag };
  if (validator.lastModified === null) return range;
  // RFC 9110, section 13.1.5: no date in If-Range by a client that has an entity tag, not even a weak one.
  return { ...range, [validator.isWeak ? "if-unmodified-since" : "if-range"]: validator.lastModified };
}

function numberOf(value: string | null): number | null {
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

function refuse(message: string, details: Readonly<Record<string, unknown>>): TailraceError {
  return new TailraceError("response_refused", message, { details });
}

interface ContentRange {
  readonly start: number;
  readonly end: number;
  readonly totalBytes: number | null;
}

/** RFC 9110, section 14.4. */
function contentRangeOf(headers: Headers): ContentRange | undefined {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(headers.get("content-range") ?? "");
  if (found === null) return undefined;
  const [, start, end, total] = found;
  const range = { start: Number(start), end: Number(end), totalBytes: total === "*" ? null : Number(total) };
  const isValid = range.start <= range.end && (range.totalBytes === null || range.end < range.totalBytes);
  return isValid ? range : undefined;
}

/** Whether the response's bytes are not the file's, as something compressed them on the way. */
function isCoded(headers: Headers): boolean {
  const coding = headers.get("content-encoding");
  return coding !== null && coding.trim().toLowerCase() !== "identity";
}

function wholeOf(headers: Headers): Part {
  // fetch undoes the coding, so neither length nor digest nor any later range would fit the bytes that arrive.
  const coded = isCoded(headers);
  const length = headers.get("content-length");
  const total = coded ? null : (numberOf(length) ?? numberOf(headers.get("tailrace-content-length")));
  return {
    start: 0,
    isRange: false,
    lengthBytes: total,
    totalBytes: total,
    validator: coded ? { etag: null, isWeak: false, lastModified: null } : validatorOf(headers),
    sha256: coded
      ? null
      : (sha256OfHeader(headers.get("repr-digest")) ?? sha256OfHeader(headers.get("content-digest"))),
  };
}

/** A 206 has to carry on exactly where we are, in the version that we have. Bytes of two versions are never mixed. */
function partialOf(headers: Headers, known: Known): PartVerdict {
  const { offset } = known;
  const range = contentRangeOf(headers);
  if (range === undefined || isCoded(headers)) {
    const message =
      "The server answered 206 without a Content-Range of plain bytes that makes sense. " +
      "Expose Content-Range if it is another origin.";
    throw refuse(message, { contentRange: headers.get("content-range") });
  }
  if (range.start !== offset) {
    const message = `The server was asked for the bytes from ${offset} on and sent those from ${range.start} on.`;
    throw refuse(message, { asked: offset, start: range.start });
  }
  const part: Part = {
    start: offset,
    isRange: true,
    lengthBytes: range.end - range.start + 1,
    totalBytes: range.totalBytes ?? known.totalBytes,
    validator: validatorOf(headers),
    sha256: sha256OfHeader(headers.get("repr-digest")),
  };
  if (offset > 0 && known.validator !== null) {
    const said = headers.get("etag");
    // RFC 9110, section 15.3.7: a 206 repeats the ETag that a 200 would have had.
    if (known.validator.etag !== null && said !== known.validator.etag) {
      const message =
        `The server answered for the version ${known.validator.etag} with a part of ${said ?? "an unnamed version"}. ` +
        "It does not understand If-Range; download again, or in one piece.";
      throw refuse(message, { asked: known.validator.etag, etag: said });
    }
    if (known.validator.etag === null && !isSameByDate(headers, known.validator)) return { kind: "changed" };
    if (known.totalBytes !== null && part.totalBytes !== known.totalBytes) {
      const message = `The file had ${known.totalBytes} bytes and its next part says ${part.totalBytes}: it is another version.`;
      throw refuse(message, { totalBytes: known.totalBytes, told: part.totalBytes });
    }
  }
  return { kind: "part", part };
}

/** Servers may leave Last-Modified out of an answer to If-Range, and only there (RFC 9110, section 15.3.7). */
function isSameByDate(headers: Headers, validator: Validator): boolean {
  const said = headers.get("last-modified");
  return said === validator.lastModified || (said === null && !validator.isWeak);
}

/** The statuses that a download understands. */
export function isDownloadStatus(status: number): boolean {
  return status === 200 || status === 206 || status === 412 || status === 416;
}

/**
 * Judges a response. Throws `response_refused` for one that fits neither what was asked nor what is here.
 */
export function judgePart({ status, headers }: Pick<Response, "status" | "headers">, known: Known): PartVerdict {
  if (status === 200) return { kind: "part", part: wholeOf(headers) };
  if (status === 206) return partialOf(headers, known);
  if (status === 412 && known.offset > 0) return { kind: "changed" };
  if (status === 416) {
    const size = numberOf(/^bytes \*\/(\d+)$/i.exec(headers.get("content-range") ?? "")?.[1] ?? null);
    // An empty file has no byte 0 to ask for; a file that ended just where we are has none left.
    if (size === known.offset) return { kind: "complete" };
    if (known.offset > 0 && size !== null) return { kind: "changed" };
  }
  throw refuse(`The server answered ${status} to a request for the whole file.`, { status });
}
