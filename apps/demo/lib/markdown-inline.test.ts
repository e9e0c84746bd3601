import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseInline } from "./markdown-inline.ts";
import type { Inline } from "./markdown-marks.ts";
import { safeHref } from "./markdown-links.ts";

/** Marks as tags, so that a test can be read. */
function show(list: readonly Inline[]): string {
  return list
    .map((inline) => {
      switch (inline.type) {
        case "text":
          return inline.text;
        case "code":
          return `<code>${inline.text}</code>`;
        case "break":
          return "<br>";
        case "link":
          return `<a ${inline.href}>${show(inline.children)}</a>`;
        case "pending":
          return `<pending>${show(inline.children)}</pending>`;
        default:
          return `<${inline.type}>${show(inline.children)}</${inline.type}>`;
      }
    })
    .join("");
}

describe("parseInline", () => {
  test.each([
    ["plain", "plain"],
    ["a **b** c", "a <strong>b</strong> c"],
    [
      "__b__ and *c* and _d_ and ~~e~~",
      "<strong>b</strong> and <emphasis>c</emphasis> and <emphasis>d</emphasis> and <deleted>e</deleted>",
    ],
    ["**a *b* c**", "<strong>a <emphasis>b</emphasis> c</strong>"],
    ["***a***", "<strong><emphasis>a</emphasis></strong>"],
    ["snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"],
    ["**open and *open", "**open and *open"],
    ["`a **b**` c", "<code>a **b**</code> c"],
    ["``a ` b`` and ` `` `", "<code>a ` b</code> and <code>``</code>"],
    ["`open", "`open"],
    ["\\*a\\* \\`b\\` \\q", "*a* `b` \\q"],
    ["two  \nlines\nand\\\nmore", "two<br>lines\nand<br>more"],
    ["[a **b**](https://example.com/x_(y)?z)", "<a https://example.com/x_(y)?z>a <strong>b</strong></a>"],
    ['[a](docs/b.md#c "title")', "<a docs/b.md#c>a</a>"],
    ["![an image](/a.png)", "<a /a.png>an image</a>"],
    ["[a] (b) [c](d e)", "[a] (b) [c](d e)"],
    [
      "see https://example.com/a_b. Or <https://example.com/c>!",
      "see <a https://example.com/a_b>https://example.com/a_b</a>. Or <a https://example.com/c>https://example.com/c</a>!",
    ],
    ["xhttps://example.com the", "xhttps://example.com the"],
    ["<b>not html</b>", "<b>not html</b>"],
  ])("reads %j", (source, shown) => {
    expect(show(parseInline(source))).toBe(shown);
  });

  test.each([
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "java\tscript:alert(1)",
  ])("shows a link to %j as its text", (href) => {
    const links = parseInline(`[label](${href}) <${href}>`).filter(({ type }) => type === "link");
    expect(links).toEqual([]);
  });

  test("shows code and bold that are still open when more is coming, and holds back marks at the very end", () => {
    expect(show(parseInline("a **b `c", { isGrowing: true }))).toBe("a <strong>b <code>c</code></strong>");
    expect(show(parseInline("a **", { isGrowing: true }))).toBe("a ");
    expect(show(parseInline("a **b*", { isGrowing: true }))).toBe("a <strong>b</strong>");
  });

  test("loses no letter, whatever the marks around it", () => {
    const piece = fc.constantFrom(
      "a",
      "b ",
      "**",
      "*",
      "_",
      "`",
      "``",
      "[",
      "](x)",
      "]",
      "~~",
      "\\",
      "\n",
      "!",
      "<",
      "http",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, isGrowing) => {
        const source = pieces.join("");
        const letters = (words: string): string => words.replaceAll(/[^ab]/g, "");
        const shown = show(parseInline(source, { isGrowing })).replaceAll(/<\/?[a-z]+(?: x)?>/g, "");
        expect(letters(shown)).toBe(letters(source));
      }),
    );
  });

  test.each(["*a ", "**a ", "_a ", "`` ` ", "[a", "[a](", "<https://", "![", "~~a ", "\\"])(
    "reads 40,000 times %j in linear time",
    (piece) => {
      const source = piece.repeat(40_000);
      expect(show(parseInline(source)).length).toBeGreaterThan(0);
    },
  );
});

describe("safeHref", () => {
  test("lets through http, https and relative places, as they are", () => {
    for (const href of ["https://example.com", "http://a.b/c", "/docs/a.md", "a.md#b", "#c", "../d"]) {
      expect(safeHref(href)).toBe(href);
    }
  });

  test("refuses everything else", () => {
    for (const href of ["javascript:x", "data:,x", "mailto:a@b.c", "https://["]) expect(safeHref(href)).toBeUndefined();
  });
});
