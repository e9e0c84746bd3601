import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, realpath, rename, symlink, unlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folder, type FolderOptions } from "./folder.ts";
import type { FolderListing } from "./folder-list.ts";

let base: string;
let root: string;
beforeAll(async () => {
  base = await realpath(mkdtempSync(join(tmpdir(), "tailrace-folder-")));
  root = join(base, "root");
  await mkdir(join(root, "sub", "deep"), { recursive: true });
  await mkdir(join(root, ".git"));
  await mkdir(join(base, "root-beside"));
  await writeFile(join(base, "outside.txt"), "SECRET");
  await writeFile(join(base, "root-beside", "a.txt"), "SECRET");
  await writeFile(join(root, "a.txt"), "inside");
  await writeFile(join(root, "日本.txt"), "nihon");
  await writeFile(join(root, "50%.txt"), "percent");
  await writeFile(join(root, ".env"), "HIDDEN");
  await writeFile(join(root, ".git", "config"), "HIDDEN");
  await writeFile(join(root, "sub", "deep", "b.html"), "<p>");
  await symlink("a.txt", join(root, "link.txt"));
  await symlink("../outside.txt", join(root, "leads-out.txt"));
  await symlink(join(base, "root-beside"), join(root, "beside"));
  await symlink(".git", join(root, "shown"));
  await symlink("sub", join(root, "sub-link"));
  await symlink("/dev/zero", join(root, "zero"));
  await symlink("gone", join(root, "broken"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const get = (path: string | readonly string[], options?: FolderOptions, headers: HeadersInit = {}): Promise<Response> =>
  folder(new Request("http://test/", { headers }), root, path, options);

describe("folder()", () => {
  test.each([
    ["a.txt", "inside", "text/plain; charset=utf-8"],
    [["a.txt"], "inside", "text/plain; charset=utf-8"],
    ["日本.txt", "nihon", "text/plain; charset=utf-8"],
    ["50%.txt", "percent", "text/plain; charset=utf-8"],
    ["sub/deep/b.html", "<p>", "text/html; charset=utf-8"],
    [["sub", "deep", "b.html"], "<p>", "text/html; charset=utf-8"],
    ["link.txt", "inside", "text/plain; charset=utf-8"],
    ["sub-link/deep/b.html", "<p>", "text/html; charset=utf-8"],
  ])("serves %j", async (path, body, type) => {
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([200, body]);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("etag")).toMatch(/^"/);
  });

  test("gives one and the same 404 for what is missing and what is refused", async () => {
    const paths = [
      "nothing",
      "leads-out.txt",
      "beside/a.txt",
      "beside",
      "shown/config",
      ".env",
      "zero",
      "broken",
      "sub",
      "",
    ];
    const bodies = new Set<string>();
    for (const path of paths) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      bodies.add(await response.text());
    }
    expect(bodies.size).toBe(1);
  });

  test("serves what begins with a dot only when asked, and still nothing outside", async () => {
    expect(await (await get(".env", { dotfiles: true })).text()).toBe("HIDDEN");
    expect(await (await get("shown/config", { dotfiles: true })).text()).toBe("HIDDEN");
    for (const path of ["..", "../outside.txt", ".", "./a.txt", "leads-out.txt"]) {
      expect((await get(path, { dotfiles: true })).status).toBe(404);
    }
  });

  test("takes the options of file()", async () => {
    const response = await get(
      "a.txt",
      { disposition: "attachment", cacheControl: "max-age=60" },
      { range: "bytes=1-2" },
    );
    expect([response.status, await response.text()]).toEqual([206, "ns"]);
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="a.txt"');
    expect(response.headers.get("cache-control")).toBe("max-age=60");
  });

  test("follows a root that is a link, and goes with it when it is pointed elsewhere", async () => {
    const current = join(base, "current");
    const ask = async (): Promise<string> => (await folder(new Request("http://test/"), current, "a.txt")).text();
    await symlink(root, current);
    expect(await ask()).toBe("inside");
    await mkdir(join(base, "next"));
    await writeFile(join(base, "next", "a.txt"), "next");
    await symlink(join(base, "next"), join(base, "new-link"));
    await rename(join(base, "new-link"), current);
    expect(await ask()).toBe("next");
    await unlink(current);
    expect((await folder(new Request("http://test/"), current, "a.txt")).status).toBe(404);
  });
});

describe("folder() listing", () => {
  const list = async (path: string, options: FolderOptions = {}): Promise<FolderListing> =>
    (await (await get(path, { listing: true, ...options })).json()) as FolderListing;

  test("names the files that would be served, with size, time and type", async () => {
    const { files, truncated } = await list("");
    expect(truncated).toBe(false);
    expect(files.map(({ name }) => name)).toEqual(["50%.txt", "a.txt", "link.txt", "日本.txt"]);
    expect(files[1]).toMatchObject({ bytes: 6, type: "text/plain; charset=utf-8" });
    expect(Date.parse(files[1]!.modifiedAt)).toBeGreaterThan(0);
    expect((await list("sub/deep")).files).toHaveLength(1);
    expect((await list("sub")).files).toEqual([]);
  });

  test("names hidden files only when asked", async () => {
    expect((await list("", { dotfiles: true })).files.map(({ name }) => name)).toContain(".env");
    expect((await get(".git", { listing: true })).status).toBe(404);
    expect((await get("shown", { listing: true })).status).toBe(404);
    expect((await get("beside", { listing: true })).status).toBe(404);
  });

  test("looks at maxEntries entries and says when there were more", async () => {
    await mkdir(join(base, "many"));
    for (let count = 0; count < 5; count++) await writeFile(join(base, "many", `${count}`), "");
    const ask = async (maxEntries: number): Promise<FolderListing> =>
      (await (
        await folder(new Request("http://test/"), join(base, "many"), "", { listing: true, maxEntries })
      ).json()) as FolderListing;
    expect(await ask(5)).toMatchObject({ truncated: false });
    const { files, truncated } = await ask(4);
    expect([files.length, truncated]).toEqual([4, true]);
  });
});

describe("folder() precompressed", () => {
  beforeAll(async () => {
    const text = "x".repeat(10_000);
    await writeFile(join(root, "app.js"), text);
    await writeFile(join(root, "app.js.br"), brotliCompressSync(text));
    await writeFile(join(root, "app.js.gz"), gzipSync(text));
    await writeFile(join(root, "old.js"), text);
    await writeFile(join(root, "old.js.gz"), gzipSync("older"));
    await utimes(join(root, "old.js.gz"), 1, 1);
    await writeFile(join(root, "trap.js"), text);
    await symlink("../outside.txt", join(root, "trap.js.br"));
  });
  const precompressed = ["br", "zstd", "gzip"] as const;

  test.each([
    ["app.js", "br, gzip", "br"],
    ["app.js", "gzip", "gzip"],
    ["app.js", "zstd, gzip;q=0.5", "gzip"], // there is no .zst
    ["app.js", "identity", null],
    ["old.js", "gzip", null], // older than what it was made from
    ["trap.js", "br", null], // leads out
    ["a.txt", "br", null],
  ])("%s for %s is %s", async (path, accept, encoding) => {
    const response = await get(path, { precompressed }, { "accept-encoding": accept });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("accept-encoding");
    expect(response.headers.get("content-type")).toMatch(/^text\//);
    expect((await response.arrayBuffer()).byteLength).toBe(Number(response.headers.get("content-length")));
  });

  test("each has a tag of its own", async () => {
    const tags = await Promise.all(
      ["br", "gzip", ""].map(async (accept) =>
        (await get("app.js", { precompressed }, { "accept-encoding": accept })).headers.get("etag"),
      ),
    );
    expect(new Set(tags).size).toBe(3);
  });
});
