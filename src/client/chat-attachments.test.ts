// Uploads as files of a message: which of them, under which address, and of which type.

import { describe, expect, test } from "vitest";
import { filesOfUploads } from "./chat-attachments.ts";
import type { UploadItem } from "./upload-view.ts";

/** As much of an upload as is looked at. */
function uploadOf(name: string, status: UploadItem["status"], url: string | null = `/tus/${name}`): UploadItem {
  const result = status === "done" ? { url, id: name, name, bytes: 1, sha256: null } : null;
  return { id: name, name, type: name.endsWith(".png") ? "image/png" : "", status, result } as UploadItem;
}

describe("filesOfUploads()", () => {
  test("gives what is done, in its order, with a type that says nothing where none is known", () => {
    const all = [uploadOf("a.png", "done"), uploadOf("b", "sending"), uploadOf("c", "failed"), uploadOf("d", "done")];
    expect(filesOfUploads(all, undefined)).toEqual([
      { url: "/tus/a.png", mediaType: "image/png", filename: "a.png" },
      { url: "/tus/d", mediaType: "application/octet-stream", filename: "d" },
    ]);
  });

  test("an address that nobody knows is input_invalid, and urlOf knows it", () => {
    const raw = [uploadOf("a.png", "done", null)];
    expect(() => filesOfUploads(raw, undefined)).toThrow(expect.objectContaining({ code: "input_invalid" }));
    expect(filesOfUploads(raw, ({ id }) => `/files/${id}`)[0]?.url).toBe("/files/a.png");
  });
});
