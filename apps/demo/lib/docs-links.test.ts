import { describe, expect, test } from "vitest";
import { linkDocs } from "./docs-links.ts";

const known = new Set(["README.md", "docs/a.md", "docs/guides/b.md", "examples/hono/README.md"]);
const link = (text: string, file = "docs/a.md"): string => linkDocs({ file, text }, known);

describe("linkDocs", () => {
  test.each([
    ["[b](guides/b.md)", "[b](/docs/docs/guides/b.md)"],
    ["[b](guides/b.md#part)", "[b](/docs/docs/guides/b.md#part)"],
    ["[up](../README.md)", "[up](/docs/README.md)"],
    ["[here](#part)", "[here](/docs/docs/a.md#part)"],
    ["[hono](../examples/hono/)", "[hono](/docs/examples/hono/README.md)"],
    ["[`code`](guides/b.md)", "[`code`](/docs/docs/guides/b.md)"],
  ])("leads %j to the page of the document", (text, linked) => {
    expect(link(text)).toBe(linked);
  });

  test("keeps only the label of what is no document here", () => {
    expect(link("see [the source](../src/errors.ts), [LICENSE](../LICENSE) and [out](../../../etc/passwd)")).toBe(
      "see the source, LICENSE and out",
    );
  });

  test.each([
    "[a](https://example.com/x)",
    "[a](mailto:a@b.c)",
    "[a](/chat)",
    "`[b](guides/b.md)`",
    "[a] (guides/b.md)",
  ])("leaves %j as it is", (text) => {
    expect(link(text)).toBe(text);
  });

  test("leaves code blocks as they are, and goes on behind them", () => {
    const block = "```md\n[b](guides/b.md)\n```\n";
    expect(link(`${block}[b](guides/b.md)`)).toBe(`${block}[b](/docs/docs/guides/b.md)`);
  });
});
