// tus 1.0 "Creation" and "Creation With Upload", rule by rule.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { TailraceError } from "../../errors.ts";
import type { CompletedUpload } from "./options.ts";
import { base64, BASE, handlerOf, idIn, send, type SentHeaders, storedText } from "./sent.test-support.ts";
import { tus } from "./tus.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const TYPE = { "content-type": "application/offset+octet-stream" };

describe("tus, creating", () => {
  test.each<[string, SentHeaders, number]>([
    ["a length", { "upload-length": "10" }, 201],
    ["length 0", { "upload-length": "0" }, 201],
    ["the largest length", { "upload-length": "1000" }, 201],
    ["one more", { "upload-length": "1001" }, 413],
    ["no length", {}, 400],
    ["a deferred length", { "upload-defer-length": "1" }, 201],
    ["another deferral", { "upload-defer-length": "2" }, 400],
    ["both", { "upload-length": "10", "upload-defer-length": "1" }, 400],
    ["a negative length", { "upload-length": "-1" }, 400],
    ["a signed length", { "upload-length": "+1" }, 400],
    ["a fraction", { "upload-length": "1.0" }, 400],
    ["hexadecimal", { "upload-length": "0x10" }, 400],
    ["an exponent", { "upload-length": "1e3" }, 400],
    ["two lengths", { "upload-length": "1, 1" }, 400],
    ["an unsafe length", { "upload-length": "9007199254740992" }, 400],
    ["a very long number", { "upload-length": "1".repeat(400) }, 400],
    ["words", { "upload-length": "ten" }, 400],
    ["metadata", { "upload-length": "1", "upload-metadata": `filename ${base64("a b.txt")},empty,also ` }, 201],
    [
      "metadata with a space after the comma",
      { "upload-length": "1", "upload-metadata": `a ${base64("1")}, b ${base64("2")}` },
      201,
    ],
    ["metadata that is not base64", { "upload-length": "1", "upload-metadata": "filename a?b=" }, 400],
    ["metadata in unpadded base64", { "upload-length": "1", "upload-metadata": "filename YQ" }, 400],
    ["a key twice", { "upload-length": "1", "upload-metadata": "a,a" }, 400],
    ["an empty key", { "upload-length": "1", "upload-metadata": "a,,b" }, 400],
    ["three words", { "upload-length": "1", "upload-metadata": "a YQ== YQ==" }, 400],
    ["metadata at the limit", { "upload-length": "1", "upload-metadata": "k".repeat(4_096) }, 201],
    ["metadata one past it", { "upload-length": "1", "upload-metadata": "k".repeat(4_097) }, 413],
    ["an unknown Upload-Concat", { "upload-length": "1", "upload-concat": "parts" }, 400],
    ["a final upload of nothing", { "upload-concat": "final;" }, 400],
  ])("with %s", async (_what, headers, status) => {
    const { handle } = handlerOf(tus, { maxBytes: 1_000 });
    const response = await handle(send("POST", BASE, { ...VERSION, ...headers }));
    expect(response.status).toBe(status);
    expect(response.headers.get("tus-resumable")).toBe("1.0.0");
    expect(response.headers.has("location")).toBe(status === 201);
  });

  test("metadata is told again as it came, and decoded for the application", async () => {
    const { handle, storage } = handlerOf(tus);
    const header = `filename ${base64("ü.txt")},__proto__ ${base64("x")},flag`;
    const path = `${BASE}${idIn(await handle(send("POST", BASE, { ...VERSION, "upload-length": "3", "upload-metadata": header })))}`;
    const response = await handle(send("HEAD", path, VERSION));
    expect(response.headers.get("upload-metadata")).toBe(header);
    const upload = await storage.head(path.slice(BASE.length));
    expect(Object.entries(upload!.metadata)).toEqual([
      ["filename", "ü.txt"],
      ["__proto__", "x"],
      ["flag", ""],
    ]);
  });

  test("content is stored with the creation, whole or in part", async () => {
    const { handle, storage } = handlerOf(tus);
    const whole = await handle(send("POST", BASE, { ...VERSION, ...TYPE, "upload-length": "5" }, "hello"));
    expect([whole.status, whole.headers.get("upload-offset"), whole.headers.has("upload-expires")]).toEqual([
      201,
      "5",
      false,
    ]);
    const part = await handle(send("POST", BASE, { ...VERSION, ...TYPE, "upload-defer-length": "1" }, "hello"));
    expect([part.headers.get("upload-offset"), part.headers.has("upload-expires")]).toEqual(["5", true]);
    expect(await storedText(storage, idIn(part))).toBe("hello");
  });

  test.each<[string, SentHeaders, number]>([
    ["content of another type", { "content-type": "text/plain", "upload-length": "5" }, 415],
    ["content without a type", { "upload-length": "5" }, 415],
    ["more content than the length", { ...TYPE, "upload-length": "4" }, 413],
    [
      "content with a wrong checksum",
      {
        ...TYPE,
        "upload-length": "5",
        "upload-checksum": `sha1 ${createHash("sha1").update("other").digest("base64")}`,
      },
      460,
    ],
  ])("%s leaves nothing behind", async (_what, headers, status) => {
    const created: string[] = [];
    const { handle, storage } = handlerOf(tus, { onCreate: ({ id }) => void created.push(id) });
    const response = await handle(send("POST", BASE, { ...VERSION, ...headers }, "hello"));
    expect([response.status, response.headers.has("location")]).toEqual([status, false]);
    for (const id of created) expect(await storage.head(id)).toBeUndefined();
  });

  test("what onCreate throws refuses the upload", async () => {
    const { handle } = handlerOf(tus, {
      onCreate() {
        throw new TailraceError("type_refused", "No films, please.");
      },
    });
    const response = await handle(send("POST", BASE, { ...VERSION, "upload-length": "1" }));
    expect([response.status, await response.json()]).toMatchObject([415, { detail: "No films, please." }]);
  });

  test("an empty upload is complete at once", async () => {
    const done: CompletedUpload[] = [];
    const { handle } = handlerOf(tus, { onComplete: (upload) => void done.push(upload) });
    await handle(send("POST", BASE, { ...VERSION, "upload-length": "0" }));
    expect(done.map(({ lengthBytes }) => lengthBytes)).toEqual([0]);
  });
});
