// Which files a message takes, and what is said of them.

import type { UploadItem } from "tailrace/react";
import { sizeWords } from "./transfer-words.ts";

/** The most files of one message. */
export const MAX_ATTACHMENTS = 20;
/** The largest of them, in bytes: 25 MB. */
export const MAX_ATTACHMENT_BYTES = 25_000_000;

/** What is said of files of which not all are taken; empty if all are. `count`: how many there are already. */
export function refusalOf(files: readonly { readonly name: string; readonly size: number }[], count: number): string {
  const large = files.find(({ size }) => size > MAX_ATTACHMENT_BYTES);
  if (large !== undefined) {
    return `${large.name} has ${sizeWords(large.size)}; a file of a message has at most ${sizeWords(MAX_ATTACHMENT_BYTES)}.`;
  }
  return files.length + count > MAX_ATTACHMENTS ? `A message has at most ${MAX_ATTACHMENTS} files.` : "";
}

/** How far a file is, in a few words. */
export function attachmentWords({
  status,
  bytesSent,
  totalBytes,
  error,
}: Pick<UploadItem, "status" | "bytesSent" | "totalBytes" | "error">): string {
  switch (status) {
    case "done":
      return sizeWords(totalBytes);
    case "failed":
      return error?.message ?? "Failed";
    case "waiting":
      return "Connection lost, tried again by itself";
    default:
      return totalBytes === 0 ? "0 %" : `${Math.floor((bytesSent / totalBytes) * 100)} %`;
  }
}
