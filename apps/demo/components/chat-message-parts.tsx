// The parts of an answer, in their order: text, and folded what led to it.

"use client";

import { memo, type ReactElement, type ReactNode, useState } from "react";
import type { ChatMessage } from "tailrace/react";
import { safeHref } from "../lib/markdown-links.ts";
import { GrowingMarkdown } from "./markdown-growing.tsx";

/** How much of a tool's input or output is shown. */
const MAX_JSON_CHARS = 20_000;

export type Part = ChatMessage["parts"][number];
type ToolPart = Extract<Part, { readonly toolCallId: string }>;

interface PartProps {
  readonly part: Part;
  readonly isGrowing: boolean;
}

/** A part that has not changed is the same object, and is not drawn again. */
export const PartView = memo(function PartView({ part, isGrowing }: PartProps): ReactNode {
  switch (part.type) {
    case "text":
      return (
        <div className="prose">
          <GrowingMarkdown text={part.text} isGrowing={isGrowing} />
        </div>
      );
    case "reasoning":
      return part.text === "" ? null : (
        <Folded title={isGrowing ? "Reasoning…" : "Reasoning"}>
          {() => (
            <div className="prose">
              <GrowingMarkdown text={part.text} isGrowing={isGrowing} />
            </div>
          )}
        </Folded>
      );
    case "file": {
      const href = safeHref(part.url);
      return href === undefined ? null : (
        <p>
          <a href={href} rel="noreferrer">
            File ({part.mediaType})
          </a>
        </p>
      );
    }
    default:
      return "toolCallId" in part ? <ToolView part={part} /> : null;
  }
});

/** What is folded is not drawn until it is opened. */
function Folded({ title, children }: { readonly title: string; readonly children: () => ReactNode }): ReactElement {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="message-folded" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      <div className="message-folded-content">{isOpen ? children() : null}</div>
    </details>
  );
}

function ToolView({ part }: { readonly part: ToolPart }): ReactElement {
  const name = part.title ?? part.toolName ?? part.type.replace(/^tool-/, "");
  return (
    <Folded title={`Tool ${name}: ${toolWords(part)}`}>
      {() => (
        <>
          <Json name="Input" value={part.input ?? part.rawInput} />
          {part.errorText === undefined ? null : <p className="message-end-bad">{part.errorText}</p>}
          <Json name="Output" value={part.output} />
        </>
      )}
    </Folded>
  );
}

function toolWords({ state }: ToolPart): string {
  switch (state) {
    case "input-streaming":
      return "being called";
    case "input-available":
    case "approval-responded":
      return "running";
    case "approval-requested":
      return "asks for approval";
    case "output-available":
      return "done";
    case "output-error":
      return "failed";
    case "output-denied":
      return "not allowed";
  }
}

function Json({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode {
  if (value === undefined) return null;
  const text = typeof value === "string" ? value : (JSON.stringify(value, undefined, 2) ?? "");
  return (
    <figure>
      <figcaption>{name}</figcaption>
      <pre tabIndex={0}>{text.length > MAX_JSON_CHARS ? `${text.slice(0, MAX_JSON_CHARS)}…` : text}</pre>
    </figure>
  );
}
