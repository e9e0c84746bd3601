"use client";
// The files of a message that is being written: uploaded while the reader writes on, and sent as addresses.

import { useCallback, useMemo } from "react";
import { filesOfUploads, type UrlOf } from "../client/chat-attachments.ts";
import type { ChatFile } from "../client/chat-types.ts";
import { useUpload, type UseUpload, type UseUploadOptions } from "./use-upload.ts";

/** Options of {@link useAttachments}: those of `useUpload`, and where a file is found again. */
export interface UseAttachmentsOptions extends UseUploadOptions {
  /** The address under which the message names an uploaded file. Default: where the server says that the upload lies (tus). */
  readonly urlOf?: UrlOf | undefined;
}

/** What {@link useAttachments} gives. */
export interface UseAttachments extends UseUpload {
  /** What is uploaded, for `send({ text, files })`; in the order in which they were added. */
  readonly files: readonly ChatFile[];
  /** Whether a file is still on its way, or waits because it has failed: what is sent now goes without it. */
  readonly isPending: boolean;
  /** Takes all files off the message, after it was sent. What is on its way is aborted. */
  readonly clear: () => void;
}

/**
 * Uploads the files of a message to `url` while it is being written.
 *
 * @throws {TailraceError} `input_invalid` if the server did not say where an upload lies and no `urlOf` does
 *
 * @example
 * const attachments = useAttachments("/api/tus/");
 * if (chat.send({ text, files: attachments.files })) attachments.clear();
 */
export function useAttachments(url: string | URL, options: UseAttachmentsOptions = {}): UseAttachments {
  const { urlOf, ...rest } = options;
  const upload = useUpload(url, rest);
  const { uploads, remove } = upload;
  const files = useMemo(() => filesOfUploads(uploads, urlOf), [uploads, urlOf]);
  const isPending = files.length < uploads.length;
  const clear = useCallback(() => {
    for (const { id } of uploads) remove(id);
  }, [uploads, remove]);
  return useMemo(() => ({ ...upload, files, isPending, clear }), [upload, files, isPending, clear]);
}
