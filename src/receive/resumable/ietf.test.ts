// Resumable uploads for HTTP (draft-ietf-httpbis-resumable-upload-12), rule by rule. The names begin with the draft's section.

import { describe, expect, test, vi } from "vitest";
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
import { heldCount } from "./takeover.ts";

const TYPE = { "content-type": "application/partial-upload" };
const DRAFT = { "upload-draft-interop-version": "8" };
const PROBLEM = "https://iana.org/assignments/http-problem-types#";

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

describe("creation", () => {
  test.each(["POST", "PUT", "PATCH"])("4.2 %s with the whole is complete, and delivered", async (method) => {
    const onComplete = vi.fn(async () => ({ headers: { "x-file": "7" } }));
    const { handle, storage } = setUp({ onComplete });
    const response = await handle(creation({ "upload-complete": "?1" }, "hello", method));
    expect(told(response)).toEqual([201, "5", "?1"]);
    expect(response.headers.get("x-file")).toBe("7");
    expect(onComplete).toHaveBeenCalledOnce();
    expect(await storedText(storage, idIn(response))).toBe("hello");
  });

  test("4.2 with a part it answers 201 with the address and the limits", async () => {
    const { handle, storage } = setUp({ clock: createManualClock(), maxBytes: 1_000 });
    const response = await handle(creation({ "upload-complete": "?0", "upload-length": "100" }, "hello"));
    expect(told(response)).toEqual([201, "5", "?0"]);
    expect(response.headers.get("location")).toMatch(/^\/api\/tus\/[0-9a-f]{32}$/);
    expect(response.headers.get("upload-limit")).toBe("max-size=1000, max-age=86400");
    expect(await storage.head(idIn(response))).toMatchObject({ offset: 5, lengthBytes: 100 });
  });

  test("4.2.1 without content it makes an upload, or an empty one that is complete", async () => {
    const { handle } = setUp();
    for (const body of ["", undefined]) {
      expect(told(await handle(creation({ "upload-complete": "?0" }, body)))).toEqual([201, "0", "?0"]);
      expect(told(await handle(creation({ "upload-complete": "?1" }, body)))).toEqual([201, "0", "?1"]);
    }
  });

  test.each<[string, SentHeaders, number]>([
    ["a Boolean with a parameter", { "upload-complete": "?0;a=1" }, 201],
    ["no Boolean", { "upload-complete": "true" }, 400],
    ["1", { "upload-complete": "1" }, 400],
    ["two Booleans", { "upload-complete": "?0, ?0" }, 400],
    ["none", {}, 400],
    ["a length", { "upload-complete": "?0", "upload-length": "100" }, 201],
    ["a length that is no Integer, which is ignored", { "upload-complete": "?0", "upload-length": "abc" }, 201],
    ["a negative length, which is ignored", { "upload-complete": "?0", "upload-length": "-1" }, 201],
    ["the largest length", { "upload-complete": "?0", "upload-length": "1000" }, 201],
    ["one more", { "upload-complete": "?0", "upload-length": "1001" }, 413],
    ["two lengths that differ", { "upload-complete": "?1", "upload-length": "100" }, 400],
    ["two lengths that agree", { "upload-complete": "?1", "upload-length": "5" }, 201],
  ])("4.1 with %s", async (_what, headers, status) => {
    const { handle } = setUp({ maxBytes: 1_000 });
    const response = await handle(creation(headers, "hello"));
    expect(response.status).toBe(status);
    if (status === 400) expect(response.headers.get("upload-complete")).toBe("?0");
    if (status === 413) expect(response.headers.get("upload-limit")).toContain("max-size=1000");
  });

  test("7.3 lengths that contradict each other have a problem type", async () => {
    const response = await setUp().handle(creation({ "upload-complete": "?1", "upload-length": "100" }, "hello"));
    expect([response.headers.get("content-type"), await response.json()]).toMatchObject([
      "application/problem+json",
      { type: `${PROBLEM}inconsistent-upload-length`, status: 400 },
    ]);
    expect(response.headers.get("upload-limit")).toContain("max-size="); // the length may be one that is too large
  });

  test("4.2 a body that a host has cut is not the whole", async () => {
    const onComplete = vi.fn();
    const { handle } = setUp({ onComplete });
    const response = await handle(creation({ "upload-complete": "?1", "content-length": "9" }, "hello"));
    expect([response.status, response.headers.get("upload-complete")]).toEqual([400, "?0"]);
    expect(onComplete).not.toHaveBeenCalled();
  });

  test.each([
    ['inline; filename="a \\"b\\".txt"', 'a "b".txt'],
    ["inline; filename=plain.txt", "plain.txt"],
    ["inline; filename=\"x\"; filename*=UTF-8''%C3%BC%20b.txt", "ü b.txt"],
    ["inline; filename=\"x\"; filename*=UTF-8''%ZZ", "x"],
    ["inline", undefined],
  ])("4.2.1 Content-Disposition %s tells the name %s", async (header, name) => {
    const { handle, storage } = setUp();
    const path = await create(handle, { "content-disposition": header, "content-type": "text/plain" });
    const upload = await storage.head(path.slice(BASE.length));
    expect(upload?.metadata).toEqual({ ...(name === undefined ? {} : { filename: name }), filetype: "text/plain" });
  });

  test("the content coding stays the upload's: offsets count the coded bytes, and the application is told", async () => {
    const onCreate = vi.fn();
    const { handle, storage } = setUp({ onCreate });
    const response = await handle(creation({ "upload-complete": "?1", "content-encoding": "gzip" }, "coded"));
    expect(told(response)).toEqual([201, "5", "?1"]);
    expect(onCreate.mock.calls[0]?.[0]).toMatchObject({ metadata: { encoding: "gzip" } });
    expect(await storedText(storage, idIn(response))).toBe("coded");
  });

  test("4.2.2 a creation that breaks off is kept for a sender that knows the address, and only then", async () => {
    for (const sendInterim of [undefined, vi.fn()]) {
      const ids: string[] = [];
      const { handle, storage } = setUp({ sendInterim, onCreate: ({ id }) => void ids.push(id) });
      const body = new HandBody();
      body.give("abc");
      const answer = handle(creation({ "upload-complete": "?1", ...DRAFT }, body.stream));
      await vi.waitFor(async () => expect((await storage.head(ids[0]!))?.offset).toBe(3));
      body.breakOff();
      await answer;
      const upload = await storage.head(ids[0]!);
      expect([upload?.offset, upload?.phase]).toEqual(
        sendInterim === undefined ? [undefined, undefined] : [3, "receiving"],
      );
    }
  });
});

describe("offset retrieval", () => {
  test.each(["HEAD", "GET"])("4.3 %s tells offset, completeness, length and limits, not to be kept", async (method) => {
    const clock = createManualClock();
    const { handle } = setUp({ clock, maxBytes: 1_000 });
    const path = await create(handle, { "upload-length": "100" }, "hello");
    clock.advance(10_500);
    const response = await handle(send(method, path));
    expect([response.status, Object.fromEntries(response.headers)]).toEqual([
      204,
      {
        "cache-control": "no-store",
        "upload-complete": "?0",
        "upload-draft-interop-version": "8",
        "upload-length": "100",
        "upload-limit": "max-size=1000, max-age=86389",
        "upload-offset": "5",
      },
    ]);
  });

  test("4.3 the length is told once it is known: by the end at the latest", async () => {
    const { handle } = setUp();
    const path = await create(handle);
    expect((await handle(send("HEAD", path))).headers.has("upload-length")).toBe(false);
    await handle(patch(path, 0, true, "hello"));
    const response = await handle(send("HEAD", path));
    expect([...told(response), response.headers.get("upload-length")]).toEqual([204, "5", "?1", "5"]);
  });

  test.each(["upload-offset", "upload-complete"])("4.3.1 HEAD with %s is no HEAD", async (name) => {
    const { handle } = setUp();
    const path = await create(handle);
    expect((await handle(send("HEAD", path, { [name]: name === "upload-offset" ? "10" : "?0" }))).status).toBe(400);
  });

  test("4.6 HEAD ends an append, and the offset that it tells is taken", async () => {
    const { handle, storage } = setUp();
    const path = await create(handle);
    const body = new HandBody();
    const first = handle(patch(path, 0, true, body.stream));
    body.give("abc");
    await vi.waitFor(async () => expect((await storage.head(path.slice(BASE.length)))?.offset).toBe(3));
    expect(told(await handle(send("HEAD", path)))).toEqual([204, "3", "?0"]);
    expect((await first).status).toBe(409);
    expect(told(await handle(patch(path, 3, true, "def")))).toEqual([204, "6", "?1"]);
    expect(heldCount()).toBe(0);
  });
});

describe("cancellation", () => {
  test("4.5 DELETE ends what is under way, and the upload is gone", async () => {
    const { handle } = setUp();
    const path = await create(handle);
    const body = new HandBody();
    const first = handle(patch(path, 0, false, body.stream));
    await vi.waitFor(() => expect(heldCount()).toBe(1));
    expect((await handle(send("DELETE", path))).status).toBe(204);
    expect([409, 404]).toContain((await first).status);
    for (const request of [send("HEAD", path), patch(path, 0, false, "a"), send("DELETE", path)]) {
      expect((await handle(request)).status).toBe(404);
    }
  });

  test("4.5 a complete upload can be removed, an unknown one not, and an expired one is gone", async () => {
    const clock = createManualClock();
    const { handle } = setUp({ clock, expiresMs: 1_000 });
    const done = await handle(creation({ "upload-complete": "?1" }, "hello"));
    const open = await create(handle);
    expect((await handle(send("DELETE", `${BASE}${idIn(done)}`))).status).toBe(204);
    expect((await handle(send("DELETE", `${BASE}nothing`))).status).toBe(404);
    clock.advance(1_000);
    expect((await handle(send("HEAD", open))).status).toBe(410);
  });
});

describe("limits", () => {
  test("4.1.4 OPTIONS tells the type and the limits, also with Upload-Complete", async () => {
    const { handle } = setUp({ maxBytes: 1_000, maxAppendBytes: 100 });
    for (const headers of [{}, { "upload-complete": "?1" }]) {
      const response = await handle(send("OPTIONS", "/project/files", headers));
      expect([response.status, response.headers.get("accept-patch")]).toEqual([204, "application/partial-upload"]);
      expect(response.headers.get("upload-limit")).toBe("max-size=1000, max-append-size=100, max-age=86400");
    }
  });

  test("4.1.4 a request of more than max-append-size is 413 with the limits, at one past it", async () => {
    const { handle } = setUp({ maxBytes: 1_000, maxAppendBytes: 5 });
    const path = await create(handle, {}, "hello");
    const refused = [
      await handle(creation({ "upload-complete": "?0" }, "hello!")),
      await handle(patch(path, 5, false, "world!")),
    ];
    for (const { status, headers } of refused) {
      expect([status, headers.get("upload-limit")]).toEqual([413, expect.stringContaining("max-append-size=5")]);
    }
    expect(told(await handle(patch(path, 5, false, "world")))).toEqual([204, "10", "?0"]);
  });

  test("4.1.4 an upload of unknown length stops at max-size", async () => {
    const { handle } = setUp({ maxBytes: 5 });
    const path = await create(handle, {}, "hello");
    const response = await handle(patch(path, 5, false, "!"));
    expect([response.status, response.headers.get("upload-limit")]).toEqual([
      413,
      expect.stringContaining("max-size=5"),
    ]);
    expect(told(await handle(patch(path, 5, true, "")))).toEqual([204, "5", "?1"]);
  });

  test.each([
    ["POST", `${BASE}${"0".repeat(32)}`, 405],
    ["GET", "/project/files", 405],
    ["DELETE", "/project/files", 405],
    ["POST", `${BASE}x`, 404],
  ])("%s %s is %s", async (method, path, status) => {
    const { handle } = setUp();
    expect((await handle(send(method, path))).status).toBe(status);
  });
});
