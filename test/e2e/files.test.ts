// Files through Next.js: ranges, conditions, hostile paths, curl, uploads by every way in, and progress for others.

import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import * as tus from "tus-js-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Demo } from "./demo.ts";

let demo: Demo;
const bytes = randomBytes(3_000_000);
const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

beforeAll(async () => {
  demo = await Demo.start();
  await writeFile(join(demo.dataDir, "files", "random.bin"), bytes);
});
afterAll(() => demo?.remove());

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(demo.url + path, { headers });
const uploads = (): string => join(demo.dataDir, "uploads");

/** What a raw request line gets: fetch would tidy the path first. */
async function rawStatus(path: string): Promise<string> {
  const socket = connect(Number(new URL(demo.url).port), "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket.setEncoding("latin1")) text += chunk as string;
  expect(text).not.toContain("root:"); // of the system's passwd file
  return text.slice(9, 12);
}

describe("/api/download and /api/video", () => {
  test("give the whole, a part, several parts, nothing new, and what cannot be", async () => {
    const whole = await get("/api/download/random.bin");
    const etag = whole.headers.get("etag")!;
    expect(etag).toMatch(/^"[^"]+"$/); // strong
    expect(whole.headers.get("content-disposition")).toBe('attachment; filename="random.bin"');
    expect(whole.headers.get("tailrace-content-length")).toBe("3000000");
    expect(sha256(new Uint8Array(await whole.arrayBuffer()))).toBe(sha256(bytes));
    const part = await get("/api/download/random.bin", { range: "bytes=1000-1999", "if-range": etag });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 1000-1999/3000000"]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1_000, 2_000))).toBe(true);
    const parts = await get("/api/download/random.bin", { range: "bytes=0-0,-1" });
    expect([parts.status, parts.headers.get("content-type")?.split(";")[0]]).toEqual([206, "multipart/byteranges"]);
    await parts.body!.cancel();
    expect((await get("/api/download/random.bin", { "if-none-match": etag })).status).toBe(304);
    expect((await get("/api/download/random.bin", { "if-match": '"other"' })).status).toBe(412);
    const beyond = await get("/api/download/random.bin", { range: "bytes=3000000-" });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */3000000"]);
    const video = await get("/api/video/test-card.webm", { range: "bytes=0-3" });
    expect([video.status, video.headers.get("content-type")]).toEqual([206, "video/webm"]);
    expect(Buffer.from(await video.arrayBuffer()).toString("hex")).toBe("1a45dfa3");
  });

  test.each([
    "/api/download/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/api/download/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/api/download/..%5c..%5cpackage.json",
    "/api/download/%2e%2e%2fstreams.db",
    "/api/download/..%252fstreams.db",
    "/api/download/random.bin%00",
    "/api/download/.hidden",
    "/api/download/CON",
    "/api/download/random.bin.",
    "/api/download/random.bin::$DATA",
    "/api/download/",
    "/api/download/%2fetc%2fpasswd",
    `/api/download/${"a".repeat(300)}`,
    "/api/video/../files/random.bin",
  ])("refuse %s", async (path) => {
    expect(await rawStatus(path)).toMatch(/^(404|308)$/);
  });

  test("100 HEADs and 50 readers that leave keep no file open", async () => {
    const opened = async (): Promise<number> => (await readdir(`/proc/${demo.pid}/fd`)).length;
    await get("/api/download/random.bin").then((response) => response.arrayBuffer());
    const before = await opened();
    for (let index = 0; index < 100; index++) await fetch(`${demo.url}/api/download/random.bin`, { method: "HEAD" });
    for (let index = 0; index < 50; index++) {
      const controller = new AbortController();
      const reading = fetch(`${demo.url}/api/download/squares.csv`, { signal: controller.signal }).catch(
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, index % 7));
      controller.abort();
      await reading;
    }
    await expect.poll(opened).toBeLessThanOrEqual(before + 3);
  });

  test("curl -C - goes on where it was cut", async () => {
    const target = join(demo.dataDir, "copy.bin");
    await writeFile(target, bytes.subarray(0, 1_234_567));
    await promisify(execFile)("curl", ["-sf", "-C", "-", "-o", target, `${demo.url}/api/download/random.bin`]);
    expect(sha256(await readFile(target))).toBe(sha256(bytes));
  });
});

describe("uploads", () => {
  test("a raw body and a form arrive whole, under a name that cannot leave the folder, and their progress can be followed", async () => {
    const raw = await fetch(`${demo.url}/api/upload?name=..%2f..%2fraw.bin`, {
      method: "POST",
      body: bytes,
      headers: { "upload-id": "one" },
    });
    expect(raw.status).toBe(201);
    expect(await raw.json()).toEqual({ id: "one", name: "raw.bin", bytes: bytes.length, sha256: sha256(bytes) });
    const form = new FormData();
    form.append("file", new File([bytes], "form.bin"));
    const formed = await fetch(`${demo.url}/api/upload`, { method: "POST", body: form });
    expect(await formed.json()).toMatchObject({ name: "form.bin", bytes: bytes.length, sha256: sha256(bytes) });
    for (const name of ["raw.bin", "form.bin"])
      expect(sha256(await readFile(join(uploads(), name)))).toBe(sha256(bytes));
    const progress = await (await get("/api/uploads/one/progress")).text();
    expect(progress).toContain('"state":"complete"');
    expect(progress).toContain("event: end");
    const newest = await get("/api/uploads/one/progress", { accept: "application/json" });
    expect(await newest.json()).toMatchObject({ id: "one", state: "complete", bytes: bytes.length });
    expect((await get("/api/uploads/unknown/progress")).status).toBe(404);
    expect(
      (await fetch(`${demo.url}/api/upload`, { method: "POST", body: "x", headers: { "upload-id": "a b" } })).status,
    ).toBe(422);
  });

  test("a sender that dies leaves nothing behind", async () => {
    const before = (await readdir(uploads())).toSorted();
    const socket = connect(Number(new URL(demo.url).port), "127.0.0.1");
    socket.write(
      "POST /api/upload?name=half.bin HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\nupload-id: half\r\n\r\n",
    );
    socket.write(bytes.subarray(0, 400_000));
    await expect
      .poll(async () => (await get("/api/uploads/half/progress", { accept: "application/json" })).status)
      .toBe(200);
    socket.destroy();
    await expect.poll(async () => (await readdir(uploads())).toSorted()).toEqual(before);
    await expect
      .poll(
        async () => (await (await get("/api/uploads/half/progress", { accept: "application/json" })).json()) as object,
      )
      .toMatchObject({ state: "failed" });
  });

  test("the stock tus client uploads, alone and in parallel, and resumes after the server was killed", async () => {
    const send = (
      name: string,
      options: Partial<tus.UploadOptions>,
      onChunk?: (upload: tus.Upload) => void,
    ): Promise<void> =>
      new Promise((resolve, reject) => {
        const upload = new tus.Upload(bytes, {
          endpoint: `${demo.url}/api/tus/`,
          chunkSize: 250_000,
          retryDelays: Array.from({ length: 400 }, () => 250), // as long as a slow server may take to be there again
          metadata: { filename: name },
          onError: reject,
          onSuccess: () => resolve(),
          onChunkComplete: () => onChunk?.(upload),
          ...options,
        });
        upload.start();
      });
    await send("tus.bin", {});
    await send("parallel.bin", { parallelUploads: 3 });
    let chunks = 0;
    const restarted = Promise.withResolvers<void>();
    const sending = send("killed.bin", {}, () => {
      if (++chunks === 4)
        void demo
          .end("SIGKILL")
          .then(() => demo.start())
          .then(restarted.resolve, restarted.reject);
    });
    await Promise.all([restarted.promise, sending]);
    for (const name of ["tus.bin", "parallel.bin", "killed.bin"]) {
      expect(sha256(await readFile(join(uploads(), name)))).toBe(sha256(bytes));
    }
  });
});
