// Which of the encodings that are at hand a request prefers (RFC 9110 section 12.5.3).

import { trimOws } from "./ows.ts";

/** The content codings that a file may lie ready in. */
export type Encoding = "br" | "zstd" | "gzip";

/** An Accept-Encoding longer than this is not looked at, in characters. */
export const MAX_ACCEPT_ENCODING_CHARS = 1_024;

const ELEMENT = /^([!#$%&'*+.^_`|~\w-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

/**
 * Those of `available` that the request takes, the most wanted first; between equals the order of `available` decides. Only
 * what the request wants at least as much as the file as it is.
 */
export function acceptedEncodings(value: string | null, available: readonly Encoding[]): readonly Encoding[] {
  if (value === null || value.length > MAX_ACCEPT_ENCODING_CHARS) return [];
  const weights = new Map<string, number>();
  for (const element of value.split(",")) {
    const [, name, q] = ELEMENT.exec(trimOws(element)) ?? [];
    if (name !== undefined) weights.set(canonical(name), q === undefined ? 1 : Number(q));
  }
  const any = weights.get("*");
  const weightOf = (encoding: string): number => weights.get(encoding) ?? any ?? 0;
  // The file as it is is acceptable unless it is excluded, and nobody who names a coding prefers it unasked.
  const plain = weights.get("identity") ?? 0;
  return available
    .filter((encoding) => weightOf(encoding) > 0 && weightOf(encoding) >= plain)
    .toSorted((a, b) => weightOf(b) - weightOf(a));
}

/** Section 8.4.1.3: `x-gzip` is another name of `gzip`. */
function canonical(name: string): string {
  const lower = name.toLowerCase();
  return lower === "x-gzip" ? "gzip" : lower;
}
