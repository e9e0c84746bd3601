import zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE } from "../bytes/source.ts";
import { openReplies } from "../reply/open-replies.ts";
import { Coder, type CoderLoad } from "./compress-coder.ts";
import { CompressedPull } from "./compress-pull.ts";

const ENCODINGS = ["gzip", "br", "zstd"] as const;
const LOADS: readonly CoderLoad[] = ["idle", "busy"];
const never = new AbortController().signal;

function pullOver(chunks: readonly Chunk[]): { readonly pull: BytePull; readonly recycled: Chunk[] } {
  const left = [...chunks];
  const recycled: Chunk[] = [];
  return {
    recycled,
    pull: {
      next() {
        const value = left.shift();
        return value === undefined ? DONE : { done: false, value };
      },
      close: () => (left.length = 0),
      recycle: (chunk) => recycled.push(chunk),
    },
  };
}

function decode(encoding: (typeof ENCODINGS)[number], bytes: Uint8Array, isWhole: boolean): Buffer {
  const { constants: c } = zlib;
  if (encoding === "gzip") return zlib.gunzipSync(bytes, isWhole ? {} : { finishFlush: c.Z_SYNC_FLUSH });
  if (encoding === "br") {
    return zlib.brotliDecompressSync(bytes, isWhole ? {} : { finishFlush: c.BROTLI_OPERATION_FLUSH });
  }
  return zlib.zstdDecompressSync(bytes, isWhole ? {} : { finishFlush: c.ZSTD_e_flush });
}

describe("CompressedPull", () => {
  test("gives with each chunk all of it, whatever the chunks are, and gives each back once", async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((each) => new Uint8Array(each));
    await fc.assert(
      fc.asyncProperty(
        fc.array(bytes, { maxLength: 8 }),
        fc.constantFrom(...ENCODINGS),
        fc.constantFrom(...LOADS),
        async (chunks, encoding, load) => {
          const { pull, recycled } = pullOver(chunks);
          const coded = new CompressedPull(never, pull, () => new Coder(encoding, load, {}));
          let wire = Buffer.alloc(0);
          for (let index = 0; index < chunks.length; index++) {
            const result = await coded.next();
            wire = Buffer.concat([wire, result.value ?? new Uint8Array()]);
            expect(decode(encoding, wire, false)).toEqual(Buffer.concat(chunks.slice(0, index + 1)));
          }
          const trailer = await coded.next();
          wire = Buffer.concat([wire, trailer.value ?? new Uint8Array()]);
          expect(decode(encoding, wire, true)).toEqual(Buffer.concat(chunks));
          expect(await coded.next()).toEqual(DONE);
          expect(recycled).toEqual(chunks);
        },
      ),
      { numRuns: 60 },
    );
    expect(openReplies().size).toBe(0);
  });

  test("gives a chunk larger than all buffers, and noise", async () => {
    const noise = new Uint8Array(1_000_000);
    for (let at = 0; at < noise.length; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
    for (const encoding of ENCODINGS) {
      const coded = new CompressedPull(never, pullOver([noise]).pull, () => new Coder(encoding, "idle", {}));
      const { value } = await coded.next();
      expect(decode(encoding, value ?? new Uint8Array(), false).equals(noise)).toBe(true);
      coded.close();
    }
  });

  test("close() while the source or the coder works ends it, and closes the source once it is asked or never", async () => {
    for (const isAsked of [true, false]) {
      const close = vi.fn<() => void>();
      const silent: BytePull = { next: () => new Promise(() => undefined), close };
      const coded = new CompressedPull(never, silent, () => new Coder("gzip", "idle", {}));
      const next = isAsked ? coded.next() : undefined;
      coded.close();
      coded.close();
      expect(await (next ?? coded.next())).toEqual(DONE);
      expect([close.mock.calls.length, openReplies().size]).toEqual([1, 0]);
    }
    const { pull, recycled } = pullOver([new Uint8Array(1_000_000)]);
    const coded = new CompressedPull(never, pull, () => new Coder("gzip", "busy", {}));
    const next = coded.next();
    coded.close();
    expect(await next).toEqual(DONE);
    expect(recycled).toEqual([]); // zlib may still be reading it
  });

  test("stays failed after a failure: nobody is told of an end that was none", async () => {
    const broken: BytePull = {
      next: () => Promise.reject(new Error("broken")),
      close: () => undefined,
    };
    const coded = new CompressedPull(never, broken, () => new Coder("br", "idle", {}));
    await expect(coded.next()).rejects.toThrow("broken");
    expect(() => coded.next()).toThrow("broken");
    expect(openReplies().size).toBe(0);
  });
});
