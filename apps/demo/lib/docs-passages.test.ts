import { describe, expect, test } from "vitest";
import { documentTitle, splitPassages } from "./docs-passages.ts";

const split = (text: string) => splitPassages({ file: "a.md", text });

describe("splitPassages", () => {
  test("cuts at headings, and tells the path and the anchor of each", () => {
    expect(split("before\n# A `b`\nin a\n## C\n\nin c\n### D\nin d\n## C\nagain\n")).toEqual([
      { title: "a.md", path: [], file: "a.md", anchor: "", text: "before" },
      { title: "A b", path: [], file: "a.md", anchor: "a-b", text: "in a" },
      { title: "C", path: ["A b"], file: "a.md", anchor: "c", text: "in c" },
      { title: "D", path: ["A b", "C"], file: "a.md", anchor: "d", text: "in d" },
      { title: "C", path: ["A b"], file: "a.md", anchor: "c-1", text: "again" },
    ]);
  });

  test("takes a heading inside a code block for code, and keeps the block whole", () => {
    expect(split("# A\n```sh\n# comment\n\nrun\n```\n")).toMatchObject([
      { title: "A", text: "```sh\n# comment\n\nrun\n```" },
    ]);
    expect(split("# A\n````\n```\n# x\n````\n# B\nb")).toMatchObject([{ title: "A" }, { title: "B", text: "b" }]);
  });

  test("keeps paragraphs of 900 characters together, and cuts before the one that goes beyond", () => {
    const [first, second] = ["x".repeat(400), "y".repeat(500)];
    expect(split(`# A\n${first}\n\n${second}`)).toMatchObject([{ text: `${first}\n\n${second}` }]);
    expect(split(`# A\n${first}\n\n${second}y`)).toMatchObject([
      { title: "A", text: first },
      { title: "A", text: `${second}y` },
    ]);
  });

  test("gives nothing for a heading without text", () => {
    expect(split("# A\n\n## B\n\n")).toEqual([]);
  });
});

describe("documentTitle", () => {
  test("is the first heading without its marks, or the file's name", () => {
    expect(documentTitle({ file: "a.md", text: "text\n# The `log` #\n" })).toBe("The log");
    expect(documentTitle({ file: "a.md", text: "## two" })).toBe("a.md");
  });
});
