// One conversation in the list: its title as a link, and under it, when asked for, what can be done to it.

"use client";

import Link from "next/link";
import { type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from "react";
import type { ChatList, ListedChat } from "../lib/chat-list.ts";
import { Icon } from "./chat-icons.tsx";
import { sayFrom } from "./chat-said.tsx";

const MAX_TITLE_CHARS = 200;

interface RowProps {
  readonly chat: ListedChat;
  readonly isOpen: boolean;
  readonly list: ChatList;
  readonly onChoose: (id: string) => void;
  /** Deletes it; gives what went wrong. */
  readonly onRemove: (id: string, row: Element | null) => Promise<string>;
}

type Mode = "closed" | "actions" | "rename" | "delete";

export function ChatListRow({ chat, isOpen, list, onChoose, onRemove }: RowProps): ReactElement {
  const { id, title } = chat;
  const [mode, setMode] = useState<Mode>("closed");
  const row = useRef<HTMLLIElement>(null);
  const toggle = useRef<HTMLButtonElement>(null);
  const actionsId = useId();

  const close = (): void => {
    setMode("closed");
    toggle.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || mode === "closed") return;
    // Not for the dialog that the list may stand in.
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  const rename = async (name: string): Promise<void> => {
    close();
    if (name === title) return;
    const problem = await list.rename(id, name);
    sayFrom(row.current, problem || "Renamed");
  };
  const remove = async (): Promise<void> => {
    // The row goes away: its list says it.
    const around = row.current?.parentElement ?? null;
    const problem = await onRemove(id, row.current);
    sayFrom(around, problem || "Conversation deleted");
  };

  return (
    <li ref={row} className="chats-row" data-testid="chat-row" data-id={id} onKeyDown={onKeyDown}>
      {mode === "rename" ? (
        <TitleField title={title} onSave={(name) => void rename(name)} onCancel={close} />
      ) : (
        <Link
          href={`/chat?id=${encodeURIComponent(id)}`}
          prefetch={false}
          title={title}
          aria-current={isOpen ? "page" : undefined}
          onClick={() => onChoose(id)}
        >
          {title}
        </Link>
      )}
      <button
        ref={toggle}
        type="button"
        className="icon-button"
        aria-label={`Options: ${title}`}
        aria-expanded={mode !== "closed"}
        aria-controls={mode === "actions" || mode === "delete" ? actionsId : undefined}
        onClick={() => setMode(mode === "closed" ? "actions" : "closed")}
      >
        <Icon name="more" />
      </button>
      {mode === "actions" ? (
        <div id={actionsId} className="chats-actions">
          <button type="button" className="text-button" onClick={() => setMode("rename")}>
            Rename
          </button>
          <a href={`/api/chat/${encodeURIComponent(id)}`} download>
            Download
          </a>
          <button type="button" className="text-button" onClick={() => setMode("delete")}>
            Delete
          </button>
        </div>
      ) : null}
      {mode === "delete" ? (
        <div id={actionsId} className="chats-actions" role="group" aria-label={`Delete ${title} for good?`}>
          <span>For good?</span>
          <FocusedButton className="text-button chats-delete" onClick={() => void remove()}>
            Delete
          </FocusedButton>
          <button type="button" className="text-button" onClick={close}>
            Keep
          </button>
        </div>
      ) : null}
    </li>
  );
}

interface FocusedButtonProps {
  readonly className: string;
  readonly onClick: () => void;
  readonly children: string;
}

/** Takes the place of the button that was pressed, and its focus. */
function FocusedButton({ className, onClick, children }: FocusedButtonProps): ReactElement {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  return (
    <button ref={button} type="button" className={className} onClick={onClick}>
      {children}
    </button>
  );
}

interface TitleFieldProps {
  readonly title: string;
  readonly onSave: (title: string) => void;
  readonly onCancel: () => void;
}

function TitleField({ title, onSave, onCancel }: TitleFieldProps): ReactElement {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  return (
    <form
      className="chats-rename"
      onSubmit={(event) => {
        event.preventDefault();
        const name = field.current?.value.trim() ?? "";
        if (name === "") onCancel();
        else onSave(name);
      }}
    >
      <input ref={field} defaultValue={title} maxLength={MAX_TITLE_CHARS} aria-label={`New title for ${title}`} />
    </form>
  );
}
