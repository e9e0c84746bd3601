// Which of the encodings that are at hand a request prefers (RFC 9110 section 12.5.3).

import { parseAcceptEncoding } from "./accept-encoding.ts";

/** The content codings that a file may lie ready in. */
export type Encoding = "br" | "zstd" | "gzip";

/**
 * Those of `available` that the request takes, the most wanted first; between equals the order of `available` decides. Only
 * what the request wants at least as much as the file as it is.
 */
export function acceptedEncodings(value: string | null, available: readonly Encoding[]): readonly Encoding[] {
  const { weightOf, plainWeight } = parseAcceptEncoding(value);
  return available
    .filter((encoding) => weightOf(encoding) > 0 && weightOf(encoding) >= plainWeight)
    .toSorted((a, b) => weightOf(b) - weightOf(a));
}
