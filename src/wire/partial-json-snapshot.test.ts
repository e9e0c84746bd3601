// Snapshots of partial JSON: they stay as they are, and share what has not changed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPartialJsonDecoder } from "./partial-json.ts";
import { cut } from "./partial-json.test-support.ts";

describe("snapshot()", () => {
  test("stays as it is, and shares what has not changed", () => {
    const decoder = createPartialJsonDecoder<{ a?: { x?: number[] }; b?: { y?: string }[]; c?: number }>();
    decoder.push('{"a":{"x":[1,2]},"b":[{"y":"on');
    const first = decoder.snapshot();
    expect(decoder.snapshot()).toBe(first);
    decoder.push('e"},{"y":"t');
    const second = decoder.snapshot();
    decoder.push('wo"}],"c":3}');
    const third = decoder.snapshot();
    expect(first).toEqual({ a: { x: [1, 2] }, b: [{ y: "on" }] });
    expect(second).toEqual({ a: { x: [1, 2] }, b: [{ y: "one" }, { y: "t" }] });
    expect(third).toEqual({ a: { x: [1, 2] }, b: [{ y: "one" }, { y: "two" }], c: 3 });
    expect(second).not.toBe(first);
    expect(second?.a).toBe(first?.a);
    expect(third?.a).toBe(first?.a);
    expect(second?.b).not.toBe(first?.b);
    expect(third?.b?.[0]).toBe(second?.b?.[0]);
    expect(decoder.snapshot()).toBe(third);
  });

  test("is the same object when nothing but the end of it came", () => {
    const decoder = createPartialJsonDecoder<{ a: { b: string[] }; c: number }>();
    decoder.push('{"a":{"b":["x"');
    const first = decoder.snapshot();
    decoder.push("]");
    expect(decoder.snapshot()).toBe(first);
    decoder.push("}");
    expect(decoder.snapshot()).toBe(first);
    decoder.push(',"c":1');
    decoder.push("}");
    const last = decoder.snapshot();
    expect(last).toEqual({ a: { b: ["x"] }, c: 1 });
    expect(last?.a).toBe(first?.a);
    expect(first).toEqual({ a: { b: ["x"] } });
    expect(decoder.end()).toEqual(last);
  });

  test("equals the value at each moment, and every earlier one keeps its own", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 4 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 3 }),
        (text, size, each) => {
          const decoder = createPartialJsonDecoder();
          const taken: { readonly snapshot: unknown; readonly json: string | undefined }[] = [];
          for (const [index, piece] of cut(text, size).entries()) {
            decoder.push(piece);
            const json = JSON.stringify(decoder.value) as string | undefined;
            if (index % each === 0) taken.push({ snapshot: decoder.snapshot(), json });
          }
          expect(decoder.end()).toStrictEqual(JSON.parse(text));
          expect(decoder.snapshot()).toStrictEqual(JSON.parse(text));
          for (const { snapshot, json } of taken) expect(JSON.stringify(snapshot)).toBe(json);
        },
      ),
      { numRuns: 300 },
    );
  });
});
