// Partial JSON: what it refuses and where, its limits, its callbacks, its schema.

import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { createPartialJsonDecoder } from "./partial-json.ts";
import { decode, error, splits, utf8 } from "./partial-json.test-support.ts";
import type { DeepPartial } from "./partial-json-tree.ts";
import type { StandardSchema } from "./standard-schema.ts";

describe("createPartialJsonDecoder", () => {
  test.each([
    ["[1,]", 3, "]"],
    ["{,}", 1, ","],
    ['{"a" 1}', 5, "1"],
    ["[1 2]", 3, "2"],
    ["01", 1, "1"],
    ["[-]", 2, "]"],
    ["[1.]", 3, "]"],
    ["trux", 3, "x"],
    ['"\\x"', 2, "x"],
    ['"\\u12g4"', 5, "g"],
    ['"a\nb"', 2, "\n"],
    ["{} x", 3, "x"],
    ["[1}", 2, "}"],
    ['{"a":1]', 6, "]"],
    ["\ufeff1", 0, "\ufeff"],
    ["[\u00a01]", 1, "\u00a0"],
    ["'a'", 0, "'"],
  ])("says where %j is wrong", (text, position, found) => {
    for (const pieces of splits(text)) {
      const decoder = createPartialJsonDecoder();
      const run = (): void => {
        for (const piece of pieces) decoder.push(piece);
        decoder.end();
      };
      const thrown = error(run);
      expect(thrown).toMatchObject({ code: "decode_failed", details: { position } });
      expect((thrown as Error).message).toContain(`character ${position}: found ${JSON.stringify(found)}`);
      expect(error(() => decoder.push(" "))).toBe(thrown);
      expect(error(() => decoder.end())).toBe(thrown);
    }
  });

  test("keeps the value when the text is cut, and says so", () => {
    for (const [text, value] of [
      ['{"a":[1,"tw', { a: [1, "tw"] }],
      ['{"a":[1,"tw\\', { a: [1, "tw"] }],
      ["[12", []],
      ["", undefined],
      [" ", undefined],
      ["-", undefined],
      ["tru", undefined],
      ["1.", undefined],
    ] as const) {
      const decoder = createPartialJsonDecoder();
      decoder.push(text);
      const thrown = error(() => decoder.end());
      expect(thrown).toMatchObject({ code: "truncated" });
      expect(decoder.value).toEqual(value);
      expect(decoder.snapshot()).toEqual(value);
      expect(error(() => decoder.end())).toBe(thrown);
    }
  });

  test("delivers what came before an error", () => {
    const onValue = vi.fn();
    const decoder = createPartialJsonDecoder({ onValue });
    expect(() => decoder.push("[1,2,x")).toThrow(expect.objectContaining({ code: "decode_failed" }));
    expect(onValue).toHaveBeenCalledExactlyOnceWith([1, 2]);
    expect(decoder.value).toEqual([1, 2]);
  });

  test("calls onValue once per push that changed the value", () => {
    const seen: string[] = [];
    const decoder = createPartialJsonDecoder({ onValue: (value) => seen.push(JSON.stringify(value)) });
    for (const piece of ['{"', 'a":', "1", ",", '"b":"x', "y", '","c":[1,2', "]", "} "]) decoder.push(piece);
    decoder.end();
    expect(seen).toEqual([
      "{}",
      '{"a":1}',
      '{"a":1,"b":"x"}',
      '{"a":1,"b":"xy"}',
      '{"a":1,"b":"xy","c":[1]}',
      '{"a":1,"b":"xy","c":[1,2]}',
    ]);
    const number = vi.fn();
    expect(decode(["4", "2"], { onValue: number })).toBe(42);
    expect(number).toHaveBeenCalledExactlyOnceWith(42);
  });

  test("throws what onValue throws, and goes on after it", () => {
    let isBroken = true;
    const decoder = createPartialJsonDecoder({
      onValue: () => {
        if (isBroken) throw new Error("mine");
      },
    });
    expect(() => decoder.push('["a')).toThrow("mine");
    isBroken = false;
    decoder.push('b"]');
    expect(decoder.end()).toEqual(["ab"]);
    const nested = createPartialJsonDecoder({ onValue: () => nested.push("]") });
    expect(() => nested.push("[")).toThrow(expect.objectContaining({ code: "input_invalid" }));
  });

  test("takes maxChars characters and refuses one more", () => {
    for (const pieces of splits('["abc"]')) {
      expect(decode(pieces, { maxChars: 7 })).toEqual(["abc"]);
      const seen: unknown[] = [];
      const onValue = (value: unknown): unknown => seen.push(structuredClone(value));
      expect(error(() => decode(pieces, { maxChars: 6, onValue }))).toMatchObject({
        code: "limit_exceeded",
        details: { maxChars: 6 },
      });
      expect(seen.at(-1)).toEqual(["abc"]);
    }
  });

  test("takes maxDepthCount levels and refuses one more, 1,000 by default", () => {
    expect(decode(['[{"a":[]}]'], { maxDepthCount: 3 })).toEqual([{ a: [] }]);
    for (const text of ['[{"a":[[', '[{"a":[{']) {
      expect(error(() => decode([text], { maxDepthCount: 3 }))).toMatchObject({ code: "limit_exceeded" });
    }
    expect(decode(["[".repeat(1_000), "]".repeat(1_000)])).toHaveLength(1);
    expect(error(() => decode(["[".repeat(1_001)]))).toMatchObject({ details: { maxDepthCount: 1_000 } });
  });

  test("refuses limits that are none, mixed input, and a push after the end", () => {
    for (const options of [{ maxChars: 0 }, { maxChars: Number.NaN }, { maxDepthCount: -1 }]) {
      expect(error(() => createPartialJsonDecoder(options))).toMatchObject({ code: "input_invalid" });
    }
    for (const pieces of [
      ["[", utf8("]")],
      [utf8("["), "]"],
    ]) {
      expect(error(() => decode(pieces))).toMatchObject({ code: "input_invalid" });
    }
    const decoder = createPartialJsonDecoder();
    decoder.push("1");
    decoder.end();
    expect(error(() => decoder.push(" "))).toMatchObject({ code: "closed" });
  });

  test("drops a byte-order mark before bytes, and makes U+FFFD of bytes that are no UTF-8", () => {
    expect(decode([Uint8Array.of(0xef, 0xbb), Uint8Array.of(0xbf, 0x31)])).toBe(1);
    expect(decode([Uint8Array.of(0x22, 0xff), Uint8Array.of(0x22)])).toBe("\ufffd");
    expect(error(() => decode([utf8("1"), Uint8Array.of(0xc3)]))).toMatchObject({ code: "decode_failed" });
  });

  test("checks the finished value by the schema, with its type", () => {
    interface Plan {
      readonly title: string;
      readonly kind: "long" | "short";
      readonly steps: readonly { readonly text: string; readonly done: boolean }[];
    }
    const schema: StandardSchema<Plan> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) =>
          Object.hasOwn(value as object, "title")
            ? { value: { ...(value as Plan), title: "checked" } }
            : { issues: [{ message: "no title" }, { message: "no steps" }] },
      },
    };
    const decoder = createPartialJsonDecoder({ schema });
    decoder.push('{"title":"a"');
    expectTypeOf(decoder.value).toEqualTypeOf<DeepPartial<Plan> | undefined>();
    expectTypeOf(decoder.value?.kind).toEqualTypeOf<string | undefined>();
    expectTypeOf(decoder.value?.steps?.[0]?.done).toEqualTypeOf<boolean | undefined>();
    decoder.push("}");
    const plan = decoder.end();
    expectTypeOf(plan).toEqualTypeOf<Plan>();
    expect(plan.title).toBe("checked");
    expect(decoder.end()).toBe(plan);
    const refused = createPartialJsonDecoder({ schema });
    refused.push("{}");
    expect(error(() => refused.end())).toMatchObject({
      code: "decode_failed",
      message: expect.stringContaining("no title; no steps") as string,
    });
    expect(refused.value).toEqual({});
    const late: StandardSchema<Plan> = {
      "~standard": { version: 1, vendor: "test", validate: async () => ({ issues: [] }) },
    };
    expect(error(() => decode(["{}"], { schema: late }))).toMatchObject({ code: "input_invalid" });
  });
});
