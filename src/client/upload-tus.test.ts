import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { patternBytes, type TusStandIn, tusStandIn, until } from "../node/transfer-stand-in.test-support.ts";
import { tusMetadata } from "./tus-client.ts";
import { upload } from "./upload.ts";
import type { UploadStore } from "./upload-store.ts";
import type { UploadOptions, UploadSnapshot } from "./upload-types.ts";

const NOW = { minDelayMs: 0, maxDelayMs: 0, store: null } as const;
let server: TusStandIn;

beforeEach(async () => {
  server = await tusStandIn();
});
afterEach(() => server.close());

const methods = (): string => server.seen.map(({ method }) => method).join(" ");
const only = (): Buffer => [...server.uploads.values()][0]?.data ?? Buffer.alloc(0);
const fileOf = (bytes: Buffer, name = "a.bin"): File =>
  new File([new Uint8Array(bytes)], name, { lastModified: 1, type: "x/y" });

function memoryStore(): UploadStore & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    get: (key) => entries.get(key) ?? null,
    set: (key, value) => void entries.set(key, value),
    remove: (key) => void entries.delete(key),
  };
}

describe("upload() by tus", () => {
  test("upload() creates, sends chunks, and tells what the server has apart from what was sent", async () => {
    const bytes = patternBytes(2500);
    const shown: UploadSnapshot[] = [];
    const sending = upload(server.endpoint, fileOf(bytes, "naïve.bin"), { ...NOW, chunkBytes: 1000 });
    sending.subscribe(() => shown.push(sending.state));
    const result = await sending.done;
    expect(methods()).toBe("POST PATCH PATCH PATCH");
    expect(only().equals(bytes)).toBe(true);
    expect(result).toEqual({ url: `${server.url}/tus/u1`, id: "u1", name: "naïve.bin", bytes: 2500, sha256: null });
    expect(sending.state).toMatchObject({ status: "done", bytesSent: 2500, bytesStored: 2500, uploadId: "u1", result });
    expect([...new Set(shown.map(({ bytesStored }) => bytesStored))]).toEqual([0, 1000, 2000, 2500]);
    const metadata = server.uploads.get("u1")?.metadata ?? "";
    expect(metadata).toContain(`name ${Buffer.from("naïve.bin").toString("base64")}`);
    expect(metadata).toContain(`filetype ${Buffer.from("x/y").toString("base64")}`);
  });

  test("upload() of an empty file needs no PATCH", async () => {
    await upload(server.endpoint, fileOf(Buffer.alloc(0)), NOW).done;
    expect(methods()).toBe("POST");
  });

  test("upload() brings the same bytes with a cut at each of them", async () => {
    const bytes = patternBytes(48);
    for (let cut = 0; cut <= bytes.byteLength; cut += 1) {
      server.uploads.clear();
      server.cuts.push(cut);
      const sending = upload(server.endpoint, new Blob([new Uint8Array(bytes)]), { ...NOW, chunkBytes: 32 });
      await sending.done;
      expect(only().equals(bytes), `cut after ${cut} bytes`).toBe(true);
      expect(sending.state).toMatchObject({ attempt: 0, restarted: 0, error: null });
    }
    expect(server.cuts).toEqual([]);
  });

  test("upload() brings the same bytes however it is cut, paused and resumed", async () => {
    const plan = fc.record({
      size: fc.integer({ min: 0, max: 400 }),
      chunkBytes: fc.integer({ min: 1, max: 120 }),
      parallelParts: fc.integer({ min: 1, max: 3 }),
      cuts: fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 4 }),
      pauses: fc.array(fc.integer({ min: 1, max: 25 }), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ size, cuts, pauses, ...options }) => {
        server.uploads.clear();
        server.cuts.splice(0, Infinity, ...cuts);
        const bytes = patternBytes(size);
        const sending = upload(server.endpoint, new Blob([new Uint8Array(bytes)]), { ...NOW, ...options });
        let changes = 0;
        const at = new Set(pauses);
        sending.subscribe(() => {
          changes += 1;
          if (!at.has(changes)) return;
          sending.pause();
          setImmediate(() => sending.resume());
        });
        const { url } = await sending.done;
        const id = url?.split("/").at(-1) ?? "";
        expect(server.uploads.get(id)?.data.equals(bytes)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("upload() goes on after a reload from what the server has, and forgets when it is done", async () => {
    const store = memoryStore();
    const bytes = patternBytes(3000);
    const options = { ...NOW, store, chunkBytes: 1000 };
    const first = upload(server.endpoint, fileOf(bytes), options);
    await until(first, () => first.state.bytesStored === 1000);
    await first.abort();
    await expect(first.done).rejects.toMatchObject({ code: "aborted" });
    expect(store.entries.size).toBe(1);
    server.seen.length = 0;
    const second = upload(server.endpoint, fileOf(bytes), options);
    await second.done;
    expect(methods()).toMatch(/^HEAD( PATCH)+$/);
    expect(only().equals(bytes)).toBe(true);
    expect([server.uploads.size, store.entries.size]).toEqual([1, 0]);
  });

  test("upload() of another file of the same name and date begins anew", async () => {
    const store = memoryStore();
    const options = { ...NOW, store, chunkBytes: 1000, fingerprint: "same" };
    const first = upload(server.endpoint, fileOf(patternBytes(3000)), options);
    await until(first, () => first.state.bytesStored === 1000);
    await first.abort();
    const second = upload(server.endpoint, fileOf(patternBytes(2999, 5)), options);
    await second.done;
    expect(second.state.restarted).toBe(1);
    expect(server.uploads.get("u2")?.data.equals(patternBytes(2999, 5))).toBe(true);
  });

  test("upload() of the same file twice makes two uploads", async () => {
    const options = { ...NOW, store: memoryStore(), chunkBytes: 500 };
    const bytes = patternBytes(2000);
    await Promise.all([1, 2].map(() => upload(server.endpoint, fileOf(bytes), options).done));
    expect([...server.uploads.values()].map(({ data }) => data.equals(bytes))).toEqual([true, true]);
  });

  test("upload() works with a store that fails", async () => {
    const broken = (): never => {
      throw new DOMException("full", "QuotaExceededError");
    };
    const store = { get: broken, set: () => Promise.reject(new Error("shut")), remove: broken };
    await upload(server.endpoint, fileOf(patternBytes(10)), { ...NOW, store }).done;
    expect(only().byteLength).toBe(10);
  });

  test("upload() asks for the offset after a 409", async () => {
    server.intercept = ({ method }, attempt) => (method === "PATCH" && attempt === 3 ? { status: 409 } : undefined);
    await upload(server.endpoint, new Blob([new Uint8Array(patternBytes(300))]), { ...NOW, chunkBytes: 100 }).done;
    expect(methods()).toBe("POST PATCH PATCH HEAD PATCH PATCH");
    expect(only().equals(patternBytes(300))).toBe(true);
  });

  test("upload() counts a server that never agrees on the offset as lost", async () => {
    server.intercept = ({ method }) => (method === "PATCH" ? { status: 409 } : undefined);
    const sending = upload(server.endpoint, new Blob(["abc"]), { ...NOW, maxAttempts: 2 });
    await expect(sending.done).rejects.toMatchObject({ code: "connection_failed", details: { attempts: 2 } });
    expect(methods()).toBe("POST PATCH HEAD PATCH HEAD PATCH HEAD PATCH HEAD PATCH HEAD PATCH");
  });

  test.each([404, 410])("upload() begins anew after a %i", async (status) => {
    let gone = 1;
    server.intercept = ({ method, headers }) => {
      if (method !== "PATCH" || headers["upload-offset"] === "0" || gone === 0) return undefined;
      gone -= 1;
      server.uploads.clear();
      return { status };
    };
    const sending = upload(server.endpoint, new Blob([new Uint8Array(patternBytes(300))]), {
      ...NOW,
      chunkBytes: 100,
    });
    await sending.done;
    expect(methods()).toBe("POST PATCH PATCH HEAD POST PATCH PATCH PATCH");
    expect(only().equals(patternBytes(300))).toBe(true);
    expect(sending.state.restarted).toBe(1);
  });

  const problem = (code: string): { readonly headers: Record<string, string>; readonly body: string } => ({
    headers: { "content-type": "application/problem+json" },
    body: JSON.stringify({ code, detail: "At most 5 bytes." }),
  });

  test("upload() fails on a 413 with the problem's code, and does not try again", async () => {
    server.intercept = () => ({ status: 413, ...problem("limit_exceeded") });
    const store = memoryStore();
    const sending = upload(server.endpoint, fileOf(patternBytes(10)), { ...NOW, store });
    await expect(sending.done).rejects.toMatchObject({
      code: "limit_exceeded",
      message: "The server answered 413 Payload Too Large: At most 5 bytes.",
      details: { code: "limit_exceeded", status: 413 },
    });
    expect([sending.state.status, methods(), store.entries.size]).toEqual(["failed", "POST", 0]);
  });

  test("upload() sends smaller chunks when a proxy refuses large ones", async () => {
    const bytes = patternBytes(300_000);
    server.intercept = ({ method, headers }) =>
      method === "PATCH" && Number(headers["content-length"]) > 100_000 ? { status: 413 } : undefined;
    await upload(server.endpoint, new Blob([new Uint8Array(bytes)]), NOW).done;
    expect(only().equals(bytes)).toBe(true);
  });

  test.each([400, 401, 403, 412, 415])("upload() fails on a %i", async (status) => {
    server.intercept = ({ method }) => (method === "PATCH" ? { status } : undefined);
    const store = memoryStore();
    const sending = upload(server.endpoint, fileOf(patternBytes(10)), { ...NOW, store });
    await expect(sending.done).rejects.toMatchObject({ code: "response_refused", details: { status } });
    // Who is not allowed may be tomorrow; what is wrong stays wrong.
    expect(store.entries.size).toBe(status === 401 || status === 403 ? 1 : 0);
  });

  test("upload() waits as a 503 with Retry-After asks", async () => {
    server.intercept = (_, attempt) => (attempt === 1 ? { status: 503, headers: { "retry-after": "1" } } : undefined);
    const sending = upload(server.endpoint, new Blob(["abc"]), NOW);
    const begun = Date.now();
    await until(sending, () => sending.state.status === "waiting");
    expect(sending.state).toMatchObject({ attempt: 1, error: { code: "connection_failed" } });
    expect((sending.state.retryAt ?? 0) - begun).toBeGreaterThanOrEqual(1000);
    await sending.done;
    expect(only().toString()).toBe("abc");
  });

  test.each<[string, Record<string, string>]>([
    ["no offset", {}],
    ["an offset past the chunk", { "upload-offset": "11" }],
    ["an offset that is no number", { "upload-offset": "-1" }],
  ])("upload() refuses %s", async (_, headers) => {
    server.intercept = ({ method }) => (method === "PATCH" ? { status: 204, headers } : undefined);
    await expect(upload(server.endpoint, new Blob(["0123456789"]), NOW).done).rejects.toMatchObject({
      code: "response_refused",
    });
  });

  test("upload() refuses a creation without Location, and an address that cannot be", async () => {
    server.intercept = () => ({ status: 201 });
    await expect(upload(server.endpoint, new Blob(["x"]), NOW).done).rejects.toMatchObject({
      code: "response_refused",
    });
    expect(() => upload("/relative", new Blob(["x"]))).toThrow(/absolute/);
    expect(() => upload(server.endpoint, new Blob(["x"]), { sha256: "12" })).toThrow(/64 hexadecimal/);
  });

  test("upload() makes its headers anew for each request", async () => {
    let token = 0;
    server.cuts.push(5);
    const headers: UploadOptions["headers"] = async ({ attempt }) => {
      token += 1;
      return { "x-token": `${token}/${attempt}` };
    };
    await upload(server.endpoint, new Blob(["0123456789"]), { ...NOW, headers }).done;
    expect(server.seen.map((request) => request.headers["x-token"])).toEqual(["1/0", "2/0", "3/1", "4/0"]);
  });

  test("upload() announces a digest that it computed first", async () => {
    const bytes = patternBytes(1000);
    const hex = createHash("sha256").update(bytes).digest("hex");
    const { sha256 } = await upload(server.endpoint, new Blob([new Uint8Array(bytes)]), { ...NOW, sha256: true }).done;
    expect(sha256).toBe(hex);
    expect(server.uploads.get("u1")?.metadata).toContain(`sha256 ${Buffer.from(hex).toString("base64")}`);
  });

  test("upload() says that a file can no longer be read, instead of trying for ever", async () => {
    const file = new File(["0123456789"], "gone.txt");
    const slice = file.slice.bind(file);
    file.slice = (...args) => {
      const piece = slice(...args);
      piece.arrayBuffer = () => Promise.reject(new DOMException("changed", "NotReadableError"));
      piece.slice = () => piece;
      return piece;
    };
    server.cuts.push(0);
    await expect(upload(server.endpoint, file, NOW).done).rejects.toMatchObject({ code: "source_failed" });
  });

  test("tusMetadata() writes pairs, and refuses a key that cannot be sent", () => {
    expect(tusMetadata({ name: "é", empty: "" })).toBe("name w6k=,empty");
    for (const key of ["", "a b", "a,b", "é"]) expect(() => tusMetadata({ [key]: "x" })).toThrow(/metadata key/);
  });
});
