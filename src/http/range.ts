// The Range field (RFC 9110 section 14): which bytes a request asks for, or that the field is to be ignored.

import { trimOws } from "./ows.ts";

/** Bytes from `start` up to but without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a Range field comes to for one representation. */
export type RangePlan =
  /** No range: the whole, with 200. */
  | { readonly kind: "whole" }
  /** 206, in the order asked for; overlapping and adjacent ranges are one. At least one. */
  | { readonly kind: "parts"; readonly ranges: readonly [ByteRange, ...ByteRange[]] }
  /** 416. */
  | { readonly kind: "unsatisfiable" };

/** How many ranges one request may ask for before it gets the whole. */
export const DEFAULT_MAX_RANGES = 16;

/** A field longer than this is ignored, in characters. */
export const MAX_RANGE_CHARS = 8_192;

/** So often may a range start before the one that was asked for in front of it; beyond, the whole is sent. */
export const MAX_DESCENTS = 4;

const WHOLE: RangePlan = { kind: "whole" };
const UNSATISFIABLE: RangePlan = { kind: "unsatisfiable" };

// Section 14.2: a unit that is not understood is ignored; 14.1: units are case-insensitive.
const BYTES_UNIT = /^bytes=/i;
// Section 14.1.1: digits only, so that "0x10", "1.5" and "-1-2" are no ranges.
const SPEC = /^(\d*)-(\d*)$/;

/**
 * Reads `value` for a representation of `size` bytes. What is malformed or in an unknown unit is ignored (section 14.2), and
 * so is what would cost more than the whole: more than `maxRanges` ranges, more bytes than there are, or ranges that jump
 * back more than 4 times (sections 14.2 and 17.15).
 */
export function planRanges(value: string | null, size: number, maxRanges: number = DEFAULT_MAX_RANGES): RangePlan {
  if (value === null || value.length > MAX_RANGE_CHARS || !BYTES_UNIT.test(value)) return WHOLE;
  const specs = value
    .slice("bytes=".length)
    .split(",")
    .map((spec, index) => (index === 0 && /^[ \t]+[^ \t]/.test(spec) ? "malformed" : trimOws(spec)))
    .filter((spec) => spec !== ""); // a recipient takes empty elements (section 5.6.1.2)
  if (specs.length === 0 || specs.length > maxRanges) return WHOLE;
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, size);
    if (range === "malformed") return WHOLE; // one invalid range makes the whole field invalid (section 14.1.1)
    if (range !== "unsatisfiable") ranges.push(range);
  }
  const [first] = ranges;
  if (first === undefined) return UNSATISFIABLE;
  // A suffix of an empty representation is satisfiable and yet has no bytes that Content-Range could name.
  if (size === 0) return WHOLE;
  if (ranges.length === 1) return { kind: "parts", ranges: [first] };
  const bytes = ranges.reduce((sum, { start, end }) => sum + (end - start), 0);
  const descents = ranges.filter(({ start }, index) => start < (ranges[index - 1]?.start ?? 0)).length;
  if (bytes > size || descents > MAX_DESCENTS) return WHOLE;
  return { kind: "parts", ranges: coalesce(ranges) };
}

function parseSpec(spec: string, size: number): ByteRange | "malformed" | "unsatisfiable" {
  const [, from, to] = SPEC.exec(spec) ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return "malformed";
  if (from === "") {
    const length = toNumber(to);
    return length === 0 ? "unsatisfiable" : { start: Math.max(0, size - length), end: size };
  }
  if (to !== "" && isGreater(from, to)) return "malformed";
  const start = toNumber(from);
  if (start >= size) return "unsatisfiable";
  return { start, end: to === "" ? size : Math.min(toNumber(to) + 1, size) };
}

/** Section 14.1.2: there is no limit to the digits. What no representation can reach counts as the largest safe integer. */
function toNumber(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER - 1);
}

/** Compares by digits: as numbers, two that differ far behind the 16th digit would be equal. */
function isGreater(a: string, b: string): boolean {
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  return left.length === right.length ? left > right : left.length > right.length;
}

/** Section 15.3.7.2: overlapping ranges may be joined; the others stay in the order asked for. */
function coalesce(ranges: readonly ByteRange[]): [ByteRange, ...ByteRange[]] {
  const sorted = ranges
    .map(({ start, end }, order) => ({ start, end, order }))
    .toSorted((a, b) => a.start - b.start || a.order - b.order);
  const joined: { start: number; end: number; order: number }[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last === undefined || range.start > last.end) joined.push({ ...range });
    else {
      last.end = Math.max(last.end, range.end);
      last.order = Math.min(last.order, range.order);
    }
  }
  return joined.toSorted((a, b) => a.order - b.order).map(({ start, end }) => ({ start, end })) as [
    ByteRange,
    ...ByteRange[],
  ];
}

/** The value of `Content-Range` for a part (section 14.4). */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}

/** The value of `Content-Range` for a 416 (section 15.5.17). */
export function unsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}
