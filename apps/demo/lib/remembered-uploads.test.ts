import { describe, expect, test } from "vitest";
import { MAX_REMEMBERED_COUNT, parseRemembered, readRemembered } from "./remembered-uploads.ts";

const TARGET = "http://demo.test/api/tus/";

function keyOf(name: string, bytes: number, target = TARGET): string {
  return `tailrace.upload:${JSON.stringify([target, name, bytes, 1_700_000_000_000])}`;
}

function valueOf(id: string, savedAt: number): string {
  return JSON.stringify({ url: `${TARGET}${id}`, savedAt });
}

function storage(entries: Readonly<Record<string, string>>): Pick<Storage, "length" | "key" | "getItem"> {
  const keys = Object.keys(entries);
  return { length: keys.length, key: (index) => keys[index] ?? null, getItem: (key) => entries[key] ?? null };
}

describe("readRemembered", () => {
  test("gives the same text whatever the order of the storage", () => {
    const [a, b] = [keyOf("a", 1), keyOf("b", 2)];
    const one = readRemembered(storage({ [a]: "1", [b]: "2", other: "3" }));
    expect(readRemembered(storage({ [b]: "2", other: "4", [a]: "1" }))).toBe(one);
    expect(readRemembered(storage({ [b]: "2", [a]: "5" }))).not.toBe(one);
  });
});

describe("parseRemembered", () => {
  const read = (entries: Readonly<Record<string, string>>): ReturnType<typeof parseRemembered> =>
    parseRemembered(readRemembered(storage(entries)), TARGET);

  test("gives name, size, address and id, newest first", () => {
    const uploads = read({ [keyOf("old.bin", 5)]: valueOf("u1", 10), [keyOf('new "1".bin', 7)]: valueOf("u2", 20) });
    expect(uploads.map(({ name, totalBytes, id, url }) => [name, totalBytes, id, url])).toEqual([
      ['new "1".bin', 7, "u2", `${TARGET}u2`],
      ["old.bin", 5, "u1", `${TARGET}u1`],
    ]);
  });

  test("leaves out other targets, parts of a split file and what it cannot read", () => {
    const uploads = read({
      [keyOf("elsewhere", 5, "http://other.test/tus/")]: valueOf("u1", 1),
      [`${keyOf("split", 5)}#0/2`]: valueOf("u2", 1),
      [keyOf("damaged", 5)]: "{",
      [keyOf("nothing", 5)]: "null",
      [keyOf("no id", 5)]: JSON.stringify({ url: TARGET, savedAt: 1 }),
      "tailrace.upload:": valueOf("u3", 1),
      "tailrace.upload:{}": valueOf("u4", 1),
    });
    expect(uploads).toEqual([]);
  });

  test("gives at most ten, the newest", () => {
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [keyOf(`f${index}`, 1), valueOf(`u${index}`, index)]),
      );
    expect(read(many(MAX_REMEMBERED_COUNT))).toHaveLength(MAX_REMEMBERED_COUNT);
    const uploads = read(many(MAX_REMEMBERED_COUNT + 1));
    expect(uploads).toHaveLength(MAX_REMEMBERED_COUNT);
    expect(uploads.at(-1)?.name).toBe("f1");
  });

  test("takes the text of a page without a storage", () => {
    expect(parseRemembered("", TARGET)).toEqual([]);
  });
});
