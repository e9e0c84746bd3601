import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { appendFile, mkdir, rename, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import v8 from "node:v8";
import vm from "node:vm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BytePull } from "../bytes/byte-pull.ts";
import { file } from "../reply/file.ts";
import { MAX_SPARE_BUFFERS, READ_BYTES, REUSED_READ_BYTES, spareBufferCount } from "./descriptor-pull.ts";
import { diskFile } from "./disk-file.ts";

const BYTES = Buffer.alloc(3 * READ_BYTES + 1_234);
for (let at = 0; at < BYTES.length; at++) BYTES[at] = (at * 7) % 251;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailrace-disk-"));
  path = join(folder, "a.bin");
  await writeFile(path, BYTES);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const get = (headers: HeadersInit = {}, init: RequestInit = {}): Request =>
  new Request("http://test/", { headers, ...init });

/** How many descriptors of this test's folder are open; by folder, as other tests of the process open files too. */
function openCount(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false; // the one that reads the folder
    }
  }).length;
}

async function readAll(pull: BytePull): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const result = await pull.next();
    if (result.done === true) return Buffer.concat(chunks);
    chunks.push(result.value);
  }
}

describe("diskFile()", () => {
  test("says what was opened and reads any part of it", async () => {
    const source = await diskFile(path);
    expect(source).toMatchObject({ size: BYTES.length, name: "a.bin", type: "application/octet-stream" });
    expect(source.etag).toMatch(/^"[\da-z-]+"$/);
    expect((await readAll(source.read(0, BYTES.length))).equals(BYTES)).toBe(true);
    expect(
      (await readAll(source.read(READ_BYTES - 3, READ_BYTES + 3))).equals(
        BYTES.subarray(READ_BYTES - 3, READ_BYTES + 3),
      ),
    ).toBe(true);
    expect(await readAll(source.read(5, 5))).toHaveLength(0);
    source.close();
    source.close();
    expect(openCount()).toBe(0);
  });

  test("takes the name and type that it is given", async () => {
    const source = await diskFile(path, { name: "b.txt", type: "text/x-mine" });
    expect([source.name, source.type]).toEqual(["b.txt", "text/x-mine"]);
    source.close();
  });

  test("tells nothing of why there is no such file", async () => {
    await mkdir(join(folder, "dir"));
    await symlink(join(folder, "loop"), join(folder, "loop"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
    for (const name of ["missing", "dir", "loop", "pipe", "a.bin/x", "a\0b", "x".repeat(300), "dir/../missing"]) {
      const error: unknown = await diskFile(join(folder, "").concat("/", name)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "not_found", status: 404, message: "There is no such file." });
    }
    expect(openCount()).toBe(0);
  });

  test("its tag changes with each change of the bytes, also one that leaves size and time of modification", async () => {
    const tags = new Set<string>();
    const look = async (): Promise<void> => {
      const source = await diskFile(path);
      tags.add(source.etag);
      source.close();
    };
    await look();
    await look();
    expect(tags.size).toBe(1);
    const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20)); // past the clock of the file system
    await settle();
    await appendFile(path, "x");
    await look();
    expect(tags.size).toBe(2);
    await settle();
    await writeFile(path, Buffer.alloc(BYTES.length + 1, 1));
    await look();
    expect(tags.size).toBe(3);
    await utimes(path, 1, 1);
    await look();
    await settle();
    await writeFile(path, Buffer.alloc(BYTES.length + 1, 2));
    await utimes(path, 1, 1);
    await look();
    expect(tags.size).toBe(5);
    await writeFile(join(folder, "b"), Buffer.alloc(BYTES.length + 1, 2));
    await utimes(join(folder, "b"), 1, 1);
    await rename(join(folder, "b"), path);
    await look();
    expect(tags.size).toBe(6);
  });

  test("a read behind the end is an end, and a closed file an error", async () => {
    const source = await diskFile(path);
    await truncate(path, 10);
    expect(await readAll(source.read(0, 100))).toHaveLength(10);
    const late = source.read(0, 10);
    source.close();
    await expect(late.next()).rejects.toMatchObject({ code: "closed" });
  });

  test("is not closed under a read, so that no other file gets into it", async () => {
    const source = await diskFile(path);
    const reading = source.read(0, READ_BYTES).next();
    source.close();
    expect(openCount()).toBe(1);
    expect((await reading).done).toBe(false);
    expect(openCount()).toBe(0);
  });
});

describe("the descriptor of a reply is closed", () => {
  const reply = async (request: Request): Promise<Response> => file(request, diskFile(path));

  test("by HEAD, 100 times", async () => {
    for (let count = 0; count < 100; count++) await reply(get({}, { method: "HEAD" }));
    expect(openCount()).toBe(0);
  });

  test.each([
    ["304", { "if-none-match": "*" }, 304],
    ["412", { "if-match": '"x"' }, 412],
    ["416", { range: "bytes=99999999-" }, 416],
  ])("by %s", async (_name, headers, status) => {
    expect((await reply(get(headers))).status).toBe(status);
    expect(openCount()).toBe(0);
  });

  test("when all has been read", async () => {
    expect(Buffer.from(await (await reply(get())).arrayBuffer()).equals(BYTES)).toBe(true);
    expect(openCount()).toBe(0);
  });

  test("when several ranges have been read", async () => {
    const response = await reply(get({ range: "bytes=0-0,500000-500009" }));
    expect((await response.arrayBuffer()).byteLength).toBe(Number(response.headers.get("content-length")));
    expect(openCount()).toBe(0);
  });

  test("when it fell short", async () => {
    const response = await file(get(), diskFile(path), { onError: () => undefined });
    await truncate(path, READ_BYTES);
    await expect(response.arrayBuffer()).rejects.toMatchObject({ code: "source_failed" });
    expect(openCount()).toBe(0);
  });

  test("when the reader cancels or the request is aborted, also before anything was read", async () => {
    const cancelled = (await reply(get())).body!.getReader();
    await cancelled.read();
    await cancelled.cancel();
    await (await reply(get())).body!.cancel();
    const controller = new AbortController();
    const response = await reply(get({}, { signal: controller.signal }));
    expect(openCount()).toBe(1);
    controller.abort();
    expect(response.status).toBe(200);
    expect(openCount()).toBe(0);
    await reply(get({}, { signal: AbortSignal.abort() }));
    expect(openCount()).toBe(0);
  });

  test("at the latest when a Response that nobody reads is forgotten", async () => {
    v8.setFlagsFromString("--expose-gc");
    const collect = vm.runInNewContext("gc") as () => void;
    for (let count = 0; count < 20; count++) await reply(get());
    expect(openCount()).toBeGreaterThan(0);
    await vi.waitFor(async () => {
      collect();
      await nextTurn();
      expect(openCount()).toBe(0);
    });
  });
});

describe("buffers", () => {
  test("are used again once the host gives them back, larger ones then, and never more are kept than MAX_SPARE_BUFFERS", async () => {
    const large = join(folder, "large");
    await writeFile(large, Buffer.alloc(40 * REUSED_READ_BYTES));
    const source = await diskFile(large);
    const pull = source.read(0, source.size);
    const seen = new Set<ArrayBuffer>();
    let chunkCount = 0;
    for (;;) {
      const result = await pull.next();
      if (result.done === true) break;
      seen.add(result.value.buffer);
      chunkCount++;
      pull.recycle?.(result.value);
    }
    expect(chunkCount).toBeGreaterThan(40);
    expect(seen.size).toBeLessThanOrEqual(3);
    const kept: (() => void)[] = [];
    for (let count = 0; count < 3 * MAX_SPARE_BUFFERS; count++) {
      const one = source.read(0, READ_BYTES);
      const result = await one.next();
      if (result.done !== true) kept.push(() => one.recycle?.(result.value));
    }
    for (const give of kept) give();
    expect(spareBufferCount()).toBeLessThanOrEqual(2 * MAX_SPARE_BUFFERS);
    expect(spareBufferCount()).toBeGreaterThanOrEqual(MAX_SPARE_BUFFERS);
    source.close();
  });
});
