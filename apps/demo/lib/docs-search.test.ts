import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AnswerPart, answerFromDocs, DocsIndex, searchDocs } from "./docs-search.ts";

const README = `# Tailrace

Streams that survive.

## Reconnecting

A reader that was cut comes back with the last id it saw.

## Files

A video is sent in ranges. A reader may seek, and a cut download goes on where it stopped.

\`\`\`sh
# not a heading: reconnecting
curl -N http://127.0.0.1:3000/api/events
\`\`\`
`;
const CHANGES = `# Changes

## 0.1.0

Reconnecting is mentioned here, reconnecting and ranges, among so many other things that happened in this release.
`;
const index = new DocsIndex([
  { file: "README.md", text: README },
  { file: "CHANGELOG.md", text: CHANGES },
]);

async function partsOf(parts: AsyncIterable<AnswerPart>): Promise<AnswerPart[]> {
  const all: AnswerPart[] = [];
  for await (const part of parts) all.push(part);
  return all;
}

function answer(question: string, wordsPerSecond: number = Infinity): Promise<AnswerPart[]> {
  return partsOf(answerFromDocs({ question, index, wordsPerSecond, signal: new AbortController().signal }));
}

function textOf(parts: readonly AnswerPart[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

describe("DocsIndex.search", () => {
  test("ranks the section that bears the word in its title first", () => {
    expect(index.search("How does reconnecting work?")[0]?.passage).toMatchObject({
      title: "Reconnecting",
      path: ["Tailrace"],
      file: "README.md",
      anchor: "reconnecting",
    });
  });

  test("finds another form of the word", () => {
    expect(index.search("seeking in videos")[0]?.passage.title).toBe("Files");
  });

  test("finds nothing for stop words, for nothing and for what is not there", () => {
    expect(index.search("what is it about?")).toEqual([]);
    expect(index.search("")).toEqual([]);
    expect(index.search("zymurgy")).toEqual([]);
  });

  test.each([
    '"',
    'reader" OR "',
    "NEAR(a b)",
    "title:reader",
    "* ^ - + ( ) { }",
    "AND OR NOT",
    "\0",
    "a\0b",
    "'; DROP TABLE passages",
    "\ud800",
  ])("takes %j for words", (query) => {
    expect(() => index.search(query)).not.toThrow();
  });

  test("does not throw for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (query) => {
        expect(index.search(query).length).toBeLessThanOrEqual(20);
      }),
    );
  });

  test("gives no more than 20 passages, and reads 32 words of a query but not the 33rd", () => {
    const text = Array.from({ length: 25 }, (_, at) => `## Section ${at}\n\nwater\n`).join("\n");
    const many = new DocsIndex([{ file: "many.md", text }]);
    expect(many.search("water")).toHaveLength(20);
    const filler = Array.from({ length: 31 }, (_, at) => `filler${at}`).join(" ");
    expect(many.search(`${filler} water`)).toHaveLength(20);
    expect(many.search(`${filler} filler31 water`)).toHaveLength(0);
  });
});

describe("searchDocs", () => {
  test("reads the repository's own documents", () => {
    const { passages } = searchDocs("Last-Event-ID");
    expect(passages.length).toBeGreaterThan(0);
    expect(passages.map(({ file }) => file)).toContain("PROTOCOL.md");
  });
});

describe("answerFromDocs", () => {
  test("says that no model is configured, quotes the passage, names the file, and gives the source behind it", async () => {
    const parts = await answer("reconnecting");
    const text = textOf(parts);
    expect(text).toMatch(/^No model is configured, so this answer is quoted/);
    expect(text).toContain("`README.md`");
    expect(text).toContain("> A reader that was cut comes back with the last id it saw.");
    const source = parts.findIndex((part) => part.type === "source");
    expect(parts[source]).toEqual({
      type: "source",
      id: "README.md#reconnecting",
      url: "/docs/README.md#reconnecting",
      title: "README.md: Reconnecting",
    });
    expect(textOf(parts.slice(0, source))).toContain("the last id it saw.");
  });

  test("says when it found nothing, and what there is", async () => {
    const parts = await answer("zymurgy");
    expect(parts.every((part) => part.type === "text")).toBe(true);
    expect(textOf(parts)).toContain("Nothing in it fits the question");
    expect(textOf(parts)).toContain("- Reconnecting\n");
  });

  test("says when there are no documents at all", async () => {
    const { signal } = new AbortController();
    const index = new DocsIndex([]);
    const parts = await partsOf(answerFromDocs({ question: "reconnecting", signal, index, wordsPerSecond: Infinity }));
    expect(textOf(parts)).toContain("There is no documentation where this server runs");
  });

  test("closes the code block that a long quote was cut in", async () => {
    const code = Array.from({ length: 200 }, (_, at) => `line ${at} of water`).join("\n");
    const long = new DocsIndex([{ file: "long.md", text: `# Long\n\n\`\`\`sh\n${code}\n\`\`\`\n` }]);
    const { signal } = new AbortController();
    const parts = await partsOf(answerFromDocs({ question: "water", signal, index: long, wordsPerSecond: Infinity }));
    expect(textOf(parts)).toMatch(/> line \d+ of water\n> ```\n> \n> …/);
  });

  test("comes in pieces of a few words", async () => {
    const texts = (await answer("ranges")).flatMap((part) => (part.type === "text" ? [part.text] : []));
    expect(texts.length).toBeGreaterThan(20);
    expect(Math.max(...texts.map((text) => text.split(/\S+/).length - 1))).toBe(2);
  });

  test("ends at once when the signal aborts during a wait, and leaves no timer", async () => {
    const before = timers();
    const abort = new AbortController();
    const parts = answerFromDocs({ question: "reconnecting", signal: abort.signal, index, wordsPerSecond: 0.001 });
    expect((await parts.next()).done).toBe(false);
    const next = parts.next();
    expect(timers()).toBe(before + 1);
    const reason = new Error("stopped");
    abort.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(timers()).toBe(before);
    expect((await parts.next()).done).toBe(true);
  });

  test("writes nothing for a signal that has aborted", async () => {
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(answerFromDocs({ question: "reconnecting", signal, index }).next()).rejects.toThrow("gone");
  });
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}
