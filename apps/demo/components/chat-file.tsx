// A file of a message: a picture as one, anything else as a link to it.

import type { ReactNode } from "react";
import type { ChatMessage } from "tailrace/react";
import { safeHref } from "../lib/markdown-links.ts";

export type FilePart = Extract<ChatMessage["parts"][number], { readonly type: "file" }>;

/** What browsers show as a picture, but for SVG: that is a document. */
const PICTURE = /^image\/(?:png|jpeg|gif|webp|avif)$/;

export function FileView({ file: { url, mediaType, filename } }: { readonly file: FilePart }): ReactNode {
  const href = safeHref(url);
  if (href === undefined) return null;
  const name = filename ?? `File (${mediaType})`;
  return (
    <a className="message-file" href={href} rel="noreferrer" data-testid="file" title={name}>
      {/* From this server only: a picture from elsewhere would tell who reads. */}
      {PICTURE.test(mediaType) && /^\/(?!\/)/.test(href) ? (
        <img src={href} alt={name} loading="lazy" />
      ) : (
        <span className="message-file-name">{name}</span>
      )}
    </a>
  );
}
