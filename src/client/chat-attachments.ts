// Uploads as files of a message: what may be sent with it, and what is still to come.

import { TailraceError } from "../errors.ts";
import type { ChatFile } from "./chat-types.ts";
import type { UploadResult } from "./upload-types.ts";
import type { UploadItem } from "./upload-view.ts";

/** The address under which a message names an uploaded file. */
export type UrlOf = (result: UploadResult) => string;

/** The type that says nothing (RFC 2046, section 4.5.1). */
const UNKNOWN_TYPE = "application/octet-stream";

/**
 * The uploads that are done, as files of a message, in their order.
 *
 * @throws {TailraceError} `input_invalid` if the server did not say where an upload lies and no `urlOf` does
 */
export function filesOfUploads(uploads: readonly UploadItem[], urlOf: UrlOf | undefined): readonly ChatFile[] {
  return uploads.flatMap(({ status, result, name, type }) => {
    if (status !== "done" || result === null) return [];
    const url = urlOf === undefined ? result.url : urlOf(result);
    if (url === null) {
      const message = `The server did not say where it keeps "${name}". Give urlOf, which makes the address from the upload's id.`;
      throw new TailraceError("input_invalid", message, { details: { field: "urlOf" } });
    }
    return [{ url, mediaType: type === "" ? UNKNOWN_TYPE : type, filename: name }];
  });
}
