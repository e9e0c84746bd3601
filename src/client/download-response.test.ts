import { describe, expect, test } from "vitest";
import { canResume, judgePart, type Known, rangeHeaders, type Validator } from "./download-response.ts";

const NEW: Known = { offset: 0, totalBytes: null, validator: null };
const DATE = "Sat, 01 Nov 2025 10:00:00 GMT";
const LATER = "Sat, 01 Nov 2025 10:00:01 GMT";
const validator = (given: Partial<Validator>): Validator => ({
  etag: null,
  isWeak: false,
  lastModified: null,
  ...given,
});
const half = (given: Partial<Validator>, totalBytes: number | null = 10): Known => ({
  offset: 5,
  totalBytes,
  validator: validator(given),
});
const answer = (status: number, headers: Record<string, string>): { status: number; headers: Headers } => ({
  status,
  headers: new Headers(headers),
});

describe("rangeHeaders", () => {
  test.each<[string, Known, Record<string, string>]>([
    ["asks for a range from the first byte on", NEW, { range: "bytes=0-" }],
    ["names a strong tag", half({ etag: '"a"', lastModified: DATE }), { range: "bytes=5-", "if-range": '"a"' }],
    ["names a date where there is no tag", half({ lastModified: DATE }), { range: "bytes=5-", "if-range": DATE }],
    [
      "names a date beside a weak tag, but not in If-Range",
      half({ isWeak: true, lastModified: DATE }),
      { range: "bytes=5-", "if-unmodified-since": DATE },
    ],
  ])("rangeHeaders() %s", (_, known, headers) => {
    expect(rangeHeaders(known)).toEqual(headers);
  });
});

describe("judgePart", () => {
  test.each<[string, Record<string, string>, number | null]>([
    ["content-length", { "content-length": "10" }, 10],
    ["tailrace-content-length", { "tailrace-content-length": "10" }, 10],
    ["nothing", {}, null],
    ["a length that is none", { "content-length": "x" }, null],
    ["the length of coded bytes", { "content-length": "10", "content-encoding": "gzip" }, null],
  ])("judgePart() takes the size of a 200 from %s", (_, headers, total) => {
    expect(judgePart(answer(200, headers), NEW)).toMatchObject({ kind: "part", part: { start: 0, totalBytes: total } });
  });

  test("judgePart() takes the size of a 206 from Content-Range", () => {
    const verdict = judgePart(answer(206, { "content-range": "bytes 0-4/10", etag: '"a"' }), NEW);
    expect(verdict).toMatchObject({
      kind: "part",
      part: { start: 0, isRange: true, lengthBytes: 5, totalBytes: 10, validator: { etag: '"a"' } },
    });
  });

  test.each<[string, Record<string, string>, Partial<Validator>, boolean]>([
    ["a strong tag", { etag: '"a"' }, { etag: '"a"' }, true],
    ["a weak tag", { etag: 'W/"a"' }, { isWeak: true }, false],
    ["a date a second before", { "last-modified": DATE, date: LATER }, { lastModified: DATE }, true],
    ["a date of the same second", { "last-modified": DATE, date: DATE }, {}, false],
    ["an old date without Date", { "last-modified": DATE }, { lastModified: DATE }, true],
    ["a fresh date without Date", { "last-modified": new Date().toUTCString() }, {}, false],
    ["a date that is none", { "last-modified": "yesterday" }, {}, false],
    ["a tag of coded bytes", { etag: '"a"', "content-encoding": "br" }, {}, false],
  ])("judgePart() sees what %s is worth", (_, headers, wanted, resumes) => {
    const verdict = judgePart(answer(200, headers), NEW);
    if (verdict.kind !== "part") throw new Error(verdict.kind);
    expect(verdict.part.validator).toEqual(validator(wanted));
    expect(canResume(verdict.part.validator)).toBe(resumes);
  });

  const rest = { "content-range": "bytes 5-9/10" };
  test.each<[string, Known, Record<string, string>]>([
    ["the tag that was asked for", half({ etag: '"a"' }), { etag: '"a"', ...rest }],
    ["no date after If-Range", half({ lastModified: DATE }), rest],
    ["the date beside a weak tag", half({ isWeak: true, lastModified: DATE }), { "last-modified": DATE, ...rest }],
    ["an unknown size", half({ etag: '"a"' }), { etag: '"a"', "content-range": "bytes 5-9/*" }],
  ])("judgePart() goes on with a 206 that has %s", (_, known, headers) => {
    expect(judgePart(answer(206, headers), known)).toMatchObject({ kind: "part", part: { start: 5, totalBytes: 10 } });
  });

  test.each<[string, Known, Record<string, string>]>([
    ["another tag", half({ etag: '"a"' }), { etag: '"b"', ...rest }],
    ["no tag where there was one", half({ etag: '"a"' }), rest],
    ["the tag as a weak one", half({ etag: '"a"' }), { etag: 'W/"a"', ...rest }],
    ["another start", half({ etag: '"a"' }), { etag: '"a"', "content-range": "bytes 4-9/10" }],
    ["another size", half({ etag: '"a"' }), { etag: '"a"', "content-range": "bytes 5-10/11" }],
    ["no Content-Range", half({ etag: '"a"' }), { etag: '"a"' }],
    ["a range that runs backwards", half({ etag: '"a"' }), { etag: '"a"', "content-range": "bytes 5-4/10" }],
    ["a range past its end", half({ etag: '"a"' }), { etag: '"a"', "content-range": "bytes 5-10/10" }],
    ["several ranges", NEW, { "content-type": "multipart/byteranges; boundary=x" }],
    ["coded bytes", NEW, { "content-range": "bytes 0-9/10", "content-encoding": "gzip" }],
  ])("judgePart() refuses a 206 with %s", (_, known, headers) => {
    expect(() => judgePart(answer(206, headers), known)).toThrow(
      expect.objectContaining({ code: "response_refused" }) as Error,
    );
  });

  test.each<[string, number, Record<string, string>, Known, string]>([
    ["another date", 206, { "last-modified": LATER, ...rest }, half({ isWeak: true, lastModified: DATE }), "changed"],
    ["no date", 206, rest, half({ isWeak: true, lastModified: DATE }), "changed"],
    ["412", 412, {}, half({ isWeak: true, lastModified: DATE }), "changed"],
    ["416 of an empty file", 416, { "content-range": "bytes */0" }, NEW, "complete"],
    ["416 just behind us", 416, { "content-range": "bytes */5" }, half({ etag: '"a"' }, null), "complete"],
    ["416 of a shorter file", 416, { "content-range": "bytes */3" }, half({ etag: '"a"' }), "changed"],
  ])("judgePart() takes %s for what it means", (_, status, headers, known, kind) => {
    expect(judgePart(answer(status, headers), known).kind).toBe(kind);
  });

  test.each<[number, Record<string, string>, Known]>([
    [416, {}, NEW],
    [416, {}, half({ etag: '"a"' })],
    [416, { "content-range": "bytes */7" }, NEW],
    [412, {}, NEW],
  ])("judgePart() refuses a %i that makes no sense", (status, headers, known) => {
    expect(() => judgePart(answer(status, headers), known)).toThrow(/answered 4/);
  });

  test("judgePart() finds the digest of the whole, and never that of a part", () => {
    const digest = `sha-256=:${Buffer.alloc(32, 1).toString("base64")}:`;
    const hex = "01".repeat(32);
    const shaOf = (status: number, headers: Record<string, string>): unknown => {
      const verdict = judgePart(answer(status, { "content-range": "bytes 0-4/10", ...headers }), NEW);
      return verdict.kind === "part" ? verdict.part.sha256 : verdict.kind;
    };
    expect(shaOf(200, { "repr-digest": digest })).toBe(hex);
    expect(shaOf(200, { "content-digest": digest })).toBe(hex);
    expect(shaOf(206, { "repr-digest": digest })).toBe(hex);
    expect(shaOf(206, { "content-digest": digest })).toBeNull();
    expect(shaOf(200, { "content-digest": digest, "content-encoding": "gzip" })).toBeNull();
  });
});
