// Where an answer comes from: its sources as links, each once.

import Link from "next/link";
import type { ReactNode } from "react";
import { safeHref } from "../lib/markdown-links.ts";
import type { Part } from "./chat-message-parts.tsx";

type SourcePart = Extract<Part, { readonly type: "source-url" }>;

export function Sources({ parts }: { readonly parts: readonly Part[] }): ReactNode {
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
