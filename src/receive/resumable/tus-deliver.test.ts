// The ends of uploads: delivered, refused, delivered again, made of parts, expired; and what is told of their progress.

import { describe, expect, test, vi } from "vitest";
import { TailraceError } from "../../errors.ts";
import { createManualClock } from "../../testing/manual-clock.ts";
import { ProgressReporter, type UploadProgress } from "../progress.ts";
import { memoryUploads } from "./memory-uploads.ts";
import type { CompletedUpload } from "./options.ts";
import { reporterCount } from "./progress-registry.ts";
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
import { sweepUploads } from "./sweep.ts";
import { tus } from "./tus.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const TYPE = { "content-type": "application/offset+octet-stream" };

const post = (handle: Handle, headers: SentHeaders, body?: string): Promise<Response> =>
  handle(send("POST", BASE, { ...VERSION, ...(body === undefined ? {} : TYPE), ...headers }, body));
const head = (handle: Handle, id: string): Promise<Response> => handle(send("HEAD", `${BASE}${id}`, VERSION));
const patch = (handle: Handle, id: string, offset: number, body: string): Promise<Response> =>
  handle(send("PATCH", `${BASE}${id}`, { ...VERSION, ...TYPE, "upload-offset": String(offset) }, body));

describe("onComplete", () => {
  test("gets the upload once, and its headers are told now and later, but not those that are the protocol's", async () => {
    const seen: CompletedUpload[] = [];
    const texts: string[] = [];
    const { handle, storage } = handlerOf(tus, {
      async onComplete(upload, request) {
        expect(request.method).toBe("PATCH");
        seen.push(upload);
        texts.push(await storedText(storage, upload.id));
        return { headers: { "x-file": "7", "upload-offset": "99", location: "/elsewhere" } };
      },
    });
    const id = idIn(
      await post(handle, { "upload-length": "6", "upload-metadata": `filename ${base64("a.txt")}` }, "abc"),
    );
    const last = await patch(handle, id, 3, "def");
    expect([last.status, last.headers.get("x-file"), last.headers.get("upload-offset")]).toEqual([204, "7", "6"]);
    expect(last.headers.has("location")).toBe(false);
    for (const response of [await head(handle, id), await patch(handle, id, 6, "")]) {
      expect([response.headers.get("x-file"), response.headers.get("upload-offset")]).toEqual(["7", "6"]);
    }
    expect(seen).toMatchObject([{ id, lengthBytes: 6, metadata: { filename: "a.txt" }, phase: "completing" }]);
    expect(texts).toEqual(["abcdef"]);
  });

  test("that fails is told as a 500 and reported, and the upload is delivered again when its sender asks", async () => {
    const fault = new Error("secret: the database is away");
    const onError = vi.fn();
    let calls = 0;
    const { handle, storage } = handlerOf(tus, {
      onError,
      onComplete() {
        calls++;
        if (calls < 3) throw fault;
        return { headers: { "x-file": "7" } };
      },
    });
    const failed = await post(handle, { "upload-length": "3" }, "abc");
    const id = idIn(failed);
    expect([failed.status, failed.headers.get("upload-offset"), id.length]).toEqual([500, "3", 32]);
    expect(await failed.text()).not.toContain("secret");
    expect((await head(handle, id)).status).toBe(500);
    const right = await head(handle, id);
    expect([right.status, right.headers.get("x-file")]).toEqual([200, "7"]);
    await head(handle, id);
    expect([calls, onError.mock.calls]).toEqual([3, [[fault], [fault]]]);
    expect(await storedText(storage, id)).toBe("abc");
  });

  test("that refuses tells its own status and words", async () => {
    const { handle } = handlerOf(tus, {
      onComplete() {
        throw new TailraceError("type_refused", "This is a virus.");
      },
    });
    const response = await post(handle, { "upload-length": "3" }, "abc");
    expect([response.status, await response.json()]).toMatchObject([415, { detail: "This is a virus." }]);
  });

  test("may drop the bytes: the answer stays until the upload's time is over", async () => {
    const clock = createManualClock();
    const { handle, storage } = handlerOf(tus, { clock, expiresMs: 1_000, onComplete: () => ({ dropBytes: true }) });
    const id = idIn(await post(handle, { "upload-length": "3" }, "abc"));
    expect(await storage.head(id)).toMatchObject({ phase: "complete", hasBytes: false, offset: 3 });
    expect((await head(handle, id)).headers.get("upload-offset")).toBe("3");
    clock.advance(1_000);
    expect(await sweepUploads({ storage, clock })).toBe(0);
    expect((await head(handle, id)).status).toBe(404);
  });

  test("is not called again where a crash came after the bytes were taken away", async () => {
    const storage = memoryUploads();
    const onComplete = vi.fn();
    const { handle } = handlerOf(tus, { storage, onComplete });
    const id = "c".repeat(32);
    const times = { createdAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 };
    await storage.create({ id, lengthBytes: 0, metadata: {}, notes: {}, isPartial: false, ...times });
    await storage.finish(id, "completing");
    await storage.dropBytes(id);
    expect((await head(handle, id)).status).toBe(200);
    expect([onComplete.mock.calls.length, (await storage.head(id))?.phase]).toEqual([0, "complete"]);
  });

  test("is called by HEAD where a crash came between the last byte and the delivery", async () => {
    const storage = memoryUploads();
    const onComplete = vi.fn();
    const id = "d".repeat(32);
    const times = { createdAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 };
    await storage.create({ id, lengthBytes: 0, metadata: {}, notes: {}, isPartial: false, ...times });
    const { handle } = handlerOf(tus, { storage, onComplete });
    expect((await head(handle, id)).headers.has("upload-expires")).toBe(false);
    expect(onComplete).toHaveBeenCalledOnce();
  });
});

describe("concatenation", () => {
  async function parts(handle: Handle, ...texts: readonly string[]): Promise<string[]> {
    const made = await Promise.all(
      texts.map((text) => post(handle, { "upload-length": String(text.length), "upload-concat": "partial" }, text)),
    );
    return made.map(idIn);
  }

  test("makes one upload of parts in their order, delivers it alone, and removes the parts", async () => {
    const delivered: string[] = [];
    const { handle, storage } = handlerOf(tus, {
      async onComplete(upload) {
        delivered.push(await storedText(storage, upload.id));
      },
    });
    const [one, two] = await parts(handle, "hello", " world");
    const part = await head(handle, one!);
    expect([part.headers.get("upload-concat"), part.headers.get("upload-offset")]).toEqual(["partial", "5"]);
    const concat = `final;http://files.test${BASE}${one} ${BASE}${two}`;
    const made = await post(handle, { "upload-concat": concat, "upload-metadata": `filename ${base64("x")}` });
    expect([made.status, made.headers.get("upload-offset")]).toEqual([201, "11"]);
    const { headers } = await head(handle, idIn(made));
    expect([headers.get("upload-concat"), headers.get("upload-length"), headers.get("upload-offset")]).toEqual([
      concat,
      "11",
      "11",
    ]);
    expect(delivered).toEqual(["hello world"]);
    expect((await patch(handle, idIn(made), 11, "x")).status).toBe(403);
    expect((await head(handle, one!)).status).toBe(404);
  });

  test("refuses what is no part or not ours, and too much", async () => {
    const { handle, storage } = handlerOf(tus, { maxBytes: 10, maxConcatCount: 3 });
    const [one, two] = await parts(handle, "hello", " world");
    const whole = idIn(await post(handle, { "upload-length": "3" }, "abc"));
    const cases: [string, number][] = [
      [`final;${BASE}${whole}`, 400],
      [`final;${BASE}${"0".repeat(32)}`, 400],
      [`final;${BASE}../../etc/passwd`, 400],
      [`final;${BASE}%2e%2e%2fetc`, 400],
      ["final;/elsewhere/x", 400],
      [`final;${BASE}${one} ${BASE}${two}`, 413],
      [`final;${BASE}${one} ${BASE}${one} ${BASE}${one} ${BASE}${one}`, 413],
    ];
    for (const [concat, status] of cases) {
      expect([concat, (await post(handle, { "upload-concat": concat })).status]).toEqual([concat, status]);
    }
    const length = await post(handle, { "upload-concat": `final;${BASE}${one}`, "upload-length": "5" });
    const content = await post(handle, { "upload-concat": `final;${BASE}${one}` }, "x");
    expect([length.status, content.status]).toEqual([400, 400]);
    expect(await storedText(storage, one!)).toBe("hello");
    // A part may come twice.
    expect((await post(handle, { "upload-concat": `final;${BASE}${one} ${BASE}${one}` })).status).toBe(201);
  });

  test("two that join the same parts in another order do not wait for each other", async () => {
    const { handle } = handlerOf(tus);
    const [one, two] = await parts(handle, "a", "b");
    const joined = await Promise.all([
      post(handle, { "upload-concat": `final;${BASE}${one} ${BASE}${two}` }),
      post(handle, { "upload-concat": `final;${BASE}${two} ${BASE}${one}` }),
    ]);
    expect(joined.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 400]);
  });
});

describe("progress", () => {
  test("tells created, receiving, stalled, verifying and complete, with the bytes that are stored", async () => {
    const told: UploadProgress[] = [];
    const clock = createManualClock();
    const reporters: ProgressReporter[] = [];
    const { handle, storage } = handlerOf(tus, {
      clock,
      progress({ id, lengthBytes }) {
        reporters.push(
          new ProgressReporter({ id, totalBytes: lengthBytes, clock, publish: (report) => void told.push(report) }),
        );
        return reporters.at(-1);
      },
    });
    const id = idIn(await post(handle, { "upload-length": "6" }));
    const body = new HandBody();
    body.give("abc");
    const cut = handle(send("PATCH", `${BASE}${id}`, { ...VERSION, ...TYPE, "upload-offset": "0" }, body.stream));
    await vi.waitFor(async () => expect((await storage.head(id))?.offset).toBe(3));
    body.breakOff();
    expect((await cut).status).toBe(499);
    await patch(handle, id, 3, "def");
    await reporters[0]!.settled();
    expect(told.map(({ state, bytes }) => [state, bytes])).toEqual([
      ["created", 0],
      ["receiving", 0],
      ["stalled", 3],
      ["receiving", 3],
      ["verifying", 6],
      ["complete", 6],
    ]);
    expect([reporters.length, reporterCount()]).toEqual([1, 0]);
    await vi.waitFor(() => expect(clock.timerCount).toBe(0));
  });

  test("of an upload that is cancelled or expires ends so, also where another process had begun it", async () => {
    const told: UploadProgress[] = [];
    const clock = createManualClock();
    const storage = memoryUploads();
    const progress = ({ id }: { readonly id: string }): ProgressReporter =>
      new ProgressReporter({ id, clock, publish: (report) => void told.push(report) });
    const { handle } = handlerOf(tus, { clock, storage, expiresMs: 1_000, progress });
    const cancelled = idIn(await post(handle, { "upload-length": "6" }));
    await handle(send("DELETE", `${BASE}${cancelled}`, VERSION));
    const elsewhere = handlerOf(tus, { clock, storage, expiresMs: 1_000 }).handle;
    const expired = idIn(await post(elsewhere, { "upload-length": "6" }, "abc"));
    clock.advance(1_000);
    expect(await sweepUploads({ storage, clock, progress })).toBe(1);
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ id: expired, state: "expired", bytes: 3 }));
    expect(told).toContainEqual(expect.objectContaining({ id: cancelled, state: "failed", code: "aborted" }));
    expect([reporterCount(), clock.timerCount]).toEqual([0, 0]);
  });
});
