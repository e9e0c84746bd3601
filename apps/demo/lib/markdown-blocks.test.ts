import { describe, expect, test } from "vitest";
import { depthOf, shapeOf } from "./markdown-shape.test-support.ts";
import { parseMarkdown } from "./markdown-stream.ts";

const shape = (source: string): unknown => shapeOf(parseMarkdown(source));

const text = (words: string): unknown => ({ type: "paragraph", text: words });

describe("parseMarkdown", () => {
  test("tells headings, paragraphs and rules apart", () => {
    expect(shape("# One #\ntwo\nthree\n\n---\n###### Six\n####### no heading")).toEqual([
      { type: "heading", level: 1, text: "One" },
      text("two\nthree"),
      { type: "rule" },
      { type: "heading", level: 6, text: "Six" },
      text("####### no heading"),
    ]);
  });

  test("keeps what stands in a code block, marks and blank lines too, and its language", () => {
    expect(shape("```ts\n# not a heading\n\n- not a list\n```\nafter")).toEqual([
      { type: "code", language: "ts", text: "# not a heading\n\n- not a list" },
      text("after"),
    ]);
    expect(shape("~~~~\n```\n~~~\n~~~~")).toEqual([{ type: "code", language: "", text: "```\n~~~" }]);
  });

  test("shows a code block that is not closed yet as far as it goes", () => {
    expect(shape("```js\nconst a")).toEqual([{ type: "code", language: "js", text: "const a" }]);
    expect(shape("```")).toEqual([{ type: "code", language: "", text: "" }]);
  });

  test("reads lists, lazy lines, blank lines between items and lists inside lists", () => {
    expect(shape("- one\nlazy\n- two\n\n- three\n  1. inner\n\nafter")).toEqual([
      {
        type: "list",
        isOrdered: false,
        start: 1,
        items: [
          [text("one\nlazy")],
          [text("two")],
          [text("three"), { type: "list", isOrdered: true, start: 1, items: [[text("inner")]] }],
        ],
      },
      text("after"),
    ]);
  });

  test("keeps the number that an ordered list starts with", () => {
    expect(shape("7. seven\n8. eight")).toEqual([
      { type: "list", isOrdered: true, start: 7, items: [[text("seven")], [text("eight")]] },
    ]);
  });

  test("reads quotes and what stands in them", () => {
    expect(shape("> one\n>\n> - two\nafter")).toEqual([
      {
        type: "quote",
        blocks: [text("one"), { type: "list", isOrdered: false, start: 1, items: [[text("two")]] }],
      },
      text("after"),
    ]);
  });

  test("reads tables, fills missing cells, and leaves an escaped bar in its cell", () => {
    expect(shape("| a | b |\n|---|:-:|\n| 1 | x \\| y |\n| 2 |")).toEqual([
      {
        type: "table",
        head: ["a", "b"],
        rows: [
          ["1", "x | y"],
          ["2", ""],
        ],
      },
    ]);
  });

  test("takes a table without its second line for a paragraph", () => {
    expect(shape("| a | b |")).toEqual([text("| a | b |")]);
  });

  test("takes lines that are no table for one paragraph, though one of them could divide a table", () => {
    expect(shape("a\n| b | c |\n|-|\nd")).toEqual([text("a\n| b | c |\n|-|\nd")]);
  });

  test("leaves comments out, also one that ends a paragraph or is indented", () => {
    expect(shape("<!-- a\nb -->\nafter")).toEqual([text("after")]);
    expect(shape("before\n   <!-- a\n\nb -->\nafter")).toEqual([text("before"), text("after")]);
    expect(shape("before\n    <!-- a -->")).toEqual([text("before\n<!-- a -->")]);
    expect(shape("| d | e |\n<!-- |-|\n|-|\n")).toEqual([text("| d | e |")]);
    expect(shape(`${"> ".repeat(6)}before\n${"> ".repeat(6)}<!-- a -->`)).toEqual(shape(`${"> ".repeat(6)}before`));
  });

  test("nests six deep, and shows the seventh as text", () => {
    expect(depthOf(parseMarkdown(`${"> ".repeat(6)}a`))).toBe(6);
    expect(depthOf(parseMarkdown(`${"> ".repeat(7)}a`))).toBe(6);
    expect(JSON.stringify(shape(`${"> ".repeat(7)}a`))).toContain('"text":"> a"');
  });
});
