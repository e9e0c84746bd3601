// What can be done with a message: copy it, say it in other words, ask again, and look at its other versions.

"use client";

import { type ReactElement, type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import type { Chat } from "tailrace/client";
import { messageText, type MessageBranch, type ThreadMessage } from "tailrace/react";
import { Icon } from "./chat-icons.tsx";
import { sayFrom } from "./chat-said.tsx";

/** How long "Copied" stays. */
const COPIED_MS = 2_000;

/** A version that the reader has gone to: its message takes the focus that the other one's button had. */
export interface BranchStep {
  readonly id: string;
  readonly by: "previous" | "next";
}

interface ActionsProps {
  readonly chat: Chat;
  readonly message: ThreadMessage;
  readonly stepRef: RefObject<BranchStep | null>;
  /** Absent where it cannot be said in other words. */
  readonly onEdit?: (() => void) | undefined;
  readonly children?: ReactNode;
}

export function MessageActions({ chat, message, stepRef, onEdit, children }: ActionsProps): ReactElement {
  const isOwn = message.role === "user";
  const again = (from: Element): void => {
    // The button goes away; the focus stays in the conversation.
    const section = from.closest("section");
    if (chat.regenerate(message.id)) section?.focus();
  };
  return (
    <div className="message-actions">
      {message.branch === undefined ? null : (
        <Branches chat={chat} messageId={message.id} branch={message.branch} isOwn={isOwn} stepRef={stepRef} />
      )}
      {messageText(message) === "" ? null : <CopyMessage message={message} isOwn={isOwn} />}
      {onEdit === undefined ? null : (
        <button
          type="button"
          className="icon-button"
          data-testid="edit"
          aria-label="Edit your message"
          title="Edit"
          onClick={onEdit}
        >
          <Icon name="edit" />
        </button>
      )}
      {isOwn ? null : (
        <button
          type="button"
          className="icon-button"
          data-testid="again"
          aria-label="Answer again"
          title="Answer again"
          onClick={(event) => again(event.currentTarget)}
        >
          <Icon name="again" />
        </button>
      )}
      {children}
    </div>
  );
}

interface BranchesProps extends Pick<ActionsProps, "chat" | "stepRef"> {
  readonly messageId: string;
  readonly branch: MessageBranch;
  readonly isOwn: boolean;
}

function Branches({ chat, messageId, branch, isOwn, stepRef }: BranchesProps): ReactElement {
  const { index, count, previousId, nextId } = branch;
  const group = useRef<HTMLDivElement>(null);
  const previous = useRef<HTMLButtonElement>(null);
  const next = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (stepRef.current?.id !== messageId) return;
    const [wanted, other] = stepRef.current.by === "previous" ? [previous, next] : [next, previous];
    stepRef.current = null;
    // At the last version its button is no way on.
    (wanted.current?.disabled === false ? wanted : other).current?.focus();
    sayFrom(group.current, `Version ${index + 1} of ${count}`);
  }, [stepRef, messageId, index, count]);

  const go = (by: BranchStep["by"], id: string | undefined): void => {
    if (id === undefined) return;
    stepRef.current = { id, by };
    void chat.switchBranch(id).then((isShown) => {
      if (!isShown) stepRef.current = null;
    });
  };
  const what = isOwn ? "your message" : "the answer";
  return (
    <div ref={group} className="message-branches" role="group" aria-label={`Versions of ${what}`}>
      <button
        ref={previous}
        type="button"
        className="icon-button"
        aria-label={`Previous version of ${what}`}
        disabled={previousId === undefined}
        onClick={() => go("previous", previousId)}
      >
        <Icon name="previous" />
      </button>
      <span>
        <span className="visually-hidden">Version </span>
        {index + 1} / {count}
      </span>
      <button
        ref={next}
        type="button"
        className="icon-button"
        aria-label={`Next version of ${what}`}
        disabled={nextId === undefined}
        onClick={() => go("next", nextId)}
      >
        <Icon name="next" />
      </button>
    </div>
  );
}

function CopyMessage({ message, isOwn }: { readonly message: ThreadMessage; readonly isOwn: boolean }): ReactElement {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async (button: Element): Promise<void> => {
    try {
      await navigator.clipboard.writeText(messageText(message));
      setCopied(true);
      sayFrom(button, "Message copied");
    } catch {
      // Without https, or without leave, there is no clipboard: marked, it can be copied by hand.
      const text = button.closest("article")?.querySelector("[data-testid=message-text]");
      if (text) window.getSelection()?.selectAllChildren(text);
      sayFrom(button, "Message selected");
    }
  };
  return (
    <button
      type="button"
      className="icon-button"
      data-testid="copy"
      aria-label={isOwn ? "Copy your message" : "Copy the answer"}
      title="Copy"
      onClick={(event) => void copy(event.currentTarget)}
    >
      <Icon name={isCopied ? "done" : "copy"} />
    </button>
  );
}
