// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fingerprintOf, localUploadStore, MAX_STORED_UPLOADS, UploadMemory, type UploadStore } from "./upload-store.ts";

const storage = window.localStorage;
const store = (): UploadStore => localUploadStore(storage) as UploadStore;

beforeEach(() => {
  storage.clear();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function remember(key: string, url: string): Promise<void> {
  const memory = new UploadMemory(store(), key);
  await memory.claim();
  await memory.save(url);
  memory.release();
}

async function recall(key: string): Promise<string | undefined> {
  const memory = new UploadMemory(store(), key);
  const url = await memory.claim();
  memory.release();
  return url;
}

describe("UploadMemory over localStorage", () => {
  test("claim() finds what save() kept, until forget()", async () => {
    await remember("a", "/tus/1");
    expect(await recall("a")).toBe("/tus/1");
    const memory = new UploadMemory(store(), "a");
    await memory.claim();
    memory.release();
    await memory.forget();
    expect([await recall("a"), storage.length]).toEqual([undefined, 0]);
  });

  test("claim() gives an upload to one at a time, and forget() leaves another's alone", async () => {
    await remember("a", "/tus/1");
    const first = new UploadMemory(store(), "a");
    expect(await first.claim()).toBe("/tus/1");
    expect(await recall("a")).toBeUndefined();
    first.release();
    const second = new UploadMemory(store(), "a");
    expect(await second.claim()).toBe("/tus/1");
    await first.forget();
    second.release();
    expect(await recall("a")).toBe("/tus/1");
  });

  test(`save() keeps ${MAX_STORED_UPLOADS} uploads, and drops the oldest of one more; other keys stay`, async () => {
    storage.setItem("theirs", "x");
    for (let index = 0; index < MAX_STORED_UPLOADS; index += 1) {
      vi.setSystemTime(1000 + index);
      await remember(`k${index}`, `/tus/${index}`);
    }
    expect([storage.length, await recall("k0")]).toEqual([MAX_STORED_UPLOADS + 1, "/tus/0"]);
    vi.setSystemTime(9000);
    await remember("one-more", "/tus/x");
    expect(storage.length).toBe(MAX_STORED_UPLOADS + 1);
    expect([await recall("k0"), await recall("k1"), await recall("one-more")]).toEqual([undefined, "/tus/1", "/tus/x"]);
    expect(storage.getItem("theirs")).toBe("x");
  });

  test.each(["", "{", "1", "{}", '{"url":1}'])("claim() finds nothing in %j", async (value) => {
    storage.setItem("tailrace.upload:a", value);
    expect(await recall("a")).toBeUndefined();
  });

  test("a storage that is shut or full costs nothing but the memory", async () => {
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    await remember("a", "/tus/1");
    expect(await recall("a")).toBeUndefined();
    vi.stubGlobal("localStorage", undefined);
    expect(localUploadStore()).toBeNull();
    vi.unstubAllGlobals();
  });

  test("without a store or a key nothing is remembered", async () => {
    for (const memory of [new UploadMemory(null, "a"), new UploadMemory(store(), null)]) {
      expect(await memory.claim()).toBeUndefined();
      await memory.save("/tus/1");
      await memory.forget();
      memory.release();
    }
    expect(storage.length).toBe(0);
  });

  test("fingerprintOf() tells files apart by name, size, date and address", () => {
    const make = (name: string, text: string, lastModified: number): File => new File([text], name, { lastModified });
    const prints = [
      fingerprintOf("/a", make("n", "x", 1)),
      fingerprintOf("/b", make("n", "x", 1)),
      fingerprintOf("/a", make("m", "x", 1)),
      fingerprintOf("/a", make("n", "xy", 1)),
      fingerprintOf("/a", make("n", "x", 2)),
    ];
    expect(new Set(prints).size).toBe(5);
    expect(fingerprintOf("/a", make("n", "x", 1))).toBe(prints[0]);
    expect(fingerprintOf("/a", new Blob(["x"]))).toBeNull();
  });
});
