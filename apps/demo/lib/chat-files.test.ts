import { describe, expect, test } from "vitest";
import { attachmentWords, MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, refusalOf } from "./chat-files.ts";

const file = (size: number): { name: string; size: number } => ({ name: "a.bin", size });

describe("refusalOf()", () => {
  test("takes files up to the limits, and names the limit one past it", () => {
    expect(refusalOf([file(MAX_ATTACHMENT_BYTES)], 0)).toBe("");
    expect(refusalOf([file(1), file(MAX_ATTACHMENT_BYTES + 1)], 0)).toBe(
      "a.bin has 25.0 MB; a file of a message has at most 25.0 MB.",
    );
    expect(refusalOf([file(1)], MAX_ATTACHMENTS - 1)).toBe("");
    expect(refusalOf([file(1)], MAX_ATTACHMENTS)).toBe("A message has at most 20 files.");
  });
});

describe("attachmentWords()", () => {
  test.each([
    ["10.0 kB", { status: "done", bytesSent: 10_000, totalBytes: 10_000 }],
    ["33 %", { status: "sending", bytesSent: 1, totalBytes: 3 }],
    ["0 %", { status: "queued", bytesSent: 0, totalBytes: 0 }],
    ["Failed", { status: "failed", bytesSent: 0, totalBytes: 1 }],
  ] as const)("says %j", (words, item) => {
    expect(attachmentWords({ ...item, error: null })).toBe(words);
  });
});
