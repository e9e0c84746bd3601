// One message of a conversation: its text, its sources, and how it ended.

"use client";

import Link from "next/link";
import { memo, type ReactElement, type ReactNode } from "react";
import type { ChatMessage } from "tailrace/react";
import { safeHref } from "../lib/markdown-links.ts";
import { type Part, PartView } from "./chat-message-parts.tsx";

interface MessageProps {
  readonly message: ChatMessage;
  /** Whether this one is being written. */
  readonly isGrowing: boolean;
  /** Others have come after it: it need not be laid out as long as it is out of sight. */
  readonly isOld?: boolean | undefined;
  /** How fast it came, where that is known. */
  readonly note?: string | undefined;
}

type SourcePart = Extract<Part, { readonly type: "source-url" }>;

/** Messages that have not changed are the same objects, and are not drawn again. */
export const Message = memo(function Message(props: MessageProps): ReactElement {
  const { message, isGrowing, isOld = false, note } = props;
  const { parts } = message;
  const isOwn = message.role === "user";
  return (
    <article
      className={`message${isOwn ? " message-own" : ""}${isOld ? " message-old" : ""}`}
      data-testid="message"
      data-role={message.role}
      data-end={message.end?.reason}
      aria-busy={isGrowing}
      aria-label={isOwn ? "You" : "Answer"}
    >
      <div
        className={isOwn ? "message-plain" : "message-parts"}
        data-testid="message-text"
        data-length={lengthOf(parts)}
      >
        {isOwn
          ? parts.map((part) => (part.type === "text" ? part.text : "")).join("")
          : parts.map((part, index) => (
              <PartView
                key={index}
                part={part}
                isGrowing={isGrowing && "state" in part && part.state === "streaming"}
              />
            ))}
      </div>
      <Sources parts={parts} />
      <End message={message} />
      {note === undefined ? null : <p className="message-note">{note}</p>}
    </article>
  );
});

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0);
}

function Sources({ parts }: { readonly parts: readonly Part[] }): ReactNode {
  const sources = new Map(
    parts.filter((part): part is SourcePart => part.type === "source-url").map((part) => [part.sourceId, part]),
  );
  if (sources.size === 0) return null;
  return (
    <nav className="message-sources" aria-label="Sources of this answer">
      <span aria-hidden>Sources</span>
      <ul>
        {[...sources.values()].map((source) => (
          <li key={source.sourceId}>
            <SourceLink source={source} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function SourceLink({ source: { url, title } }: { readonly source: SourcePart }): ReactNode {
  const name = title ?? url;
  const href = safeHref(url);
  if (href === undefined) return name;
  // A page of this site; `//` would be another one.
  if (/^\/(?!\/)/.test(href)) {
    return (
      <Link href={href} prefetch={false}>
        {name}
      </Link>
    );
  }
  return (
    <a href={href} rel="noreferrer">
      {name}
    </a>
  );
}

/** How the message ended, unless all went well. */
function End({ message: { end, delivery } }: { readonly message: ChatMessage }): ReactNode {
  if (delivery === "failed") return <p className="message-end message-end-bad">Not sent</p>;
  switch (end?.reason) {
    case "stopped":
      return <p className="message-end">Stopped</p>;
    case "interrupted":
      return <p className="message-end message-end-bad">Interrupted: the server went away while this was written</p>;
    case "failed":
      return <p className="message-end message-end-bad">{failure(end.message)}</p>;
    default:
      return null;
  }
}

function failure(message: string | undefined): string {
  return message === undefined || message === "" ? "Failed" : `Failed: ${message}`;
}
