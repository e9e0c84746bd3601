import { describe, expect, test } from "vitest";
import { ownChunk, releaseChunk } from "./own-chunks.ts";

describe("releaseChunk()", () => {
  test("releaseChunk() gives back the memory of a chunk that is the upload's alone", () => {
    const chunk = new Uint8Array(1_000);
    const { buffer } = chunk;
    ownChunk(chunk);
    releaseChunk(chunk);
    expect([chunk.byteLength, buffer.byteLength]).toEqual([0, 0]);
    releaseChunk(chunk); // again: nothing to give back
  });

  test("releaseChunk() leaves what others may hold", () => {
    const foreign = new Uint8Array(1_000);
    releaseChunk(foreign);
    expect(foreign.byteLength).toBe(1_000);

    const shared = new Uint8Array(1_000);
    ownChunk(shared.subarray(0, 500)); // a part of a larger buffer is nobody's alone
    releaseChunk(shared);
    expect(shared.byteLength).toBe(1_000);

    const owned = new Uint8Array(1_000);
    ownChunk(owned);
    releaseChunk(owned.subarray(0, 999));
    expect(owned.byteLength).toBe(1_000);
  });
});
