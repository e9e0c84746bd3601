import { expect, test } from "vitest";
import { mediaTypeOf } from "./media-types.ts";

test.each([
  ["a.txt", "text/plain; charset=utf-8"],
  ["a.b.HTML", "text/html; charset=utf-8"],
  ["a.json", "application/json"],
  ["a.mp4", "video/mp4"],
  ["a.tar.gz", "application/gzip"],
  ["a", "application/octet-stream"],
  ["a.", "application/octet-stream"],
  [".html", "application/octet-stream"],
  ["a.constructor", "application/octet-stream"],
  ["a.unknown", "application/octet-stream"],
])("mediaTypeOf(%j) is %s", (name, type) => {
  expect(mediaTypeOf(name)).toBe(type);
});
