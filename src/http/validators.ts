// Validators and preconditions: entity tags and how they compare (RFC 9110 section 8.8), and what If-Match and its kin decide
// (section 13).

import { formatHttpDate, parseHttpDate } from "./http-date.ts";
import { trimOws } from "./ows.ts";

/** The state of what a request asks for. */
export interface Validators {
  /** An entity tag with its quotes, `W/` before it when weak. */
  readonly etag?: string | undefined;
  /** Whole seconds since the epoch, as a `Last-Modified` header can say it. */
  readonly lastModifiedSeconds?: number | undefined;
}

/** What the preconditions decide: go on, answer 304, answer 412. */
export type Verdict = "proceed" | "not_modified" | "failed";

// Section 8.8.3: etagc is %x21 / %x23-7E / obs-text. A header value is a byte string, so obs-text is U+0080 to U+00FF.
const TAG = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;
const WHOLE_TAG = new RegExp(`^${TAG}$`);
const LISTED_TAG = new RegExp(String.raw`[ \t]*(?:(${TAG})[ \t]*)?(?:,|$)`, "y");

/** Whether `value` is an entity tag, as in `"abc"` or `W/"abc"`. */
export function isEntityTag(value: string): boolean {
  return WHOLE_TAG.test(value);
}

/** Both are strong and the same, character by character (section 8.8.3.2). */
export function matchesStrongly(a: string, b: string): boolean {
  return a === b && !a.startsWith("W/");
}

/** The same but for `W/` (section 8.8.3.2). */
export function matchesWeakly(a: string, b: string): boolean {
  return opaque(a) === opaque(b);
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/** The tags of a list; a comma inside the quotes belongs to the tag. Undefined for what is no such list. */
export function parseTags(value: string): readonly string[] | undefined {
  const tags: string[] = [];
  LISTED_TAG.lastIndex = 0;
  while (LISTED_TAG.lastIndex < value.length) {
    const match = LISTED_TAG.exec(value); // sticky: goes on where the last one ended, and never back
    if (match === null) return undefined;
    if (match[1] !== undefined) tags.push(match[1]); // an empty element is allowed to a recipient (section 5.6.1.2)
  }
  return tags;
}

function matchesAny(value: string, etag: string | undefined, compare: (a: string, b: string) => boolean): boolean {
  if (trimOws(value) === "*") return true; // there is a current representation, or nobody would ask
  return etag !== undefined && (parseTags(value)?.some((tag) => compare(tag, etag)) ?? false);
}

/** Evaluates the preconditions of a request for something that exists, in the order of section 13.2.2, steps 1 to 4. */
export function evaluatePreconditions(method: string, headers: Headers, state: Validators): Verdict {
  const isRead = method === "GET" || method === "HEAD";
  const ifMatch = headers.get("if-match");
  if (ifMatch !== null) {
    if (!matchesAny(ifMatch, state.etag, matchesStrongly)) return "failed";
  } else if (isModifiedSince(headers.get("if-unmodified-since"), state) === true) {
    return "failed";
  }
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    if (!matchesAny(ifNoneMatch, state.etag, matchesWeakly)) return "proceed";
    return isRead ? "not_modified" : "failed";
  }
  // Section 13.1.3: ignored for any other method, and where If-None-Match stands.
  if (isRead && isModifiedSince(headers.get("if-modified-since"), state) === false) return "not_modified";
  return "proceed";
}

/** Undefined where the field must be ignored: not there, no date, or nothing to compare with (13.1.3, 13.1.4). */
function isModifiedSince(value: string | null, { lastModifiedSeconds }: Validators): boolean | undefined {
  if (value === null || lastModifiedSeconds === undefined) return undefined;
  const since = parseHttpDate(value);
  return since === undefined ? undefined : lastModifiedSeconds > since;
}

/**
 * Whether `If-Range` lets a `Range` count (section 13.1.5): there is none, it is the current strong tag, or it is exactly
 * the date in `Last-Modified`. A weak tag never does, and neither does a later date.
 */
export function ifRangeHolds(headers: Headers, state: Validators): boolean {
  const value = headers.get("if-range");
  if (value === null) return true;
  if (isEntityTag(value)) return state.etag !== undefined && matchesStrongly(value, state.etag);
  return state.lastModifiedSeconds !== undefined && parseHttpDate(value) === state.lastModifiedSeconds;
}

/** Sets `ETag` and `Last-Modified`. */
export function setValidators(headers: Headers, state: Validators): void {
  if (state.etag !== undefined) headers.set("etag", state.etag);
  if (state.lastModifiedSeconds !== undefined) {
    headers.set("last-modified", formatHttpDate(state.lastModifiedSeconds));
  }
}
