// The interim response 104 of the IETF draft: what it says, and to whom it goes.

import { describe, expect, test, vi } from "vitest";
import { resumableUpload } from "./ietf.ts";
import { BASE, handlerOf, idIn, send, type SentHeaders } from "./sent.test-support.ts";

const DRAFT = { "upload-draft-interop-version": "8" };

const creation = (headers: SentHeaders): Request => send("POST", "/project/files", headers, "hello");

describe("104", () => {
  test("5 a host that can sends 104 with the same address, and the version", async () => {
    const interim: unknown[] = [];
    const { handle } = handlerOf(resumableUpload, {
      sendInterim: (status, headers) => interim.push([status, headers]),
    });
    const response = await handle(creation({ "upload-complete": "?0", ...DRAFT }));
    expect(interim).toEqual([
      [
        104,
        {
          location: response.headers.get("location"),
          "upload-limit": response.headers.get("upload-limit"),
          "upload-draft-interop-version": "8",
        },
      ],
    ]);
  });

  test.each<[string, SentHeaders]>([
    ["no version", {}],
    ["an older version", { "upload-draft-interop-version": "6" }],
    ["a newer version", { "upload-draft-interop-version": "9" }],
    ["no Integer", { "upload-draft-interop-version": "8.0" }],
  ])("the draft's version: a request of %s gets no 104, and is served all the same", async (_what, headers) => {
    const sendInterim = vi.fn();
    const { handle } = handlerOf(resumableUpload, { sendInterim });
    const response = await handle(creation({ "upload-complete": "?0", ...headers }));
    expect([response.status, response.headers.get("upload-offset")]).toEqual([201, "5"]);
    const rest = { "content-type": "application/partial-upload", "upload-offset": "5", "upload-complete": "?1" };
    const last = await handle(send("PATCH", `${BASE}${idIn(response)}`, { ...rest, ...headers }, "!"));
    expect([last.status, last.headers.get("upload-complete")]).toEqual([204, "?1"]);
    expect(sendInterim).not.toHaveBeenCalled();
  });
});
