// @vitest-environment jsdom
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { scriptedFetch } from "./scripted-fetch.test-support.ts";
import { until } from "../node/transfer-stand-in.test-support.ts";
import { FakeXhr } from "./transfer-xhr.test-support.ts";
import { upload } from "./upload.ts";
import type { Upload, UploadOptions } from "./upload-types.ts";

const NOW = { minDelayMs: 0, maxDelayMs: 0, store: null } as const;
const RAW = { ...NOW, protocol: "raw" } as const;
const file = new File(["0123456789"], "ä b.txt", { type: "text/plain", lastModified: 1 });
const json = (body: object): string => JSON.stringify({ id: "i1", name: "stored.txt", ...body });

beforeEach(() => {
  FakeXhr.all.length = 0;
  vi.stubGlobal("XMLHttpRequest", FakeXhr);
});
afterEach(() => {
  vi.unstubAllGlobals();
  if (FakeXhr.all.some((xhr) => !xhr.isReleased)) throw new Error("a request is still listened to");
});

async function nextXhr(index: number): Promise<FakeXhr> {
  await expect.poll(() => FakeXhr.all.length).toBeGreaterThan(index);
  return FakeXhr.all[index] as FakeXhr;
}

const codeOf = (sending: Upload): Promise<unknown> =>
  sending.done.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("upload() by one POST and XMLHttpRequest", () => {
  test("upload() tells how much has left, waits for the answer, and gives what the server stored", async () => {
    const sending = upload("/api/upload", file, { ...RAW, credentials: "include", headers: { "x-a": "1" } });
    const xhr = await nextXhr(0);
    expect([xhr.method, xhr.url, xhr.withCredentials]).toEqual([
      "POST",
      "http://localhost:3000/api/upload?name=%C3%A4%20b.txt",
      true,
    ]);
    const { uploadId } = sending.state;
    expect(uploadId).toMatch(/^[\da-f]{32}$/);
    expect(xhr.headers).toMatchObject({ "content-type": "text/plain", "upload-id": uploadId, "x-a": "1" });
    xhr.sent(4);
    expect(sending.state).toMatchObject({ status: "sending", bytesSent: 4, bytesStored: 0, totalBytes: 10 });
    xhr.sent(10);
    expect(sending.state).toMatchObject({ status: "verifying", bytesSent: 10, bytesStored: 0 });
    xhr.answer(201, { "content-type": "application/json" }, json({ bytes: 10, sha256: "AB" }));
    expect(await sending.done).toEqual({ url: null, id: "i1", name: "stored.txt", bytes: 10, sha256: "ab" });
    expect(sending.state).toMatchObject({ status: "done", bytesStored: 10, error: null });
  });

  test("upload() that was cut before all had left is sent again, with another id", async () => {
    const sending = upload("/api/upload?name=x", file, RAW);
    const first = await nextXhr(0);
    expect(first.url).toBe("http://localhost:3000/api/upload?name=x");
    first.sent(9);
    first.fail();
    const second = await nextXhr(1);
    expect(second.headers["upload-id"]).not.toBe(first.headers["upload-id"]);
    expect(sending.state).toMatchObject({ attempt: 1, bytesSent: 0 });
    second.sent(10);
    second.fail();
    expect(await codeOf(sending)).toMatchObject({
      code: "connection_failed",
      message: expect.stringContaining("not repeated") as string,
    });
    expect(FakeXhr.all.length).toBe(2);
  });

  test("upload() is sent again after a 503 with Retry-After, and not after one without", async () => {
    const sending = upload("/api/upload", file, { ...RAW, uploadId: "mine" });
    (await nextXhr(0)).answer(503, { "retry-after": "0" });
    const second = await nextXhr(1);
    expect(second.headers["upload-id"]).toBe("mine");
    second.answer(503);
    expect(await codeOf(sending)).toMatchObject({ code: "connection_failed", details: { status: 503 } });
  });

  test.each<[string, number, string, UploadOptions, object]>([
    ["a body that was cut on the way", 200, json({ bytes: 9 }), {}, { code: "truncated", details: { bytes: 9 } }],
    [
      "another digest",
      201,
      json({ bytes: 10, sha256: "f".repeat(64) }),
      { sha256: "0".repeat(64) },
      { code: "digest_mismatch" },
    ],
    ["a 413", 413, "", {}, { code: "limit_exceeded", details: { status: 413 } }],
    ["a 415", 415, "", {}, { code: "response_refused", details: { status: 415 } }],
    ["a status that is none", 99, "", { maxAttempts: 1 }, { code: "connection_failed" }],
  ])("upload() fails on %s", async (_, status, body, options, error) => {
    const sending = upload("/api/upload", file, { ...RAW, ...options });
    (await nextXhr(0)).answer(status, {}, body);
    expect(await codeOf(sending)).toMatchObject(error);
    expect(sending.state.status).toBe("failed");
  });

  test("upload() takes an answer that is no JSON for what it is, and announces the digest that it computed", async () => {
    const sending = upload("/api/upload", file, { ...RAW, sha256: true, uploadId: "u" });
    const xhr = await nextXhr(0);
    const digest = createHash("sha256").update("0123456789").digest();
    expect(xhr.headers["repr-digest"]).toBe(`sha-256=:${digest.toString("base64")}:`);
    xhr.answer(200, {}, "ok");
    expect(await sending.done).toEqual({
      url: null,
      id: "u",
      name: "ä b.txt",
      bytes: 10,
      sha256: digest.toString("hex"),
    });
  });

  test("pause() takes the request away, and resume() begins anew", async () => {
    const sending = upload("/api/upload", file, RAW);
    const first = await nextXhr(0);
    first.sent(4);
    sending.pause();
    expect([first.isAborted, sending.state.status]).toEqual([true, "paused"]);
    sending.resume();
    const second = await nextXhr(1);
    expect(sending.state).toMatchObject({ status: "sending", bytesSent: 0 });
    second.answer(201, {}, json({ bytes: 10 }));
    expect((await sending.done).bytes).toBe(10);
  });

  test("abort() aborts the request", async () => {
    const sending = upload("/api/upload", file, RAW);
    const xhr = await nextXhr(0);
    await sending.abort({ terminate: true });
    expect(xhr.isAborted).toBe(true);
    expect(await codeOf(sending)).toMatchObject({ code: "aborted" });
  });

  test("upload() that shows no sign of life counts as cut", async () => {
    const sending = upload("/api/upload", file, { ...RAW, idleMs: 5, maxAttempts: 1 });
    expect(await codeOf(sending)).toMatchObject({ code: "connection_failed" });
    expect(FakeXhr.all[0]?.isAborted).toBe(true);
  });

  test("upload() by tus sends its chunks by XMLHttpRequest too", async () => {
    const { fetch } = scriptedFetch(() => new Response(null, { status: 201, headers: { location: "/tus/1" } }));
    vi.stubGlobal("fetch", fetch);
    const sending = upload("/tus/", file, { ...NOW, chunkBytes: 6 });
    const first = await nextXhr(0);
    expect([first.method, first.url, first.body?.size]).toEqual(["PATCH", "http://localhost:3000/tus/1", 6]);
    first.sent(3);
    expect(sending.state).toMatchObject({ status: "sending", bytesSent: 3, bytesStored: 0 });
    first.answer(204, { "upload-offset": "6" });
    const second = await nextXhr(1);
    second.sent(4);
    expect(sending.state).toMatchObject({ status: "verifying", bytesSent: 10, bytesStored: 6 });
    second.answer(204, { "upload-offset": "10" });
    expect((await sending.done).url).toBe("http://localhost:3000/tus/1");
  });
});

describe("upload() by one POST and fetch", () => {
  test("upload() uses the fetch that is given, and fetch where cookies must stay out", async () => {
    const { fetch, calls } = scriptedFetch(() => new Response(json({ bytes: 10 }), { status: 201 }));
    await upload("/api/upload", file, { ...RAW, fetch }).done;
    vi.stubGlobal("fetch", fetch);
    await upload("/api/upload", file, { ...RAW, credentials: "omit" }).done;
    expect(calls.map(({ method, body }) => [method, body === file])).toEqual([
      ["POST", true],
      ["POST", true],
    ]);
    expect(FakeXhr.all).toEqual([]);
  });

  test("upload() by fetch is not sent again after a cut: it may have arrived", async () => {
    const { fetch, calls } = scriptedFetch(() => Promise.reject(new TypeError("terminated")));
    const sending = upload("/api/upload", file, { ...RAW, fetch });
    await until(sending, () => sending.state.status === "failed");
    expect(calls.length).toBe(1);
  });
});
