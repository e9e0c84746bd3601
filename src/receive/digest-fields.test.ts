import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { memorySink } from "./memory-sink.ts";
import { receive } from "./receive.ts";
import { codeOf, post, watchedSink } from "./receive.test-support.ts";

const digest = (text: string, algorithm = "sha256"): string => createHash(algorithm).update(text).digest("base64");

describe("what a request says of its body", () => {
  describe("digests", () => {
    test.each<[string, Record<string, string>, string | undefined]>([
      ["sha-256", { "content-digest": `sha-256=:${digest("abc")}:` }, undefined],
      ["sha-512", { "repr-digest": `sha-512=:${digest("abc", "sha512")}:` }, undefined],
      ["both", { "content-digest": `sha-512=:${digest("abc", "sha512")}:, sha-256=:${digest("abc")}:` }, undefined],
      [
        "both fields",
        { "content-digest": `sha-256=:${digest("abc")}:`, "repr-digest": `sha-256=:${digest("abc")}:` },
        undefined,
      ],
      ["an unknown one", { "content-digest": "md5=:AAAA:, unixsum=:AAAA:" }, undefined],
      ["an unknown one beside a right one", { "content-digest": `md5=:AAAA:, sha-256=:${digest("abc")}:` }, undefined],
      ["a wrong sha-256", { "content-digest": `sha-256=:${digest("abd")}:` }, "digest_mismatch"],
      [
        "a wrong one beside a right one",
        { "content-digest": `sha-512=:${digest("abd", "sha512")}:, sha-256=:${digest("abc")}:` },
        "digest_mismatch",
      ],
      [
        "a wrong Repr-Digest",
        { "content-digest": `sha-256=:${digest("abc")}:`, "repr-digest": `sha-256=:${digest("abd")}:` },
        "digest_mismatch",
      ],
      ["one that is too short", { "content-digest": "sha-256=:AAAA:" }, "digest_mismatch"],
      ["no dictionary", { "content-digest": `sha-256=${digest("abc")}` }, "decode_failed"],
      ["parameters", { "content-digest": `sha-256=:${digest("abc")}:;q=1` }, undefined],
    ])("receive() with %s", async (_title, headers, code) => {
      const to = watchedSink();
      expect(await codeOf(receive(post("abc", headers), { to }))).toBe(code);
      expect(to.memory.files.size).toBe(code === undefined ? 1 : 0);
    });
  });

  test.each<[string, Record<string, string>, string, number]>([
    ["a coded body", { "content-encoding": "gzip" }, "type_refused", 415],
    ["a part of a file", { "content-range": "bytes 0-1/10" }, "input_invalid", 400],
    ["a form without a boundary", { "content-type": "multipart/form-data" }, "decode_failed", 400],
  ])("receive() refuses %s", async (_title, headers, code, status) => {
    await expect(receive(post("xx", headers), { to: memorySink() })).rejects.toMatchObject({ code, status });
  });
});
