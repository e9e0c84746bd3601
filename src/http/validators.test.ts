import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isEntityTag, matchesStrongly, matchesWeakly, parseTags } from "./validators.ts";

describe("entity tags", () => {
  // The table of RFC 9110 section 8.8.3.2.
  test.each([
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
  ])("%s and %s: strong %s, weak %s", (a, b, strong, weak) => {
    expect([matchesStrongly(a, b), matchesStrongly(b, a)]).toEqual([strong, strong]);
    expect([matchesWeakly(a, b), matchesWeakly(b, a)]).toEqual([weak, weak]);
  });

  test.each(['""', '"xyzzy"', 'W/"xyzzy"', '"a,b"', '"\u0080\u00ff"', '"!#"'])("%s is one", (tag) => {
    expect(isEntityTag(tag)).toBe(true);
  });

  test.each(["", "x", '"', '"a"b"', 'w/"a"', '"a b"', '"a\u007f"', '"\u0100"', ' "a"', '"a"\n'])(
    "%j is none",
    (tag) => {
      expect(isEntityTag(tag)).toBe(false);
    },
  );

  test("parseTags() reads what a list of tags was made of, however it is spaced", () => {
    const tag = fc
      .tuple(fc.boolean(), fc.stringMatching(/^[!#-~]{0,8}$/))
      .map(([isWeak, opaque]) => `${isWeak ? "W/" : ""}"${opaque}"`);
    const space = fc.constantFrom("", " ", "\t", "  ", ", ", " ,");
    fc.assert(
      fc.property(fc.array(fc.tuple(space, tag, space), { maxLength: 6 }), (elements) => {
        const text = elements.map(([before, each, after]) => `${before}${each}${after}`).join(",");
        expect(parseTags(text)).toEqual(elements.map(([, each]) => each));
      }),
    );
  });

  test("parseTags() takes linear time for a field made of spaces", () => {
    expect(parseTags(`"a"${" ".repeat(1_000_000)}x`)).toBeUndefined();
  });
});
