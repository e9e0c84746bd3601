import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { highlightLine } from "./markdown-code.ts";

/** Lines in colours: `kind:text`, plain text as it is. */
function show(language: string, text: string): string[] {
  let state = "";
  return text.split("\n").map((line) => {
    const done = highlightLine(language, line, state);
    state = done.state;
    return done.line.tokens.map(({ kind, text: part }) => (kind === "plain" ? part : `<${kind} ${part}>`)).join("");
  });
}

describe("highlightLine", () => {
  test.each([
    ["ts", "const a = `b ${c}`; // d", ["<keyword const> a = <string `b ${c}`>; <comment // d>"]],
    ["js", "a /* b\nc */ 0x1f", ["a <comment /* b>", "<comment c */> <number 0x1f>"]],
    ["json", '{"a": [1.5, true]}', ['{<string "a">: [<number 1.5>, <keyword true>]}']],
    ["py", '"""a\nb""" # c', ['<string """a>', '<string b"""> <comment # c>']],
    ["sh", "echo $A --b 'c' # d", ["<keyword echo> <name $A> <name --b> <string 'c'> <comment # d>"]],
    ["css", "a { color: red } /* b\n*/", ["a { <name color>: red } <comment /* b>", "<comment */>"]],
    [
      "html",
      '<a href="b"><!-- c\n--></a>',
      ['<name <a> href=<string "b"><name >><comment <!-- c>', "<comment -->><name </a>>"],
    ],
    ["sql", "select 1 -- a", ["<keyword select> <number 1> <comment -- a>"]],
    ["none", "const a", ["const a"]],
  ])("colours %s", (language, text, shown) => {
    expect(show(language, text).join("\n")).toBe(shown.join("\n"));
  });

  test("loses no character, whatever stands there, and shows a line over 2,000 characters plainly", () => {
    const language = fc.constantFrom("ts", "json", "py", "sh", "css", "html", "sql", "other");
    const piece = fc.constantFrom(
      "a",
      " ",
      "`",
      '"',
      "'",
      '"""',
      "/*",
      "*/",
      "//",
      "#",
      "<!--",
      "-->",
      "\\",
      "$",
      "1e",
      "<b",
      "-",
    );
    fc.assert(
      fc.property(language, fc.array(piece, { maxLength: 40 }), piece, (name, pieces, state) => {
        const text = pieces.join("");
        const open = ["`", "/*", '"""', "<!--"].includes(state) ? state : "";
        const { line } = highlightLine(name, text, open);
        expect(line.tokens.map((token) => token.text).join("")).toBe(text);
      }),
    );
    const at = `//${"a".repeat(1_998)}`;
    expect(highlightLine("ts", at, "").line.tokens[0]?.kind).toBe("comment");
    expect(highlightLine("ts", `${at}a`, "").line.tokens[0]?.kind).toBe("plain");
  });
});
