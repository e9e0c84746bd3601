import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contentDisposition, MAX_FILE_NAME_BYTES } from "./content-disposition.ts";

describe("contentDisposition()", () => {
  test.each([
    ["plain.txt", 'attachment; filename="plain.txt"'],
    ["a b;x=1,c.txt", 'attachment; filename="a b;x=1,c.txt"'],
    ["€ rates.txt", `attachment; filename="_ rates.txt"; filename*=UTF-8''%E2%82%AC%20rates.txt`],
    ["日本.txt", `attachment; filename="__.txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt`],
    ["😀.txt", `attachment; filename="_.txt"; filename*=UTF-8''%F0%9F%98%80.txt`],
    ["it's (1)!*.txt", `attachment; filename="it's (1)!*.txt"`],
    ["ä'(*)!.txt", `attachment; filename="_'(*)!.txt"; filename*=UTF-8''%C3%A4%27%28%2A%29%21.txt`],
    ["50%25.txt", `attachment; filename="50_25.txt"; filename*=UTF-8''50%2525.txt`],
    ['a"b.txt', 'attachment; filename="ab.txt"'],
    ["a\r\nset-cookie: x.txt", 'attachment; filename="aset-cookie x.txt"'],
    ["a\0b.txt", 'attachment; filename="ab.txt"'],
    ["../../etc/passwd", 'attachment; filename="passwd"'],
    ["C:\\temp\\a.txt", 'attachment; filename="a.txt"'],
    ["a\u202etxt.exe", 'attachment; filename="atxt.exe"'],
    ["\ud800.txt", `attachment; filename="_.txt"; filename*=UTF-8''%EF%BF%BD.txt`],
    ["", "attachment"],
    ["..", "attachment"],
    ["/", "attachment"],
    ['"', "attachment"],
  ])("%j", (name, value) => {
    expect(contentDisposition("attachment", name)).toBe(value);
  });

  test("sends a name of MAX_FILE_NAME_BYTES whole, and a longer one cut before its extension", () => {
    const named = (stem: number): string => contentDisposition("inline", `${"x".repeat(stem)}.txt`);
    expect(named(MAX_FILE_NAME_BYTES - 4)).toBe(`inline; filename="${"x".repeat(MAX_FILE_NAME_BYTES - 4)}.txt"`);
    expect(named(MAX_FILE_NAME_BYTES - 3)).toBe(`inline; filename="${"x".repeat(MAX_FILE_NAME_BYTES - 4)}.txt"`);
  });

  test("always makes one header line that can be sent, and whose second form says the whole name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (name) => {
        const value = contentDisposition("attachment", name);
        expect(value).toMatch(
          /^attachment(?:; filename="[ !#-.0-9;-[\]-~]+"(?:; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?)?$/,
        );
        expect(new Headers({ "content-disposition": value }).get("content-disposition")).toBe(value);
        const extended = /filename\*=UTF-8''(.*)$/.exec(value)?.[1];
        if (extended !== undefined) expect(name.toWellFormed()).toContain(decodeURIComponent(extended).at(-1));
      }),
    );
  });
});
