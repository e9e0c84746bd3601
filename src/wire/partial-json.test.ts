// Partial JSON: the value of JSON.parse under every split, and growth that never takes anything back.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPartialJsonDecoder } from "./partial-json.ts";
import { cut, decode, error, splits, utf8 } from "./partial-json.test-support.ts";

const CORPUS: readonly string[] = [
  '{"a":1,"b":[true,false,null],"c":{"d":"e"}}',
  ' \t\r\n{ "a" : 1 , "b" : [ ] , "c" : { } } \r\n',
  '"plain"',
  '""',
  "0",
  "-0",
  "-12.50e+3",
  "[1E5,2e-2,0.25,10,-1,1e999]",
  "null",
  "true",
  "[]",
  "{}",
  "[[[[]],{}],[{}]]",
  '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u3042"',
  '"\\ud83d\\ude00 \u{1f600} é あ \u2028\u2029"',
  '"\\ud83d"',
  '"\\ud83dx"',
  '"\\ud83d\\ud83d\\ude00\\n"',
  '"\\ude00\\ud83d"',
  '["\ud83d","\ud83d\\n","\ud83d\\ude00"]',
  '{"__proto__":{"polluted":true},"constructor":1,"toString":"x"}',
  '{"__proto__":"a long text","__proto__":["last",{"__proto__":null}]}',
  '{"a":1,"b":2,"a":"last wins"}',
  '{"a":{"x":1},"a":{"y":2}}',
  '{"":"empty","\\u0061":"escaped key","\ud83d\ude00":1,"10":2,"2":3}',
  '{"text":"a longer run of text, with \\"quotes\\" in it","n":[0,{"deep":["er"]}],"last":null}',
];

/** Whether `next` has all that `value` has, with longer strings, further elements and further members at most. */
function grewFrom(value: unknown, next: unknown): boolean {
  if (typeof value === "string") return typeof next === "string" && next.startsWith(value);
  if (Array.isArray(value)) {
    return Array.isArray(next) && value.every((item, index) => grewFrom(item, next[index]));
  }
  if (typeof value === "object" && value !== null) {
    if (typeof next !== "object" || next === null || Array.isArray(next)) return false;
    return Object.entries(value).every(
      ([key, item]) => Object.hasOwn(next, key) && grewFrom(item, (next as Record<string, unknown>)[key]),
    );
  }
  return value === undefined || Object.is(value, next);
}

describe("createPartialJsonDecoder", () => {
  test.each(CORPUS)("gives what JSON.parse gives, under every split: %s", (text) => {
    const whole: unknown = JSON.parse(text);
    for (const pieces of splits(text)) expect(decode(pieces)).toStrictEqual(whole);
    const bytes = utf8(text);
    const wellFormed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    for (let at = 0; at <= bytes.length; at++) {
      expect(decode([bytes.subarray(0, at), bytes.subarray(at)])).toStrictEqual(wellFormed);
    }
  });

  test("gives what JSON.parse gives for any value, cut anywhere", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.integer({ min: 1, max: 40 }), fc.boolean(), (text, size, isIndented) => {
        const json = isIndented ? JSON.stringify(JSON.parse(text), null, 2) : text;
        expect(decode(cut(json, size))).toStrictEqual(JSON.parse(json));
      }),
      { numRuns: 500 },
    );
  });

  test("refuses what JSON.parse refuses, at the same character under every split", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CORPUS),
        fc.nat(),
        fc.constantFrom("", ",", "]", "}", '"', "0", ".", "-", "e", "x", "\\", "\n", "\u0001", ":", "u"),
        (text, where, change) => {
          const at = where % (text.length + 1);
          const changed = text.slice(0, at) + change + text.slice(at + 1);
          const wanted = error(() => JSON.parse(changed) as unknown);
          const [first, ...others] = [...splits(changed)].map((pieces) => error(() => decode(pieces)));
          if (wanted === undefined) expect(first).toBeUndefined();
          else expect(first).toMatchObject({ code: expect.stringMatching(/^(decode_failed|truncated)$/) as string });
          for (const other of others) expect(other).toEqual(first);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("never takes anything back", () => {
    const grows = (text: string, size: number): void => {
      const decoder = createPartialJsonDecoder();
      let last: unknown;
      for (const piece of cut(text, size)) {
        decoder.push(piece);
        const copy = structuredClone(decoder.value);
        expect(grewFrom(last, copy)).toBe(true);
        last = copy;
      }
      expect(grewFrom(last, decoder.end())).toBe(true);
    };
    const isRepeating = (text: string): boolean => text.includes('"a":1,"b":2') || text.includes('"a":{"x"');
    // A key that comes twice takes the first value back, as it must, and a clone has no member of the name __proto__.
    for (const text of CORPUS) if (!isRepeating(text) && !text.includes("__proto__")) grows(text, 1);
    const distinct = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(distinct, fc.integer({ min: 1, max: 9 }), (text, size) => {
        fc.pre(!text.includes("__proto__"));
        grows(text, size);
      }),
    );
  });

  test("shows each part as soon as it is sure of it", () => {
    const steps: readonly (readonly [piece: string, value: unknown])[] = [
      [" ", undefined],
      ["{", {}],
      ['"na', {}],
      ['me"', {}],
      [": ", {}],
      ['"', { name: "" }],
      ["Ad", { name: "Ad" }],
      ["a\\", { name: "Ada" }],
      ["u00", { name: "Ada" }],
      ["e9\\ud83d", { name: "Adaé" }],
      ["\\ude00", { name: "Adaé😀" }],
      ["\ud83d", { name: "Adaé😀" }],
      ['\ude00", "n": [', { name: "Adaé😀😀", n: [] }],
      ["1", { name: "Adaé😀😀", n: [] }],
      ["2,", { name: "Adaé😀😀", n: [12] }],
      ["tru", { name: "Adaé😀😀", n: [12] }],
      ["e,[", { name: "Adaé😀😀", n: [12, true, []] }],
      ["]]}", { name: "Adaé😀😀", n: [12, true, []] }],
    ];
    const decoder = createPartialJsonDecoder();
    for (const [piece, value] of steps) {
      decoder.push(piece);
      expect(decoder.value).toStrictEqual(value);
    }
    expect(decoder.end()).toBe(decoder.value);
    expect(decoder.end()).toBe(decoder.value);
  });

  test("grows in place", () => {
    const decoder = createPartialJsonDecoder();
    decoder.push('{"a":["x');
    const first = decoder.value;
    decoder.push('y"]}');
    expect(decoder.value).toBe(first);
    expect(first).toEqual({ a: ["xy"] });
  });

  test("keeps the name __proto__ away from the prototype", () => {
    const decoder = createPartialJsonDecoder<Record<string, unknown>>();
    decoder.push('{"__proto__":{"polluted":"ye');
    const early = decoder.snapshot();
    decoder.push('s"}');
    for (const value of [decoder.value, decoder.snapshot(), early]) {
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(value ?? {})).toEqual(["__proto__"]);
      expect((value as { polluted?: unknown }).polluted).toBeUndefined();
    }
    expect(JSON.stringify(decoder.snapshot())).toBe('{"__proto__":{"polluted":"yes"}}');
    expect(JSON.stringify(early)).toBe('{"__proto__":{"polluted":"ye"}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("is linear: a string of 4 MiB in small pieces, and an array of 200,000 numbers", () => {
    const text = "lorem ipsum dolor ".repeat(233_017);
    const decoder = createPartialJsonDecoder<string>();
    decoder.push('"');
    for (const piece of cut(text, 16)) decoder.push(piece);
    decoder.push('"');
    expect(decoder.end() === text).toBe(true);
    const numbers = Array.from({ length: 200_000 }, (_, index) => index);
    expect(decode(cut(JSON.stringify(numbers), 8))).toEqual(numbers);
  });
});
