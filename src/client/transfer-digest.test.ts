import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TailraceError } from "../errors.ts";
import { checkSha256, headerOfSha256, readBlob, sha256OfBlob, sha256OfHeader, toHex } from "./transfer-digest.ts";
import { Sha256 } from "../bytes/sha256.ts";

const hexOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("Sha256", () => {
  test("Sha256 gives the digest of node:crypto for each length around one and two blocks", () => {
    for (let length = 0; length <= 200; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
      const digest = new Sha256();
      digest.update(bytes);
      expect(toHex(digest.digest()), `${length} bytes`).toBe(hexOf(bytes));
    }
  });

  test("Sha256 does not mind how its bytes are split, nor a reset in between", () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
    fc.assert(
      fc.property(parts, fc.uint8Array(), (parts, before) => {
        const digest = new Sha256();
        digest.update(before);
        digest.reset();
        for (const part of parts) digest.update(part);
        expect(toHex(digest.digest())).toBe(hexOf(Buffer.concat(parts)));
      }),
      { numRuns: 300 },
    );
  });

  test("Sha256 counts bits past 32 bits", () => {
    const block = new Uint8Array(1 << 22);
    const digest = new Sha256();
    const real = createHash("sha256");
    // 129 times 4 MiB are more than 2^32 bits.
    for (let count = 0; count < 129; count += 1) {
      digest.update(block);
      real.update(block);
    }
    expect(toHex(digest.digest())).toBe(real.digest("hex"));
  });
});

describe("digests in headers and options", () => {
  const hex = hexOf(Buffer.from("hello"));
  const base64 = Buffer.from(hex, "hex").toString("base64");

  test("sha256OfHeader() reads what headerOfSha256() writes, also among others", () => {
    expect(headerOfSha256(hex)).toBe(`sha-256=:${base64}:`);
    expect(sha256OfHeader(`sha-512=:AAAA:, sha-256=:${base64}:`)).toBe(hex);
  });

  test.each([null, "", "sha-256=abc", "sha-256=:short:", `x-sha-256=:${base64}:`, `sha-256=${base64}`])(
    "sha256OfHeader() finds none in %j",
    (value) => {
      expect(sha256OfHeader(value)).toBeNull();
    },
  );

  test("checkSha256() takes 64 digits in any case, and nothing else", () => {
    expect(checkSha256(hex.toUpperCase())).toBe(hex);
    for (const wrong of ["", hex.slice(1), `${hex}0`, base64]) {
      expect(() => checkSha256(wrong)).toThrow(TailraceError);
    }
  });

  test("sha256OfBlob() reads a Blob of several pieces, and stops when aborted", async () => {
    const bytes = Buffer.alloc(2_500_000, 7);
    expect(await sha256OfBlob(new Blob([bytes]), new AbortController().signal)).toBe(hexOf(bytes));
    const reason = new Error("enough");
    await expect(sha256OfBlob(new Blob([bytes]), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("readBlob() says that a file cannot be read any more", async () => {
    const blob = new Blob(["x"]);
    blob.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
    await expect(readBlob(blob)).rejects.toMatchObject({ code: "source_failed" });
  });
});
