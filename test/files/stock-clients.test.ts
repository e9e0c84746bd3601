// Clients that everybody has: what they resume with works, and they end with the right bytes.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { diskFile } from "../../src/node/disk-file.ts";
import { file } from "../../src/reply/file.ts";
import { startWireServer, type WireServer } from "./wire.ts";

const BYTES = randomBytes(2_000_000);

let folder: string;
let path: string;
let wire: WireServer;
let seen: { readonly range: string | null; readonly status: number }[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailrace-clients-"));
  path = join(folder, "a.bin");
  await writeFile(path, BYTES);
  wire = await startWireServer(async (request) => {
    const response = await file(request, diskFile(path), { disposition: "attachment" });
    seen.push({ range: request.headers.get("range"), status: response.status });
    return response;
  });
});
beforeEach(() => {
  seen = [];
});
afterAll(async () => {
  await wire.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    execFile(command, [...args], { cwd: folder, timeout: 100_000 }, (error) =>
      resolve(error === null ? 0 : Number(error.code ?? 1)),
    );
  });
}

const url = (): string => `http://127.0.0.1:${wire.port}/a.bin`;

describe("curl -C -", () => {
  test.each([1, 1_000_000, 1_999_999])("goes on behind %i bytes", async (have) => {
    const target = join(folder, "curl.bin");
    await writeFile(target, BYTES.subarray(0, have));
    expect(await run("curl", ["-sS", "--fail", "-C", "-", "-o", target, url()])).toBe(0);
    expect((await readFile(target)).equals(BYTES)).toBe(true);
    expect(seen).toEqual([{ range: `bytes=${have}-`, status: 206 }]);
  });

  test("has nothing to do for a file that is complete: 416 with the size", async () => {
    const target = join(folder, "curl.bin");
    await writeFile(target, BYTES);
    await run("curl", ["-sS", "-C", "-", "-o", target, url()]);
    expect((await readFile(target)).equals(BYTES)).toBe(true);
    expect(seen).toEqual([{ range: "bytes=2000000-", status: 416 }]);
  });

  test("asks with the tag and gets a 304", async () => {
    const tag = join(folder, "tag");
    const target = join(folder, "cached.bin");
    expect(await run("curl", ["-sS", "--etag-save", tag, "-o", target, url()])).toBe(0);
    expect(await run("curl", ["-sS", "--etag-compare", tag, "-o", target, url()])).toBe(0);
    expect(seen.map(({ status }) => status)).toEqual([200, 304]);
  });

  test("with If-Range gets the whole once the file has been replaced", async () => {
    const tag = (await fetch(url(), { method: "HEAD" })).headers.get("etag") ?? "";
    await writeFile(join(folder, "new"), BYTES);
    await rename(join(folder, "new"), path);
    const code = await run("curl", ["-sS", "-H", `if-range: ${tag}`, "-r", "0-9", "-o", join(folder, "whole"), url()]);
    expect(code).toBe(0);
    expect(seen.at(-1)).toEqual({ range: "bytes=0-9", status: 200 });
  });
});

describe("wget -c", () => {
  test("goes on behind what it has", async () => {
    const target = join(folder, "wget.bin");
    await writeFile(target, BYTES.subarray(0, 1_234_567));
    expect(await run("wget", ["-q", "-c", "-O", target, url()])).toBe(0);
    expect((await readFile(target)).equals(BYTES)).toBe(true);
    expect(seen).toEqual([{ range: "bytes=1234567-", status: 206 }]);
  });

  test("has nothing to do for a file that is complete", async () => {
    const target = join(folder, "wget.bin");
    await writeFile(target, BYTES);
    expect(await run("wget", ["-q", "-c", "-O", target, url()])).toBe(0);
    expect((await readFile(target)).equals(BYTES)).toBe(true);
  });
});

describe("aria2c", () => {
  test("fetches in four pieces at a time", async () => {
    const args = ["-q", "-x4", "-s4", "-k1M", "--allow-overwrite=true", "-d", folder, "-o", "aria.bin", url()];
    expect(await run("aria2c", args)).toBe(0);
    expect((await readFile(join(folder, "aria.bin"))).equals(BYTES)).toBe(true);
  });
});

test("fetch reads it as a stream that stops when nobody reads", async () => {
  const response = await fetch(url());
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body!) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(BYTES)).toBe(true);
});
