// tus 1.0, rule by rule: what each header may say, and what each answer holds.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createManualClock } from "../../testing/manual-clock.ts";
import type { ResumableOptions } from "./options.ts";
import {
  base64,
  BASE,
  type Handle,
  HandBody,
  handlerOf,
  idIn,
  send,
  type SentHeaders,
  storedText,
} from "./sent.test-support.ts";
import { heldCount } from "./takeover.ts";
import { tus } from "./tus.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const TYPE = { "content-type": "application/offset+octet-stream" };
const digest = (algorithm: string, text: string): string =>
  `${algorithm} ${createHash(algorithm).update(text).digest("base64")}`;

function setUp(options: Partial<ResumableOptions> = {}): ReturnType<typeof handlerOf> {
  return handlerOf(tus, options);
}

async function create(handle: Handle, headers: SentHeaders, body?: string): Promise<string> {
  const response = await handle(send("POST", BASE, { ...VERSION, ...headers }, body));
  expect(response.status, await response.clone().text()).toBe(201);
  return `${BASE}${idIn(response)}`;
}

function patch(
  path: string,
  offset: number | string,
  body: string | ReadableStream<Uint8Array>,
  more: SentHeaders = {},
): Request {
  return send("PATCH", path, { ...VERSION, ...TYPE, "upload-offset": String(offset), ...more }, body);
}

async function offsetOf(handle: Handle, path: string): Promise<string | null> {
  const response = await handle(send("HEAD", path, VERSION));
  expect(response.status).toBe(200);
  return response.headers.get("upload-offset");
}

describe("tus, asking what there is", () => {
  test("OPTIONS tells version, extensions, size and checksums, whatever version the request says", async () => {
    const { handle } = setUp({ maxBytes: 1_000 });
    for (const headers of [{}, { "tus-resumable": "9.9.9" }]) {
      const response = await handle(send("OPTIONS", BASE, headers));
      expect(response.status).toBe(204);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "tus-resumable": "1.0.0",
        "tus-version": "1.0.0",
        "tus-max-size": "1000",
        "tus-checksum-algorithm": "sha1,sha256,sha512,md5",
        "tus-extension":
          "creation,creation-with-upload,creation-defer-length,expiration,termination,concatenation,concatenation-unfinished,checksum",
      });
    }
  });

  test.each([["0.2.2"], ["1.0.1"], [undefined]])("another version (%s) is 412 and nothing is done", async (version) => {
    const { handle, storage } = setUp();
    const path = await create(handle, { "upload-length": "3" });
    for (const method of ["POST", "HEAD", "PATCH", "DELETE"]) {
      const headers = version === undefined ? {} : { "tus-resumable": version };
      const response = await handle(
        send(method, method === "POST" ? BASE : path, { ...headers, "upload-length": "3" }),
      );
      expect([method, response.status, response.headers.get("tus-version")]).toEqual([method, 412, "1.0.0"]);
    }
    expect(await storage.head(path.slice(BASE.length))).toBeDefined();
  });

  test.each([
    ["GET", BASE, 405, "POST, OPTIONS"],
    ["DELETE", BASE, 405, "POST, OPTIONS"],
    ["POST", `${BASE}${"0".repeat(32)}`, 405, "HEAD, PATCH, DELETE, OPTIONS"],
    ["GET", "/elsewhere", 404, null],
  ])("%s %s is %s", async (method, path, status, allowed) => {
    const response = await setUp().handle(send(method, path, VERSION));
    expect([response.status, response.headers.get("allow")]).toEqual([status, allowed]);
    expect(response.headers.get("tus-resumable")).toBe("1.0.0");
  });

  test("the base path is found with and without its slash, and given in either way", async () => {
    for (const basePath of ["/api/tus/", "/api/tus"]) {
      const { handle } = setUp({ basePath });
      for (const path of ["/api/tus", "/api/tus/"]) {
        const response = await handle(send("POST", path, { ...VERSION, "upload-length": "1" }));
        expect(response.headers.get("location")).toMatch(/^\/api\/tus\/[0-9a-f]{32}$/);
      }
    }
  });

  test.each([
    ["request", /^http:\/\/files\.test\/api\/tus\/[0-9a-f]{32}$/],
    ["https://up.example", /^https:\/\/up\.example\/api\/tus\/[0-9a-f]{32}$/],
  ])("Location begins with the origin that is set: %s", async (origin, expected) => {
    const response = await setUp({ origin }).handle(send("POST", BASE, { ...VERSION, "upload-length": "1" }));
    expect(response.headers.get("location")).toMatch(expected);
  });

  test("a base path that is none is a fault of the caller", async () => {
    await expect(tus(send("OPTIONS", BASE), { storage: setUp().storage, basePath: "api" })).rejects.toMatchObject({
      code: "input_invalid",
    });
  });
});

describe("tus, continuing", () => {
  test("HEAD tells offset, length, expiry, and that nothing may be kept of the answer", async () => {
    const clock = createManualClock();
    const { handle } = setUp({ clock });
    const path = await create(handle, { "upload-length": "10" });
    const { status, headers } = await handle(send("HEAD", path, VERSION));
    expect([status, Object.fromEntries(headers)]).toEqual([
      200,
      {
        "cache-control": "no-store",
        "tus-resumable": "1.0.0",
        "upload-expires": new Date(clock.now() + 86_400_000).toUTCString(),
        "upload-length": "10",
        "upload-offset": "0",
      },
    ]);
  });

  test("bytes are appended where the upload stands, request by request", async () => {
    const { handle, storage } = setUp();
    const path = await create(handle, { "upload-length": "10" });
    for (const [offset, text] of [
      [0, "hello"],
      [5, ""],
      [5, " wor"],
    ] as const) {
      const response = await handle(patch(path, offset, text));
      expect([response.status, response.headers.get("upload-offset")]).toEqual([204, String(offset + text.length)]);
      expect(response.headers.has("upload-expires")).toBe(true);
    }
    const last = await handle(patch(path, 9, "l"));
    expect([last.status, last.headers.get("upload-offset"), last.headers.has("upload-expires")]).toEqual([
      204,
      "10",
      false,
    ]);
    expect(await storedText(storage, path.slice(BASE.length))).toBe("hello worl");
  });

  test.each<[string, SentHeaders, number, string?]>([
    ["the offset", { "upload-offset": "3" }, 204],
    ["a lower offset", { "upload-offset": "2" }, 409],
    ["a higher offset", { "upload-offset": "4" }, 409],
    ["no number", { "upload-offset": "three" }, 400],
    ["a negative number", { "upload-offset": "-3" }, 400],
    [
      "the type with parameters, in capitals",
      { "upload-offset": "3", "content-type": "Application/Offset+Octet-Stream; x=y" },
      204,
    ],
    ["another type", { "upload-offset": "3", "content-type": "application/octet-stream" }, 415],
    ["the length that is known", { "upload-offset": "3", "upload-length": "6" }, 204],
    ["another length", { "upload-offset": "3", "upload-length": "7" }, 400],
    ["a right checksum", { "upload-offset": "3", "upload-checksum": digest("sha1", "def") }, 204],
    ["a right SHA-256", { "upload-offset": "3", "upload-checksum": digest("sha256", "def") }, 204],
    ["a wrong checksum", { "upload-offset": "3", "upload-checksum": digest("sha1", "dex") }, 460],
    ["a checksum of another length", { "upload-offset": "3", "upload-checksum": `sha1 ${base64("x")}` }, 460],
    ["an unknown algorithm", { "upload-offset": "3", "upload-checksum": `crc32 ${base64("abcd")}` }, 400],
    ["an algorithm in capitals", { "upload-offset": "3", "upload-checksum": digest("sha1", "def").toUpperCase() }, 400],
    ["a checksum that is not base64", { "upload-offset": "3", "upload-checksum": "sha1 ?" }, 400],
    ["a checksum without a value", { "upload-offset": "3", "upload-checksum": "sha1" }, 400],
  ])("PATCH with %s", async (_what, headers, status) => {
    const { handle, storage } = setUp();
    const path = await create(handle, { ...TYPE, "upload-length": "6" }, "abc");
    const response = await handle(send("PATCH", path, { ...VERSION, ...TYPE, ...headers }, "def"));
    expect(response.status).toBe(status);
    expect(response.headers.get("tus-resumable")).toBe("1.0.0");
    expect(await storedText(storage, path.slice(BASE.length))).toBe(status === 204 ? "abcdef" : "abc");
    expect(await offsetOf(handle, path)).toBe(status === 204 ? "6" : "3");
  });

  test("PATCH without an offset, or without a type, changes nothing", async () => {
    const { handle } = setUp();
    const path = await create(handle, { "upload-length": "6" });
    expect((await handle(send("PATCH", path, { ...VERSION, ...TYPE }, "abc"))).status).toBe(400);
    expect((await handle(send("PATCH", path, { ...VERSION, "upload-offset": "0" }, "abc"))).status).toBe(415);
    expect(await offsetOf(handle, path)).toBe("0");
  });

  test("a body that says it goes past the length is refused before it is read, one that does so in silence where it does", async () => {
    const { handle, storage } = setUp();
    const path = await create(handle, { "upload-length": "4" });
    expect((await handle(patch(path, 0, "abcde"))).status).toBe(413);
    expect(await offsetOf(handle, path)).toBe("0");
    const body = new HandBody();
    body.give("abc");
    body.give("de");
    body.end();
    expect((await handle(patch(path, 0, body.stream))).status).toBe(413);
    expect(await storedText(storage, path.slice(BASE.length))).toBe("abc");
  });

  test("a deferred length comes later, once, and may not be less than what is there nor more than is allowed", async () => {
    const { handle } = setUp({ maxBytes: 100 });
    const path = await create(handle, { "upload-defer-length": "1" });
    const before = await handle(send("HEAD", path, VERSION));
    expect([before.headers.get("upload-defer-length"), before.headers.has("upload-length")]).toEqual(["1", false]);
    expect((await handle(patch(path, 0, "abc"))).status).toBe(204);
    expect((await handle(patch(path, 3, "", { "upload-length": "2" }))).status).toBe(400);
    expect((await handle(patch(path, 3, "", { "upload-length": "101" }))).status).toBe(413);
    expect((await handle(patch(path, 3, "d", { "upload-length": "5" }))).status).toBe(204);
    expect((await handle(patch(path, 4, "e", { "upload-length": "6" }))).status).toBe(400);
    const after = await handle(send("HEAD", path, VERSION));
    expect([after.headers.has("upload-defer-length"), after.headers.get("upload-length")]).toEqual([false, "5"]);
    expect((await handle(patch(path, 4, "e"))).status).toBe(204);
  });

  test("an upload of unknown length stops at the largest size", async () => {
    const { handle } = setUp({ maxBytes: 5 });
    const path = await create(handle, { "upload-defer-length": "1" });
    expect((await handle(patch(path, 0, "abcde"))).status).toBe(204);
    expect((await handle(patch(path, 5, "f"))).status).toBe(413);
    expect(await offsetOf(handle, path)).toBe("5");
  });

  test("X-HTTP-Method-Override stands for the method", async () => {
    const { handle } = setUp();
    const path = await create(handle, { "upload-length": "5" });
    const override = (method: string, more: SentHeaders = {}, body?: string): Promise<Response> =>
      handle(send("POST", path, { ...VERSION, ...TYPE, "x-http-method-override": method, ...more }, body));
    expect((await override("PATCH", { "upload-offset": "0" }, "ab")).status).toBe(204);
    expect((await override("HEAD")).headers.get("upload-offset")).toBe("2");
    expect((await override("DELETE")).status).toBe(204);
    expect((await override("HEAD")).status).toBe(404);
  });

  test("DELETE removes an upload, finished or not; afterwards it is not there", async () => {
    const { handle } = setUp();
    for (const body of ["abc", "abcdef"]) {
      const path = await create(handle, { ...TYPE, "upload-length": "6" }, body);
      expect((await handle(send("DELETE", path, VERSION))).status).toBe(204);
      for (const method of ["HEAD", "DELETE"]) expect((await handle(send(method, path, VERSION))).status).toBe(404);
      const response = await handle(patch(path, 3, "x"));
      expect([response.status, response.headers.has("upload-offset")]).toEqual([404, false]);
    }
  });

  test("an upload expires at its moment, and a complete one never", async () => {
    const clock = createManualClock();
    const { handle } = setUp({ clock, expiresMs: 1_000 });
    const open = await create(handle, { ...TYPE, "upload-length": "6" }, "abc");
    const done = await create(handle, { ...TYPE, "upload-length": "3" }, "abc");
    clock.advance(999);
    expect((await handle(send("HEAD", open, VERSION))).status).toBe(200);
    clock.advance(1);
    expect((await handle(send("HEAD", open, VERSION))).status).toBe(410);
    expect((await handle(patch(open, 3, "def"))).status).toBe(410);
    expect((await handle(send("HEAD", done, VERSION))).status).toBe(200);
  });

  test("no request keeps an upload held", () => {
    expect(heldCount()).toBe(0);
  });
});
