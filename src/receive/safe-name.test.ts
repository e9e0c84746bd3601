import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { numberedName, safeName } from "./safe-name.ts";

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;

describe("safeName()", () => {
  test.each<[string, string]>([
    ["report.pdf", "report.pdf"],
    ["../../etc/passwd", "passwd"],
    ["..\\..\\windows\\win.ini", "win.ini"],
    ["C:\\Users\\me\\a.txt", "a.txt"],
    ["a/", "file"],
    ["", "file"],
    [".", "file"],
    ["..", "file"],
    ["...", "file"],
    ["/", "file"],
    ["   ", "file"],
    ["\0", "file"],
    ["a\0b.txt", "a_b.txt"],
    ["a\r\nb.txt", "a_b.txt".replace("a_", "a__")],
    [".htaccess", "_htaccess"],
    [".incoming-1", "_incoming-1"],
    ["..env", "_env"],
    [" .env", "_env"],
    ["a.txt.", "a.txt"],
    ["a.txt . .", "a.txt"],
    ["a.txt::$DATA", "a.txt__$DATA"],
    [`<>:"|?*.txt`, "_______.txt"],
    ["con", "_con"],
    ["CON.txt", "_CON.txt"],
    ["nul.tar.gz", "_nul.tar.gz"],
    ["Lpt1 .txt", "_Lpt1 .txt"],
    ["com¹", "_com¹"],
    ["CONIN$", "_CONIN$"],
    ["console.log", "console.log"],
    ["com10", "com10"],
    ["photo\u202Egnp.exe", "photo_gnp.exe"],
    ["zero\u200Bwidth", "zero_width"],
    ["u\u0308ber.txt", "über.txt"],
    ["🙂.png", "🙂.png"],
    ["half \uD83D.png", "half _.png"],
    ["%2e%2e%2fa", "%2e%2e%2fa"],
    ["a.txt\u0085", "a.txt_"],
  ])("safeName(%j) is %j", (name, safe) => {
    expect(safeName(name)).toBe(safe);
  });

  test("safeName() takes a name of 240 bytes and shortens one of 241, its extension kept", () => {
    expect(safeName(`${"a".repeat(236)}.txt`)).toBe(`${"a".repeat(236)}.txt`);
    expect(safeName(`${"a".repeat(237)}.txt`)).toBe(`${"a".repeat(236)}.txt`);
    expect(safeName(`${"🙂".repeat(100)}.png`)).toBe(`${"🙂".repeat(59)}.png`);
    expect(safeName("水".repeat(300))).toBe("水".repeat(80));
    expect(bytesOf(safeName(`a.${"x".repeat(300)}`))).toBe(240);
  });

  test("safeName() is one name in a folder whatever it is given, and the same when applied again", () => {
    const nasty = fc.constantFrom(
      "/",
      "\\",
      "..",
      ".",
      " ",
      "\0",
      "con",
      "nul",
      ":",
      "\u202E",
      "\uD83D",
      "🙂",
      "ä",
      "a".repeat(100),
      "水".repeat(50),
    );
    const any = fc
      .array(fc.oneof(nasty, fc.string({ unit: "binary" })), { maxLength: 12 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(any, (name) => {
        const safe = safeName(name);
        expect(safeName(safe)).toBe(safe);
        expect(safe).not.toMatch(/[/\\\0]|^\.|[. ]$|^$/u);
        expect(bytesOf(safe)).toBeLessThanOrEqual(240);
        expect(bytesOf(numberedName(safe, 1_000))).toBeLessThanOrEqual(255);
      }),
      { numRuns: process.env["LONG"] === "1" ? 10_000 : 500 },
    );
  });
});

test.each<[string, number, string]>([
  ["a.txt", 2, "a (2).txt"],
  ["a", 3, "a (3)"],
  ["a.tar.gz", 2, "a.tar (2).gz"],
])("numberedName(%j, %i) is %j", (name, number, numbered) => {
  expect(numberedName(name, number)).toBe(numbered);
});
