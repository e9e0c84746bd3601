// What a request says of content codings (RFC 9110 section 12.5.3), and what a reply that listened to it says of that.

import { trimOws } from "./ows.ts";

/** An Accept-Encoding longer than this is not looked at, in characters. */
export const MAX_ACCEPT_ENCODING_CHARS = 1_024;

const ELEMENT = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

/** What a request prefers. */
export interface EncodingPreference {
  /** From 0, refused, to 1. A coding that is named by neither itself nor `*` is refused. */
  readonly weightOf: (encoding: string) => number;
  /**
   * The weight of no coding at all where the request names it, else 0: it is acceptable, and nobody who names a coding
   * prefers it unasked.
   */
  readonly plainWeight: number;
  /** Whether no coding at all is excluded: by `identity;q=0`, or by `*;q=0` without an element of its own. */
  readonly isPlainRefused: boolean;
}

/** Reads the header. What is malformed is left out; what is too long or not there at all asks for no coding. */
export function parseAcceptEncoding(value: string | null): EncodingPreference {
  const weights = new Map<string, number>();
  const elements = value === null || value.length > MAX_ACCEPT_ENCODING_CHARS ? [] : value.split(",");
  for (const element of elements) {
    const [, name, q] = ELEMENT.exec(trimOws(element)) ?? [];
    if (name !== undefined) weights.set(canonical(name), q === undefined ? 1 : Number(q));
  }
  const any = weights.get("*");
  const plain = weights.get("identity");
  return {
    weightOf: (encoding) => weights.get(encoding) ?? any ?? 0,
    plainWeight: plain ?? 0,
    isPlainRefused: (plain ?? any) === 0,
  };
}

/** Section 8.4.1.3: `x-gzip` is another name of `gzip`. */
function canonical(name: string): string {
  const lower = name.toLowerCase();
  return lower === "x-gzip" ? "gzip" : lower;
}

/** Says in `Vary` that the choice was made by Accept-Encoding (section 12.5.5), beside what stands there already. */
export function addEncodingVary(headers: Headers): void {
  const names =
    headers
      .get("vary")
      ?.split(",")
      .map((name) => trimOws(name).toLowerCase()) ?? [];
  if (!names.includes("*") && !names.includes("accept-encoding")) headers.append("vary", "accept-encoding");
}
