// The bar above a conversation: the way to the others on a narrow screen, its title, and its address for other tabs.

"use client";

import Link from "next/link";
import { type ReactElement, useEffect, useState, useSyncExternalStore } from "react";
import type { Chat } from "tailrace/client";
import { useChatSelector } from "tailrace/react";
import type { ChatList } from "../lib/chat-list.ts";
import { Icon } from "./chat-icons.tsx";
import { sayFrom } from "./chat-said.tsx";

/** How long "Copied" stays. */
const COPIED_MS = 2_000;

interface ChatBarProps {
  readonly chat: Chat;
  readonly list: ChatList;
  readonly onList: () => void;
}

export function ChatBar({ chat, list, onList }: ChatBarProps): ReactElement {
  const address = `/chat?id=${encodeURIComponent(chat.id)}`;
  const [isCopied, setCopied] = useState(false);
  const title = useTitle(chat, list);

  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);

  const copy = async (button: Element): Promise<void> => {
    const link = new URL(address, window.location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
      sayFrom(button, "Link copied");
    } catch {
      // Without https, or without leave, there is no clipboard: the reader copies by hand.
      window.prompt("The link of this conversation", link);
    }
  };

  return (
    <div className="chat-bar">
      <button
        type="button"
        className="icon-button chat-bar-list"
        data-testid="open-list"
        aria-label="Conversations"
        aria-haspopup="dialog"
        onClick={onList}
      >
        <Icon name="menu" />
      </button>
      <h1 title={title}>{title === "" ? "New chat" : title}</h1>
      <a href={address} className="chat-bar-tab" target="_blank" rel="noopener">
        Second tab<span className="visually-hidden"> (opens this conversation once more)</span>
      </a>
      <button type="button" className="text-button" onClick={(event) => void copy(event.currentTarget)}>
        {isCopied ? "Copied" : "Copy link"}
      </button>
      <Link href="/chat" className="chat-bar-new">
        New chat
      </Link>
    </div>
  );
}

/** As the list has it, which hears of a new one first; empty as long as there is none. */
function useTitle(chat: Chat, list: ChatList): string {
  const told = useChatSelector(chat, ({ title }) => title);
  const { chats } = useSyncExternalStore(list.subscribe, list.getSnapshot, list.getServerSnapshot);
  const title = chats.find(({ id }) => id === chat.id)?.title ?? told;
  useEffect(() => {
    if (title === "") return undefined;
    const before = document.title;
    document.title = `${title} · Tailrace`;
    return () => {
      document.title = before;
    };
  }, [title]);
  return title;
}
