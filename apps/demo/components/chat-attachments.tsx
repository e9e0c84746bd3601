// Files that go with the next message: uploaded while it is being written, and shown above it.

"use client";

import { type ReactElement, type RefObject, useCallback, useEffect, useMemo, useRef } from "react";
import { type ChatFile, type UploadItem, useUpload } from "tailrace/react";
import { attachmentWords, MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, refusalOf } from "../lib/chat-files.ts";
import { Icon } from "./chat-icons.tsx";
import { sayFrom } from "./chat-said.tsx";
import { useDroppedFiles } from "./use-dropped-files.ts";

/** What {@link useAttachments} gives. */
export interface Attachments {
  readonly items: readonly UploadItem[];
  /** Whether all of them are where a message can name them. */
  readonly areReady: boolean;
  /** Whether files are dragged over the page. */
  readonly isOver: boolean;
  readonly add: (files: readonly File[], refusal?: string) => void;
  readonly remove: (id: string) => void;
  /** What a message says of them; they are taken out of the list. */
  readonly take: () => readonly ChatFile[];
}

/** `place`: an element of the page, from which is said what happens. `onProblem`: what was refused, and why. */
export function useAttachments(place: RefObject<Element | null>, onProblem: (problem: string) => void): Attachments {
  const {
    uploads,
    add: upload,
    remove,
    announcement,
  } = useUpload("/api/upload", {
    protocol: "raw",
    onUnmount: "abort",
  });
  const count = useRef(0);
  useEffect(() => {
    count.current = uploads.length;
  });
  useEffect(() => {
    if (announcement !== "") sayFrom(place.current, announcement);
  }, [announcement, place]);
  const add = useCallback(
    (files: readonly File[], refusal = "") => {
      const isTaken = (file: File): boolean => file.size <= MAX_ATTACHMENT_BYTES;
      const taken = files.filter(isTaken).slice(0, MAX_ATTACHMENTS - count.current);
      onProblem(refusal || refusalOf(files, count.current));
      if (taken.length > 0) upload(taken);
    },
    [upload, onProblem],
  );
  const isOver = useDroppedFiles(add);
  const take = useCallback((): readonly ChatFile[] => {
    const files = uploads.flatMap(({ name, type, result }) =>
      result === null
        ? []
        : {
            url: `/api/download/uploads/${encodeURIComponent(result.name)}`,
            mediaType: type || "application/octet-stream",
            filename: name,
          },
    );
    for (const { id } of uploads) remove(id);
    return files;
  }, [uploads, remove]);
  const areReady = uploads.every(({ status }) => status === "done");
  return useMemo(
    () => ({ items: uploads, areReady, isOver, add, remove, take }),
    [uploads, areReady, isOver, add, remove, take],
  );
}

interface ListProps {
  readonly items: readonly UploadItem[];
  readonly onRemove: (id: string) => void;
}

export function AttachmentList({ items, onRemove }: ListProps): ReactElement | null {
  if (items.length === 0) return null;
  return (
    <ul className="attachments" aria-label="Files of the next message">
      {items.map((item) => (
        <li key={item.id} data-testid="attachment" data-status={item.status}>
          <span className="attachment-name" title={item.name}>
            {item.name}
          </span>
          <span className="attachment-state">{attachmentWords(item)}</span>
          <button
            type="button"
            className="icon-button"
            aria-label={`Remove ${item.name}`}
            onClick={() => onRemove(item.id)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
