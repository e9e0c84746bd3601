import { describe, expect, test } from "vitest";
import { latin1 } from "./multipart.test-support.ts";
import { isAllowedType, SNIFF_BYTES, sniffType } from "./sniff.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("sniffType()", () => {
  test.each<[string, string]>([
    ["image/png", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR"],
    ["image/jpeg", "\xFF\xD8\xFF\xE0\0\x10JFIF"],
    ["image/gif", "GIF87a\x01\0"],
    ["image/gif", "GIF89a\x01\0"],
    ["image/webp", "RIFF\x24\0\0\0WEBPVP8 "],
    ["audio/wav", "RIFF\x24\0\0\0WAVEfmt "],
    ["application/pdf", "%PDF-1.7\n%\xE2\xE3"],
    ["application/zip", "PK\x03\x04\x14\0"],
    ["application/zip", "PK\x05\x06\0\0"],
    ["application/gzip", "\x1F\x8B\x08\0"],
    ["video/mp4", "\0\0\0\x20ftypisom\0\0\x02\0"],
    ["video/mp4", "\0\0\0\x20ftypmp42"],
    ["video/quicktime", "\0\0\0\x14ftypqt  "],
    ["audio/mp4", "\0\0\0\x20ftypM4A "],
    ["image/avif", "\0\0\0\x20ftypavif"],
    ["image/heic", "\0\0\0\x20ftypheic"],
    ["video/webm", "\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm"],
    ["video/x-matroska", "\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x88matroska"],
    ["audio/mpeg", "ID3\x04\0"],
    ["audio/mpeg", "\xFF\xFB\x90\x64"],
    ["audio/mpeg", "\xFF\xF3\x40\xC4"],
    ["text/plain", "hello\tworld\r\n"],
    ["text/plain", "<svg onload=alert(1)>"],
    ["text/plain", "<!doctype html><script>"],
    ["text/plain", "\xE6\xB0\xB4"],
    ["application/octet-stream", ""],
    ["application/octet-stream", "a\0b"],
    ["application/octet-stream", "\xFF\xFE\xFD"],
    ["application/octet-stream", "\xFF\xF9\xF0\xF0"],
    ["application/octet-stream", "text, then half a character \xE6\xB0"],
    ["application/octet-stream", "\x89PN"],
  ])("sniffType() says %s", (type, head) => {
    expect(sniffType(latin1(head))).toBe(type);
  });

  test("sniffType() forgives a character that is cut at the end of what it looks at", () => {
    const text = utf8("水".repeat(300));
    for (let skip = 0; skip < 3; skip++) {
      const head = new Uint8Array([...utf8("x".repeat(skip)), ...text]).subarray(0, SNIFF_BYTES);
      expect(sniffType(head)).toBe("text/plain");
    }
  });

  test("sniffType() takes any beginning of anything", () => {
    for (let length = 0; length < 40; length++) {
      expect(sniffType(latin1("\0\0\0\x20ftypisom\x1A\x45\xDF\xA3RIFF????WEBP".slice(0, length)))).toMatch(
        /^\w+\/[\w-]+$/,
      );
    }
  });
});

describe("isAllowedType()", () => {
  test.each<[string, readonly string[], boolean]>([
    ["image/png", ["image/png"], true],
    ["image/png", ["Image/PNG"], true],
    ["image/png", ["image/*"], true],
    ["image/png", ["*/*"], true],
    ["image/png", ["image/jpeg", "text/plain"], false],
    ["image/png", ["im/*"], false],
    ["image/png", [], false],
  ])("isAllowedType(%s, %j) is %s", (type, allowed, is) => {
    expect(isAllowedType(type, allowed)).toBe(is);
  });
});
