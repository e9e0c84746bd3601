// The names of keys: whatever a stream is called, its keys lie in one slot, and no two streams share one.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ownerKeys, streamKeys, toStream } from "./redis-rows.ts";

/** What Redis Cluster hashes of a key: what stands between the first `{` and the next `}`, unless that is nothing. */
function hashed(key: string): string {
  const start = key.indexOf("{");
  const end = start < 0 ? -1 : key.indexOf("}", start);
  return end > start + 1 ? key.slice(start + 1, end) : key;
}

const names = fc.oneof(
  fc.string(),
  fc.array(fc.constantFrom("{", "}", "%", "7", "b", "a"), { minLength: 1 }).map((parts) => parts.join("")),
);

describe("streamKeys()", () => {
  test("gives keys of one slot, whatever the name", () => {
    fc.assert(
      fc.property(names, (name) => {
        for (const keys of [streamKeys("p", name), ownerKeys("p", name)]) {
          expect(new Set(keys.map(hashed)).size).toBe(1);
          expect(new Set(keys).size).toBe(keys.length);
        }
      }),
    );
  });

  test("gives different streams different keys", () => {
    fc.assert(
      fc.property(names, names, (one, other) => {
        fc.pre(one !== other);
        const keys = new Set(streamKeys("p", one));
        expect(streamKeys("p", other).filter((key) => keys.has(key))).toEqual([]);
      }),
    );
  });
});

describe("toStream()", () => {
  test("says so when what is kept of a stream is not whole", () => {
    expect(toStream("s", null)).toBeUndefined();
    expect(() => toStream("s", ["1", null, null])).toThrow(expect.objectContaining({ code: "store_damaged" }));
  });
});
