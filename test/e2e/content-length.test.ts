// keepContentLength in a real Next.js: who gets a length, and who must not.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchange, type WireResponse } from "../files/wire.ts";
import { Demo } from "./demo.ts";

const TEXT = Buffer.from("number,square\r\n2,4\r\n3,9\r\n".repeat(10_000));
const GZIP = { "accept-encoding": "gzip" };

let demo: Demo;
beforeAll(async () => {
  demo = await Demo.start();
  await writeFile(join(demo.dataDir, "files", "table.csv"), TEXT); // of a type that Next.js compresses
});
afterAll(() => demo?.remove());

const ask = (method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<WireResponse> =>
  exchange(Number(new URL(demo.url).port), method, path, Object.entries(headers));
const table = "/api/download/table.csv";

describe("keepContentLength in Next.js", () => {
  test("a GET, an exported HEAD and a part have their length, and no chunks", async () => {
    const whole = await ask("GET", table);
    expect(whole.body.equals(TEXT)).toBe(true);
    const head = await ask("HEAD", table);
    const part = await ask("GET", table, { range: "bytes=10-19" });
    expect(part.body.equals(TEXT.subarray(10, 20))).toBe(true);
    expect([whole, head, part].map(({ status }) => status)).toEqual([200, 200, 206]);
    expect([whole, head, part].map(({ headers }) => headers.get("content-length"))).toEqual([
      String(TEXT.length),
      String(TEXT.length),
      "10",
    ]);
    for (const { headers } of [whole, head, part]) expect(headers.has("transfer-encoding")).toBe(false);
  });

  test("a compressed answer stays in chunks, and nothing of the plain bytes is said of it", async () => {
    const plain = await ask("GET", table);
    const coded = await ask("GET", table, GZIP);
    expect(coded.headers.get("content-encoding")).toBe("gzip");
    expect(coded.headers.get("transfer-encoding")).toBe("chunked");
    expect(gunzipSync(coded.body).equals(TEXT)).toBe(true);
    for (const name of ["content-length", "tailrace-content-length", "accept-ranges"]) {
      expect(coded.headers.has(name)).toBe(false);
    }
    // Section 8.8.3.3: the strong tag belongs to the plain bytes, and a resume by it must not join the two.
    const tag = coded.headers.get("etag")!;
    expect(tag).toBe(`W/${plain.headers.get("etag")}`);
    expect((await ask("GET", table, { ...GZIP, range: "bytes=10-19", "if-range": tag })).status).toBe(200);
    expect((await ask("GET", table, { ...GZIP, "if-none-match": tag })).status).toBe(304);
  });

  test("8.6 a HEAD names no length where the GET is compressed, and a part is never compressed", async () => {
    const [head, coded] = [await ask("HEAD", table, GZIP), await ask("GET", table, GZIP)];
    for (const name of ["content-length", "tailrace-content-length", "etag", "accept-ranges"]) {
      expect(head.headers.get(name)).toBe(coded.headers.get(name));
    }
    const part = await ask("GET", table, { ...GZIP, range: "bytes=10-19" });
    expect([part.status, part.headers.get("content-length"), part.headers.has("content-encoding")]).toEqual([
      206,
      "10",
      false,
    ]);
    const video = await ask("HEAD", "/api/video/test-card.webm", GZIP);
    expect(Number(video.headers.get("content-length"))).toBeGreaterThan(0);
  });

  test("what is no file keeps the framing that it had", async () => {
    const page = await ask("GET", "/", GZIP);
    expect([page.status, page.headers.get("content-encoding"), page.headers.has("content-length")]).toEqual([
      200,
      "gzip",
      false,
    ]);
    const listing = await ask("GET", "/api/files");
    expect([listing.status, listing.headers.get("transfer-encoding")]).toEqual([200, "chunked"]);
  });
});
