import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  patternBytes,
  pendingTimers,
  timersDownTo,
  type TusStandIn,
  tusStandIn,
  until,
} from "../node/transfer-stand-in.test-support.ts";
import { upload } from "./upload.ts";
import type { UploadStore } from "./upload-store.ts";

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

describe("upload() in parts, paused and aborted", () => {
  test("parallelParts brings the parts at the same time and joins them", async () => {
    const bytes = patternBytes(1000);
    server.cuts.push(100);
    const sending = upload(server.endpoint, fileOf(bytes), { ...NOW, parallelParts: 3, chunkBytes: 90 });
    const { url } = await sending.done;
    const whole = server.uploads.get(url?.split("/").at(-1) ?? "");
    expect(whole?.data.equals(bytes)).toBe(true);
    expect(whole?.concat?.split(" ").length).toBe(3);
    expect(whole?.metadata).toContain("filename ");
    const parts = [...server.uploads.values()].filter(({ concat }) => concat === "partial");
    expect(parts.map(({ length, metadata }) => [length, metadata])).toEqual([
      [334, ""],
      [334, ""],
      [332, ""],
    ]);
  });

  test("parallelParts sends parts anew that are gone when they are to be joined", async () => {
    let joins = 0;
    server.intercept = ({ headers }) => {
      if (headers["upload-concat"]?.toString().startsWith("final") !== true) return undefined;
      joins += 1;
      if (joins > 1) return undefined;
      server.uploads.clear();
      return { status: 410 };
    };
    const bytes = patternBytes(500);
    const sending = upload(server.endpoint, new Blob([new Uint8Array(bytes)]), { ...NOW, parallelParts: 2 });
    const { url } = await sending.done;
    expect(server.uploads.get(url?.split("/").at(-1) ?? "")?.data.equals(bytes)).toBe(true);
    expect(sending.state.restarted).toBe(2);
  });

  test("parallelParts gives up when parts are always gone, and when one part is refused", async () => {
    const isFinal = (value: unknown): boolean => String(value).startsWith("final");
    server.intercept = ({ headers }) => (isFinal(headers["upload-concat"]) ? { status: 404 } : undefined);
    const options = { ...NOW, parallelParts: 2 };
    await expect(upload(server.endpoint, new Blob(["0123456789"]), options).done).rejects.toMatchObject({
      details: { joins: 3 },
    });
    server.intercept = ({ method }, attempt) => (method === "PATCH" && attempt % 2 === 0 ? { status: 400 } : undefined);
    await expect(upload(server.endpoint, new Blob(["0123456789"]), options).done).rejects.toMatchObject({
      details: { status: 400 },
    });
  });

  test.each([
    [16, 16],
    [17, 16],
    [0, 0],
  ])("parallelParts %i makes %i parts", async (parallelParts, count) => {
    await upload(server.endpoint, new Blob([new Uint8Array(patternBytes(64))]), { ...NOW, parallelParts }).done;
    expect([...server.uploads.values()].filter(({ concat }) => concat === "partial").length).toBe(count);
  });

  test("upload() fails when a proxy refuses even 65536 bytes", async () => {
    const sizes: number[] = [];
    server.intercept = ({ method, headers }) => {
      if (method !== "PATCH") return undefined;
      sizes.push(Number(headers["content-length"]));
      return { status: 413 };
    };
    const sending = upload(server.endpoint, new Blob([new Uint8Array(200_000)]), { ...NOW, chunkBytes: 150_000 });
    await expect(sending.done).rejects.toMatchObject({ code: "limit_exceeded" });
    expect(sizes).toEqual([150_000, 65_536]);
  });

  test("pause() takes the request away, and resume() asks how much has arrived", async () => {
    const bytes = patternBytes(1000);
    let open = (): void => undefined;
    server.gate = () => new Promise((resolve) => (open = resolve));
    const sending = upload(server.endpoint, new Blob([new Uint8Array(bytes)]), { ...NOW, chunkBytes: 600 });
    await expect.poll(() => only().byteLength).toBe(600);
    sending.pause();
    expect(sending.state).toMatchObject({ status: "paused", bytesStored: 0, bytesPerSecond: 0 });
    open();
    server.gate = async () => undefined;
    sending.resume();
    await sending.done;
    expect(methods()).toBe("POST PATCH HEAD PATCH");
    expect(only().equals(bytes)).toBe(true);
  });

  test("abort() releases every timer and listener, and never rejects; done does", async () => {
    const controller = new AbortController();
    const listeners = new Set<unknown>();
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners.add(args[1]);
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners.delete(args[1]);
      remove(...args);
    };
    const timers = pendingTimers();
    server.gate = () => new Promise(() => undefined);
    const sending = upload(server.endpoint, new Blob(["abc"]), { store: null, signal });
    await expect.poll(() => only().byteLength).toBe(3);
    await sending.abort();
    await expect(sending.done).rejects.toMatchObject({ code: "aborted" });
    expect(listeners.size).toBe(0);
    expect(await timersDownTo(timers)).toBeLessThanOrEqual(timers);

    const waiting = upload("http://127.0.0.1:1/", new Blob(["abc"]), { store: null, minDelayMs: 60_000, signal });
    await until(waiting, () => waiting.state.status === "waiting");
    controller.abort(new Error("enough"));
    await expect(waiting.done).rejects.toMatchObject({ code: "aborted", cause: new Error("enough") });
    expect(listeners.size).toBe(0);
    expect(await timersDownTo(timers)).toBeLessThanOrEqual(timers);
    const late = upload(server.endpoint, new Blob(["abc"]), { store: null, signal });
    await expect(late.done).rejects.toMatchObject({ code: "aborted" });
  });

  test("abort({ terminate: true }) has the server remove the upload, and forgets it", async () => {
    const store = memoryStore();
    const sending = upload(server.endpoint, fileOf(patternBytes(100)), { ...NOW, store, chunkBytes: 10 });
    await until(sending, () => sending.state.bytesStored >= 10);
    await sending.abort({ terminate: true });
    expect(server.seen.at(-1)?.method).toBe("DELETE");
    expect([server.uploads.size, store.entries.size]).toEqual([0, 0]);
  });
});
