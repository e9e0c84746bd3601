// Appends and digests of resumable uploads for HTTP (draft-ietf-httpbis-resumable-upload-12), rule by rule. The names begin with the draft's section.

import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { TailraceError } from "../../errors.ts";
import { createManualClock } from "../../testing/manual-clock.ts";
import { resumableUpload } from "./ietf.ts";
import type { ResumableOptions } from "./options.ts";
import {
  BASE,
  type Handle,
  HandBody,
  handlerOf,
  idIn,
  send,
  type SentHeaders,
  storedText,
} from "./sent.test-support.ts";

const TYPE = { "content-type": "application/partial-upload" };
const PROBLEM = "https://iana.org/assignments/http-problem-types#";
const sha256 = (text: string): string => `sha-256=:${createHash("sha256").update(text).digest("base64")}:`;

function setUp(options: Partial<ResumableOptions> = {}): ReturnType<typeof handlerOf> {
  return handlerOf(resumableUpload, options);
}

function creation(headers: SentHeaders, body?: string | ReadableStream<Uint8Array>, method = "POST"): Request {
  return send(method, "/project/files", headers, body);
}

async function create(handle: Handle, headers: SentHeaders = {}, body = ""): Promise<string> {
  const response = await handle(creation({ "upload-complete": "?0", ...headers }, body));
  expect(response.status).toBe(201);
  return `${BASE}${idIn(response)}`;
}

function patch(
  path: string,
  offset: number,
  complete: boolean,
  body: string | ReadableStream<Uint8Array>,
  more: SentHeaders = {},
): Request {
  const headers = { "upload-offset": String(offset), "upload-complete": complete ? "?1" : "?0" };
  return send("PATCH", path, { ...TYPE, ...headers, ...more }, body);
}

const told = ({ status, headers }: Response): readonly unknown[] => [
  status,
  headers.get("upload-offset"),
  headers.get("upload-complete"),
];

describe("append", () => {
  test("4.4 part after part, then the last, or an empty last", async () => {
    for (const last of ["!", ""]) {
      const onComplete = vi.fn();
      const { handle, storage } = setUp({ onComplete });
      const path = await create(handle, {}, "hello");
      expect(told(await handle(patch(path, 5, false, " world")))).toEqual([204, "11", "?0"]);
      expect(onComplete).not.toHaveBeenCalled();
      expect(told(await handle(patch(path, 11, true, last)))).toEqual([204, String(11 + last.length), "?1"]);
      expect(onComplete).toHaveBeenCalledOnce();
      expect(await storedText(storage, path.slice(BASE.length))).toBe(`hello world${last}`);
    }
  });

  test.each<[string, SentHeaders, number]>([
    ["no Integer as offset", { "upload-offset": "abc" }, 400],
    ["a negative offset", { "upload-offset": "-5" }, 400],
    ["an offset with a parameter", { "upload-offset": "5;a" }, 204],
    ["no Boolean", { "upload-complete": "yes" }, 400],
    ["another type", { "content-type": "text/plain" }, 415],
    ["the type of tus", { "content-type": "application/offset+octet-stream" }, 415],
    ["the type with a parameter", { "content-type": "Application/Partial-Upload; a=b" }, 204],
    ["another length", { "upload-length": "50" }, 400],
    ["the same length", { "upload-length": "100" }, 204],
    ["a right Content-Digest", { "content-digest": sha256("def") }, 204],
    ["a wrong Content-Digest", { "content-digest": sha256("dex") }, 400],
    ["a malformed Content-Digest", { "content-digest": "sha-256=abc" }, 400],
    ["an unknown Content-Digest", { "content-digest": "unixsum=:AAAA:" }, 204],
  ])("4.4 with %s", async (_what, headers, status) => {
    const { handle } = setUp();
    const path = await create(handle, { "upload-length": "100" }, "hello");
    const response = await handle(patch(path, 5, false, "def", headers));
    expect([response.status, response.headers.get("upload-complete")]).toEqual([status, "?0"]);
    expect((await handle(send("HEAD", path))).headers.get("upload-offset")).toBe(status === 204 ? "8" : "5");
  });

  test.each(["upload-offset", "upload-complete", "content-type"])("4.4.1 without %s it is refused", async (name) => {
    const { handle } = setUp();
    const path = await create(handle);
    const request = patch(path, 0, false, "abc");
    request.headers.delete(name);
    expect((await handle(request)).status).toBe(name === "content-type" ? 415 : 400);
  });

  test("4.4.2 and 7.1 at another offset: 409 with the right one, and nothing is lost", async () => {
    const { handle } = setUp();
    const path = await create(handle, {}, "hello");
    for (const offset of [0, 4, 6, 99]) {
      const response = await handle(patch(path, offset, false, "x"));
      expect(told(response)).toEqual([409, "5", "?0"]);
      expect(await response.json()).toMatchObject({
        type: `${PROBLEM}mismatching-upload-offset`,
        "expected-offset": 5,
        "provided-offset": offset,
      });
    }
    expect(told(await handle(patch(path, 5, false, "x")))).toEqual([204, "6", "?0"]);
  });

  test("4.4.2 more bytes than the length make the upload invalid, announced or not", async () => {
    for (const isAnnounced of [true, false]) {
      const { handle } = setUp();
      const path = await create(handle, { "upload-length": "5" }, "hell");
      const body = new HandBody();
      body.give("o!");
      body.end();
      const response = await handle(patch(path, 4, false, isAnnounced ? "o!" : body.stream));
      expect([response.status, response.headers.get("upload-complete")]).toEqual([400, "?0"]);
      expect(await response.json()).toMatchObject({ type: `${PROBLEM}inconsistent-upload-length` });
      expect((await handle(send("HEAD", path))).status).toBe(404);
    }
  });

  test("4.1.2 an upload is not complete because it has its length, and not with less than that", async () => {
    const onComplete = vi.fn();
    const { handle } = setUp({ onComplete });
    const path = await create(handle, { "upload-length": "5" });
    expect(told(await handle(patch(path, 0, false, "hello")))).toEqual([204, "5", "?0"]);
    expect(onComplete).not.toHaveBeenCalled();
    expect(told(await handle(patch(path, 5, true, "")))).toEqual([204, "5", "?1"]);
    const short = await create(handle, { "upload-length": "5" });
    const body = new HandBody();
    body.give("hell");
    body.end();
    expect((await handle(patch(short, 0, true, body.stream))).status).toBe(400);
    expect(told(await handle(send("HEAD", short)))).toEqual([204, "4", "?0"]);
  });

  test("4.4.2 and 7.2 a complete upload takes nothing more", async () => {
    const { handle, storage } = setUp();
    const path = await create(handle, {}, "hello");
    await handle(patch(path, 5, true, ""));
    const nothing = await handle(patch(path, 5, true, ""));
    expect([nothing.status, await nothing.json()]).toMatchObject([400, { type: `${PROBLEM}completed-upload` }]);
    const more = await handle(patch(path, 5, true, "x"));
    expect([more.status, await more.json()]).toMatchObject([400, { type: `${PROBLEM}inconsistent-upload-length` }]);
    expect(await storedText(storage, path.slice(BASE.length))).toBe("hello");
  });

  test("4.4.2 what arrived of a broken append counts", async () => {
    const { handle, storage } = setUp();
    const path = await create(handle);
    const body = new HandBody();
    body.give("abc");
    const first = handle(patch(path, 0, true, body.stream));
    await vi.waitFor(async () => expect((await storage.head(path.slice(BASE.length)))?.offset).toBe(3));
    body.breakOff();
    await first;
    expect(told(await handle(send("HEAD", path)))).toEqual([204, "3", "?0"]);
  });

  test("4.6 of two at one offset only one is taken", async () => {
    const { handle } = setUp();
    const path = await create(handle);
    const answers = await Promise.all([1, 2, 3].map(() => handle(patch(path, 0, false, "abc"))));
    expect(answers.filter(({ status }) => status === 204).length).toBe(1);
  });

  test("9 what the delivery refuses comes with ?1: the upload itself is through", async () => {
    const { handle } = setUp({
      onComplete() {
        throw new TailraceError("type_refused", "This is a virus.");
      },
    });
    const path = await create(handle, {}, "hello");
    expect(told(await handle(patch(path, 5, true, "")))).toEqual([415, "5", "?1"]);
  });

  test("5 a host that can sends the offset now and then, without the address", async () => {
    const clock = createManualClock();
    const sendInterim = vi.fn();
    const { handle, storage } = setUp({ clock, sendInterim, minBytesPerSecond: 0 });
    const draft = { "upload-draft-interop-version": "8" };
    const path = await create(handle);
    const body = new HandBody();
    const answer = handle(patch(path, 0, false, body.stream, draft));
    for (const [index, text] of ["a", "b", "c"].entries()) {
      body.give(text);
      await vi.waitFor(async () => expect((await storage.head(path.slice(BASE.length)))?.offset).toBe(index + 1));
      clock.advance(600);
    }
    body.end();
    expect((await answer).status).toBe(204);
    expect(sendInterim.mock.calls).toEqual([[104, { "upload-offset": "3", "upload-draft-interop-version": "8" }]]);
  });
});

describe("digests", () => {
  test.each([
    [{ "content-digest": sha256("hello") }, 201],
    [{ "content-digest": sha256("other") }, 400],
    [{ "repr-digest": sha256("hello") }, 201],
    [{ "repr-digest": sha256("other") }, 400],
    [{ "repr-digest": `sha-512=:${createHash("sha512").update("hello").digest("base64")}:, ${sha256("hello")}` }, 201],
  ])("8 a creation with %o is %s", async (headers, status) => {
    const onComplete = vi.fn();
    const { handle } = setUp({ onComplete });
    const response = await handle(creation({ "upload-complete": "?1", ...headers }, "hello"));
    expect([response.status, onComplete.mock.calls.length]).toEqual([status, status === 201 ? 1 : 0]);
  });

  test("8.1 the digest of the whole is checked at the end, over all requests; a wrong whole is removed", async () => {
    for (const [text, status] of [
      ["def", 204],
      ["xyz", 400],
    ] as const) {
      const { handle } = setUp();
      const path = await create(handle, { "repr-digest": sha256("abcdef") }, "abc");
      const response = await handle(patch(path, 3, true, text));
      expect([response.status, response.headers.get("upload-complete")]).toEqual([status, "?1"]);
      expect((await handle(send("HEAD", path))).status).toBe(status === 204 ? 204 : 404);
    }
  });

  test("8.1 the digest that is wanted is told with the last answer", async () => {
    const { handle } = setUp();
    const path = await create(handle, { "want-repr-digest": "md5=9, sha-256=5, sha-512=0" }, "abc");
    const response = await handle(patch(path, 3, true, "def"));
    expect(response.headers.get("repr-digest")).toBe(sha256("abcdef"));
  });
});
