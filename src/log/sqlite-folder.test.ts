import { existsSync, fsyncSync, openSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeFolder } from "./sqlite-folder.ts";

vi.mock("node:fs", { spy: true });

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "tailrace-folder-")));
  vi.clearAllMocks();
});
afterEach(() => rm(folder, { recursive: true }));

describe("makeFolder()", () => {
  test("syncs each folder that got a new name in it, and none that did not", () => {
    makeFolder(join(folder, "a/b/c"), true);
    expect(existsSync(join(folder, "a/b/c"))).toBe(true);
    const synced = vi.mocked(openSync).mock.calls.map(([path]) => path);
    expect(synced).toEqual([join(folder, "a/b"), join(folder, "a"), folder]);
    expect(fsyncSync).toHaveBeenCalledTimes(3);
    makeFolder(join(folder, "a/b/c"), true);
    expect(fsyncSync).toHaveBeenCalledTimes(3);
  });

  test("syncs nothing where the death of the process is all that is to be survived", () => {
    makeFolder(join(folder, "a/b"), false);
    expect(existsSync(join(folder, "a/b"))).toBe(true);
    expect(fsyncSync).not.toHaveBeenCalled();
  });
});
