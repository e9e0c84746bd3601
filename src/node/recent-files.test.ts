import { mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { rename, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { file } from "../reply/file.ts";
import { diskFile } from "./disk-file.ts";
import { folder as serve } from "./folder.ts";
import {
  DISTRUST_MS,
  forgetFiles,
  isRecentFile,
  MAX_LOST_MS,
  MAX_RECENT_FILES,
  onMainThread,
  RECENT_MS,
  rememberFile,
  SMALL_FILE_BYTES,
} from "./recent-files.ts";

const isLinux = process.platform === "linux";
let root: string;
let path: string;
let dev: bigint;
beforeEach(async () => {
  // A clock that stands still: a call that is held up by a busy machine would be one that is not trusted.
  const nowMs = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  forgetFiles();
  root = mkdtempSync(join(tmpdir(), "tailrace-recent-"));
  path = join(root, "a.txt");
  await writeFile(path, "one");
  dev = statSync(path, { bigint: true }).dev;
});
afterEach(() => {
  vi.restoreAllMocks();
  forgetFiles();
  rmSync(root, { recursive: true, force: true });
});

const get = (headers: HeadersInit = {}): Request => new Request("http://test/", { headers });

/** Opens until the device is known and the file is opened on the main thread. */
async function warm(name: string = path): Promise<void> {
  await vi.waitFor(async () => {
    (await diskFile(name)).close();
    expect(isRecentFile(name)).toBe(true);
  });
}

describe.runIf(isLinux)("isRecentFile()", () => {
  test("is true for a small file on a local disk that was opened a moment ago, and for no other", async () => {
    expect(isRecentFile(path)).toBe(false);
    await warm();
    expect(isRecentFile(join(root, "b.txt"))).toBe(false);
    const now = performance.now();
    vi.spyOn(performance, "now").mockReturnValue(now + RECENT_MS + 1);
    expect(isRecentFile(path)).toBe(false);
  });

  test("is true up to SMALL_FILE_BYTES, and false for one byte more", async () => {
    await warm();
    rememberFile(path, dev, SMALL_FILE_BYTES);
    expect(isRecentFile(path)).toBe(true);
    rememberFile(path, dev, SMALL_FILE_BYTES + 1);
    expect(isRecentFile(path)).toBe(false);
  });

  test("remembers MAX_RECENT_FILES paths, and forgets the oldest for one more", async () => {
    await warm();
    for (let count = 1; count < MAX_RECENT_FILES; count++) rememberFile(`/${count}`, dev, 1);
    expect(isRecentFile(path)).toBe(true);
    rememberFile("/more", dev, 1);
    expect(isRecentFile(path)).toBe(false);
    expect([isRecentFile("/1"), isRecentFile("/more")]).toEqual([true, true]);
  });

  test("is false for a while after slow calls took more than MAX_LOST_MS of a second", async () => {
    await warm();
    // Whole milliseconds, which add up exactly, and a second in which nothing was lost yet.
    let now = Math.ceil(performance.now()) + 1_001;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const take = (ms: number): void => onMainThread(() => void (now += ms));
    take(MAX_LOST_MS);
    expect(isRecentFile(path)).toBe(true);
    take(6);
    expect(isRecentFile(path)).toBe(false);
    now += DISTRUST_MS - 1;
    expect(isRecentFile(path)).toBe(false);
    now += 1;
    rememberFile(path, dev, 1);
    expect(isRecentFile(path)).toBe(true);
  });
});

describe.runIf(isLinux)("a recent file", () => {
  test("is read anew each time, whole, in part and in several parts", async () => {
    await warm();
    expect(await (await file(get(), diskFile(path))).text()).toBe("one");
    await writeFile(path, "another");
    expect(await (await file(get(), diskFile(path))).text()).toBe("another");
    expect(await (await file(get({ range: "bytes=1-2" }), diskFile(path))).text()).toBe("no");
    const several = await file(get({ range: "bytes=0-0,4-" }), diskFile(path));
    const text = await several.text();
    expect(several.headers.get("content-length")).toBe(String(text.length));
    expect(text).toMatch(/\r\n\r\na\r\n[^]*\r\n\r\nher\r\n/);
  });

  test("that was emptied, removed or replaced is told apart", async () => {
    await warm();
    await truncate(path, 0);
    const empty = await file(get(), diskFile(path));
    expect([empty.headers.get("content-length"), await empty.text()]).toEqual(["0", ""]);
    rmSync(path);
    expect((await file(get(), diskFile(path))).status).toBe(404);
    await writeFile(join(root, "b.txt"), "other");
    await rename(join(root, "b.txt"), path);
    expect(await (await file(get(), diskFile(path))).text()).toBe("other");
  });

  test("holds no descriptor, and is an error once it was closed", async () => {
    await warm();
    const free = openSync(path, "r");
    const source = await diskFile(path);
    expect(openSync(path, "r")).toBe(free + 1);
    source.close();
    expect(() => source.read(0, 3)).toThrow(expect.objectContaining({ code: "closed" }));
  });
});

describe.runIf(isLinux)("folder() with a recent file", () => {
  test("refuses it as soon as its name leads out of the root", async () => {
    const outside = mkdtempSync(join(tmpdir(), "tailrace-outside-"));
    await warm();
    for (let count = 0; count < 3; count++) {
      expect(await (await serve(get(), root, "a.txt")).text()).toBe("one");
    }
    await writeFile(join(outside, "secret"), "two");
    rmSync(path);
    await symlink(join(outside, "secret"), path);
    expect((await serve(get(), root, "a.txt")).status).toBe(404);
    rmSync(path);
    await writeFile(path, "three");
    expect(await (await serve(get(), root, "a.txt")).text()).toBe("three");
    // The very file that was served, moved out and linked to.
    await rename(path, join(outside, "moved"));
    await symlink(join(outside, "moved"), path);
    expect((await serve(get(), root, "a.txt")).status).toBe(404);
    rmSync(outside, { recursive: true });
  });

  test("refuses a hidden one to who does not ask for such, whoever asked before", async () => {
    await writeFile(join(root, "hidden"), "x");
    await rename(join(root, "hidden"), join(root, ".hidden"));
    await symlink(join(root, ".hidden"), join(root, "link"));
    await warm(join(root, "link"));
    for (const dotfiles of [true, true, false]) {
      expect((await serve(get(), root, "link", { dotfiles })).status).toBe(dotfiles ? 200 : 404);
    }
  });
});
