// The conversations: the one that is open marked, each with what can be done to it, and the way to a new one.

"use client";

import Link from "next/link";
import { memo, type ReactElement, useRef, useSyncExternalStore } from "react";
import type { ChatList } from "../lib/chat-list.ts";
import { Icon } from "./chat-icons.tsx";
import { ChatListRow } from "./chat-list-row.tsx";

interface ListProps {
  readonly list: ChatList;
  /** The conversation that is open. */
  readonly openId: string;
  /** A conversation was chosen, or a new one (`null`). */
  readonly onChoose: (id: string | null) => void;
  /** The conversation that was open is deleted. */
  readonly onGone: () => void;
}

/** Renders when the list changes, and for no token of an answer. */
export const ChatListView = memo(function ChatListView(props: ListProps): ReactElement {
  const { list, openId, onChoose, onGone } = props;
  const { chats, hasMore, isLoaded, problem } = useSyncExternalStore(
    list.subscribe,
    list.getSnapshot,
    list.getServerSnapshot,
  );
  const start = useRef<HTMLAnchorElement>(null);

  const remove = async (id: string, row: Element | null): Promise<string> => {
    // The row goes away, and the focus with it: to the one below it, or above.
    const next = (row?.nextElementSibling ?? row?.previousElementSibling)?.querySelector("a");
    const removed = list.remove(id);
    (next ?? start.current)?.focus();
    const failure = await removed;
    if (failure === "" && id === openId) onGone();
    return failure;
  };

  return (
    <nav className="chats" aria-label="Conversations">
      <Link ref={start} href="/chat" className="chats-new" onClick={() => onChoose(null)}>
        <Icon name="plus" />
        New chat
      </Link>
      {isLoaded && chats.length === 0 ? <p className="chats-none">What you begin here is listed here.</p> : null}
      <ul>
        {chats.map((chat) => (
          <ChatListRow
            key={chat.id}
            chat={chat}
            isOpen={chat.id === openId}
            list={list}
            onChoose={onChoose}
            onRemove={remove}
          />
        ))}
      </ul>
      {hasMore ? (
        <button type="button" className="text-button chats-more" onClick={() => void list.more()}>
          Show more
        </button>
      ) : null}
      {problem === "" ? null : <p className="chats-problem">{problem}</p>}
    </nav>
  );
});
