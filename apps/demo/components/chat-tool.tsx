// A call of a tool: folded, with what went in and what came out; open, with two buttons, where it asks whether it may run.

"use client";

import { type ReactElement, type ReactNode, useId, useState } from "react";
import type { ApprovalAnswer, ChatMessage } from "tailrace/react";
import { toolName, toolWords } from "../lib/chat-words.ts";
import { sayFrom } from "./chat-said.tsx";

/** How much of a tool's input or output is shown. */
const MAX_JSON_CHARS = 20_000;

export type ToolPart = Extract<ChatMessage["parts"][number], { readonly toolCallId: string }>;

interface ToolProps {
  readonly part: ToolPart;
  /** Whether its answer has ended: nothing more comes by itself. */
  readonly isEnded: boolean;
  /** False if nobody asks any more. */
  readonly onApproval: (answer: ApprovalAnswer) => boolean;
}

export function ToolView({ part, isEnded, onApproval }: ToolProps): ReactElement {
  if (part.state === "approval-requested" && part.approval !== undefined) {
    return <Approval part={part} approvalId={part.approval.id} onApproval={onApproval} />;
  }
  return (
    <Folded title={`${toolName(part)}: ${toolWords(part, isEnded)}`}>
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

interface ApprovalProps extends Pick<ToolProps, "part" | "onApproval"> {
  readonly approvalId: string;
}

function Approval({ part, approvalId, onApproval }: ApprovalProps): ReactElement {
  const id = useId();
  const respond = (approved: boolean, from: Element): void => {
    // The buttons go away; the focus stays in the conversation.
    const section = from.closest("section");
    const isTaken = onApproval({ approvalId, approved });
    sayFrom(section, isTaken ? (approved ? "Allowed" : "Not allowed") : "It does not ask any more");
    section?.focus();
  };
  return (
    <div className="approval" role="group" aria-labelledby={id} data-testid="approval">
      <p id={id}>
        May <strong>{toolName(part)}</strong> run?
      </p>
      <Json name="Input" value={part.input ?? part.rawInput} />
      <div className="approval-answers">
        <button
          type="button"
          className="button button-small button-primary"
          onClick={(event) => respond(true, event.currentTarget)}
        >
          Allow
        </button>
        <button type="button" className="button button-small" onClick={(event) => respond(false, event.currentTarget)}>
          Do not allow
        </button>
      </div>
    </div>
  );
}

/** What is folded is not drawn until it is opened. */
export function Folded({
  title,
  children,
}: {
  readonly title: string;
  readonly children: () => ReactNode;
}): ReactElement {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="message-folded" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      <div className="message-folded-content">{isOpen ? children() : null}</div>
    </details>
  );
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
