import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block } from "./markdown-blocks.ts";
import { InlineStream } from "./markdown-inline-stream.ts";
import { parseInline } from "./markdown-inline.ts";
import { parseReference } from "./markdown-reference.test-support.ts";
import { mergedText, shapeOf } from "./markdown-shape.test-support.ts";
import { MarkdownStream, parseMarkdown } from "./markdown-stream.ts";

const CORPUS = [
  "# Title\n\nSome *words* and **bold ones**, `code` and a [link](https://example.com/a).\nMore.\n\n---\n",
  "1. one\n   more\n\n   ```ts\n   const a = 1;\n\n   b();\n   ```\n2. two\n   - in\n   - side\n\n3) other\nlazy\n\nafter",
  "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |\nend\n\nx | y\n- | -\n1 | 2\n\ntext\n| h |\n|---|\n| c |\n",
  "> quote\n> - list\n>\n> ```sh\n> ls\n> ```\nafter\n> > deep\n<!-- hidden\nstill --> \nshown\n",
  "```js\r\na\r\n\r\n/* b\r\nc */ d\r\n```\r\ne\rf\n\ng\n~~~~\n```\n~~~\n~~~~\nx\n```\nopen\n",
];

/** What the property below has found before. */
const FOUND = ["| d | e |\n<!-- |-|\n|-|\n", "   g\n\t|-|\n---\n"];
function* cuts(): Generator<number> {
  for (;;) yield* [8, 6];
}

const piece = fc.constantFrom(
  ..."# a\n|- b\n|> c\n|```\n|~~~ts\n|\n|text\n|1. f\n|   g\n|  h|---\n|- [ ] t|**b**|<!-- |-->\n| \n|\r\n|\r|`|*|    i\n|+ j\n".split(
    "|",
  ),
  ..."| d | e |\n;|---|---|\n;|;|-|\n".split(";"),
);
const source = fc.oneof(
  fc.constantFrom(...CORPUS),
  fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
  fc.array(fc.constantFrom(...CORPUS), { maxLength: 3 }).map((texts) => texts.join("\n")),
);

/** Without the empty lines that end a code block which is never closed. */
function settled(blocks: unknown): unknown {
  return JSON.parse(
    JSON.stringify(blocks, (key, value: unknown) =>
      key === "raw" ? undefined : key === "text" ? String(value).replace(/\n+$/, "") : value,
    ),
  );
}

describe("MarkdownStream", () => {
  test("reads what the reference reads, however the text is cut, and never takes a frozen block back", () => {
    fc.assert(
      fc.property(source, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (text, steps) => {
        const stream = new MarkdownStream();
        let frozen: readonly Block[] = [];
        for (let end = 0; end < text.length; end += steps.next().value) {
          const shown = stream.view(text.slice(0, end), true).flat();
          const now = stream.frozen().flat();
          expect(now.length).toBeGreaterThanOrEqual(frozen.length);
          // The same objects, not only the same contents.
          expect(frozen.every((block, index) => block === now[index])).toBe(true);
          expect(now.every((block, index) => block === shown[index])).toBe(true);
          frozen = now;
        }
        const whole = stream.view(text, false);
        expect(frozen.every((block, index) => block === whole.flat()[index])).toBe(true);
        expect(shapeOf(whole)).toEqual(shapeOf(parseMarkdown(text)));
        expect(settled(shapeOf(whole))).toEqual(settled(parseReference(text)));
      }),
      { numRuns: 400, examples: FOUND.map((text) => [text, fc.stream(cuts())]) },
    );
  });

  test("the frozen blocks of each prefix are a prefix of the whole's blocks", () => {
    for (const text of CORPUS) {
      const whole = shapeOf(parseMarkdown(text));
      for (let end = 0; end <= text.length; end++) {
        const stream = new MarkdownStream();
        stream.view(text.slice(0, end), true);
        const frozen = shapeOf(stream.frozen());
        expect(frozen).toEqual(whole.slice(0, frozen.length));
      }
    }
  });

  test("begins anew with a text that does not go on from the last one, and goes on after an end", () => {
    const stream = new MarkdownStream();
    stream.view("# a\n\nb", true);
    expect(shapeOf(stream.view("c\n\nd", true))).toEqual(shapeOf(parseMarkdown("c\n\nd")));
    const done = stream.view("c\n\nd", false);
    expect(stream.view("c\n\nd", false)).toBe(done);
    expect(shapeOf(stream.view("c\n\nde", true))).toEqual(shapeOf(parseMarkdown("c\n\nde")));
  });

  const shown = (text: string): unknown[] => shapeOf(new MarkdownStream().view(text, true));
  test.each(["-", "1", "1.", "#", "##", "``", ">", "---", "*"])(
    "holds back %j until it is known what it is",
    (mark) => {
      expect(shown(`a\n\n${mark}`)).toEqual(shown("a\n\n"));
    },
  );

  test("shows a table from its first bar on, and a fence without the marks that may close it", () => {
    for (const end of ["| a", "| a | b |", "| a | b |\n", "| a | b |\n|--", "| a | b |\n|---|---|\n"]) {
      expect(shown(`x\n\n${end}`)[1]).toMatchObject({ type: "table" });
    }
    expect(shown("```ts")).toEqual([{ type: "code", language: "", text: "" }]);
    expect(shown("```ts\na\n``")).toEqual([{ type: "code", language: "ts", text: "a" }]);
  });

  test("keeps a block's place when it is the 32nd and the 33rd, and reads 10,000 lines once", () => {
    const text = Array.from({ length: 70 }, (_, index) => `p${index}\n\n`).join("");
    const stream = new MarkdownStream();
    for (let end = 0; end <= text.length; end++) {
      const groups = stream.view(text.slice(0, end), true);
      for (const group of groups.slice(0, -1)) expect(group).toHaveLength(32);
    }
    const long = `\`\`\`ts\n${"const a = 1;\n".repeat(10_000)}`;
    const first = stream.view(long, true).flat()[0];
    const second = stream.view(`${long}b`, true).flat()[0];
    if (first?.type !== "code" || second?.type !== "code") throw new Error("no code");
    expect(first.lines).toHaveLength(313);
    expect(second.lines.slice(0, 312).every((group, index) => group === first.lines[index])).toBe(true);
  });
});

describe("InlineStream", () => {
  const words = fc.constantFrom(
    "word ",
    "wörd",
    "**",
    "*",
    "`",
    "``",
    "_",
    "[a](b)",
    "[",
    "](",
    "https://a.b/c ",
    "\n",
    "  \n",
    "\\",
    "𝒳",
    "h",
    "~~",
    ")",
  );

  test("gives the marks of the whole text, however it is cut", () => {
    const long = fc.array(words, { minLength: 1, maxLength: 60 }).map((pieces) => {
      const text = pieces.join("");
      return text.repeat(Math.ceil(9_000 / text.length));
    });
    fc.assert(
      fc.property(long, fc.integer({ min: 300, max: 3_000 }), (text, step) => {
        const stream = new InlineStream();
        for (let end = 0; end < text.length; end += step) stream.view(text.slice(0, end), true);
        expect(mergedText(stream.view(text, false).flat())).toEqual(mergedText(parseInline(text)));
      }),
      { numRuns: 60 },
    );
  });

  test("reads settled pieces once, so that what is read per call has a limit", () => {
    const text = "some **bold** words and `code`, ".repeat(2_000);
    const stream = new InlineStream();
    const first = stream.view(text, true);
    const second = stream.view(`${text}more`, true);
    expect(first.length).toBeGreaterThan(50);
    expect(second.slice(0, -1).every((found, index) => found === first[index])).toBe(true);
    expect(JSON.stringify(second.at(-1)).length).toBeLessThan(24_000);
  });
});
