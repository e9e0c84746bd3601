// What a relay is asked, what the upstream does, and what is right: one table for ours and for others.

import { CODINGS, RANGES } from "./relay-cases-content.ts";
import { FAILURES, REDIRECTS, STREAMS, UPLOADS } from "./relay-cases-ends.ts";
import { HEADERS, STATUSES } from "./relay-cases-head.ts";
import type { RelayCase } from "./relay-checks.ts";

export const CASES: readonly RelayCase[] = [
  ...CODINGS,
  ...RANGES,
  ...STATUSES,
  ...HEADERS,
  ...FAILURES,
  ...REDIRECTS,
  ...UPLOADS,
  ...STREAMS,
];
