// What creating and continuing a tus upload have in common.

import type { HeaderList } from "./answer.ts";
import { NOTES } from "./deliver.ts";
import type { UploadInfo } from "./storage.ts";

/** The one version of the protocol that is spoken. */
export const TUS_VERSION = "1.0.0";
export const TUS_TYPE = "application/offset+octet-stream";

/** Whether all bytes are there and the application is to get them: parts are not delivered, only what they make. */
export function isDue(upload: UploadInfo): boolean {
  return upload.phase !== "complete" && !upload.isPartial && upload.offset === upload.lengthBytes;
}

/** tus "Upload-Expires": only what is unfinished expires. RFC 9110 section 5.6.7 has the form. */
export function expiryOf(upload: UploadInfo): HeaderList {
  const isFinished = upload.phase !== "receiving" || isDue(upload);
  return isFinished ? {} : { "upload-expires": new Date(upload.expiresAtMs).toUTCString() };
}

/** tus "Concatenation": whether this upload was made of others. */
export function isFinal(upload: UploadInfo): boolean {
  return upload.notes[NOTES.concat] !== undefined;
}

/** tus "Concatenation": whether this upload was made of others that were not whole, and have not been joined since. */
export function isWaiting(upload: UploadInfo): boolean {
  return (
    upload.notes[NOTES.parts] !== undefined && upload.phase === "receiving" && upload.offset !== upload.lengthBytes
  );
}

/** The media type, whatever its parameters and case. */
export function isType(headers: Headers, type: string): boolean {
  return headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() === type;
}
