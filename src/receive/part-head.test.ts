import { describe, expect, test } from "vitest";
import { isTailraceError } from "../errors.ts";
import { boundaryOf } from "./multipart.ts";
import { form, latin1, part, readParts, type ReadPart } from "./multipart.test-support.ts";

const B = "xYz";
const read = (body: string): ReadPart[] => readParts([latin1(body)], B);

function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return isTailraceError(error) ? error.code : error;
  }
  return undefined;
}

describe("the header of a part", () => {
  test.each([
    ["a plain name", `; filename="a.txt"`, "a.txt"],
    ["no quotes", `; filename=a.txt`, "a.txt"],
    ["UTF-8", `; filename="\xE6\xB0\xB4.txt"`, "水.txt"],
    ["filename* before filename", `; filename="x"; filename*=UTF-8''%e6%b0%b4.txt`, "水.txt"],
    ["filename* in Latin-1", `; filename*=ISO-8859-1'de'f%FCr.txt`, "für.txt"],
    ["a filename* that cannot be read", `; filename="x"; filename*=UTF-8''%e6%b0`, "x"],
    ["an unknown charset", `; filename="x"; filename*=KOI8-R''%c1`, "x"],
    ["a quote as browsers write it", `; filename="a%22b.txt"`, `a"b.txt`],
    ["a quote as curl writes it", `; filename="a\\"b.txt"`, `a"b.txt`],
    ["an old path", `; filename="C:\\pics\\a.png"`, "C:\\pics\\a.png"],
    ["a semicolon in quotes", `; filename="a;b=c.txt"; x=y`, "a;b=c.txt"],
    ["nothing", `; filename=""`, ""],
    ["odd spacing and case", ` ;FILENAME = "a" ; `, "a"],
  ])("MultipartParser reads a file name with %s", (_title, more, fileName) => {
    const [first] = read(form(B, part("f", "1", more)));
    expect(first?.head).toEqual({ name: "f", fileName, contentType: undefined });
  });

  test("MultipartParser gives a part's type without its parameters", () => {
    const [first] = read(form(B, `content-type: Text/Plain; charset=utf-8\r\n${part("f", "1")}`));
    expect(first?.head.contentType).toBe("text/plain");
  });
});

describe("boundaryOf()", () => {
  test.each([
    [`multipart/form-data; boundary=abc`, "abc"],
    [`Multipart/Form-Data;boundary="a b:c"; charset=utf-8`, "a b:c"],
    [`multipart/form-data; boundary=${"x".repeat(70)}`, "x".repeat(70)],
    [`text/plain; boundary=abc`, undefined],
    [`multipart/mixed; boundary=abc`, undefined],
    [null, undefined],
  ])("boundaryOf(%j) is %j", (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
  });

  test.each([
    "multipart/form-data",
    "multipart/form-data; boundary=",
    `multipart/form-data; boundary=""`,
    `multipart/form-data; boundary=${"x".repeat(71)}`,
    `multipart/form-data; boundary="abc "`,
    `multipart/form-data; boundary="a\tb"`,
    `multipart/form-data; boundary="ä"`,
    `multipart/form-data; boundary="abc`,
    `multipart/form-data; boundary=a; boundary=b`,
  ])("boundaryOf(%j) is refused", (type) => {
    expect(codeOf(() => boundaryOf(type))).toBe("decode_failed");
  });
});
