// The headers by which a reply of rows becomes a file to save.

import { contentDisposition } from "../http/content-disposition.ts";

/** What makes an attachment of a reply. */
export interface AttachmentOptions {
  /**
   * The name of the file that a browser saves the reply as (RFC 6266, with `filename*` where the name is not ASCII). Default: no attachment.
   */
  readonly filename?: string | undefined;
}

/** `given`, with a Content-Disposition for `filename`. */
export function attachmentHeaders(given: HeadersInit | undefined, filename: string | undefined): Headers {
  const headers = new Headers(given);
  if (filename === undefined) return headers;
  headers.set("content-disposition", contentDisposition("attachment", filename));
  return headers;
}

/** Whether `headers` tell a browser to save the reply. */
export function isAttachment(headers: Headers): boolean {
  return /^\s*attachment\s*(?:;|$)/i.test(headers.get("content-disposition") ?? "");
}
