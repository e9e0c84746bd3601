// Gives each conversation an address, where a reload or a second tab finds it, and puts the list of all of them beside it.

"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { type ReactElement, useCallback, useEffect, useRef, useState } from "react";
import { ChatList } from "../lib/chat-list.ts";
import { watchChatList } from "../lib/chat-list-watch.ts";
import { Chat } from "./chat.tsx";
import { ChatListDrawer } from "./chat-list-drawer.tsx";
import { ChatListView } from "./chat-list.tsx";
import { ChatFrame } from "./chat-shell.tsx";

/** Beyond this the server takes no id. */
const MAX_ID_CHARS = 128;

export function ChatPage(): ReactElement {
  const { id, isNew } = useChatId();
  const [list] = useState(() => new ChatList());
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const router = useRouter();
  /** The reader has asked for a new chat, and means to write. */
  const wantsToWriteRef = useRef(false);

  useEffect(() => {
    void list.refresh();
    return watchChatList("/api/chats", () => void list.refresh());
  }, [list]);

  const closeDrawer = useCallback(() => setDrawerOpen(false), []);
  const openDrawer = useCallback(() => setDrawerOpen(true), []);
  const choose = useCallback((chosen: string | null) => {
    wantsToWriteRef.current = chosen === null;
    setDrawerOpen(false);
  }, []);
  const leave = useCallback(() => router.replace("/chat"), [router]);

  const view = <ChatListView list={list} openId={id} onChoose={choose} onGone={leave} />;
  return (
    <ChatFrame list={view}>
      {id === "" ? undefined : (
        <>
          <Chat key={id} id={id} isNew={isNew} list={list} wantsToWriteRef={wantsToWriteRef} onList={openDrawer} />
          {isDrawerOpen ? <ChatListDrawer onClose={closeDrawer}>{view}</ChatListDrawer> : null}
        </>
      )}
    </ChatFrame>
  );
}

/** The id in the address; a chat without one gets one. */
function useChatId(): { readonly id: string; readonly isNew: boolean } {
  const asked = useSearchParams().get("id") ?? "";
  const id = asked.slice(0, MAX_ID_CHARS);
  const router = useRouter();
  const isAsked = useRef(false);
  const [madeId, setMadeId] = useState("");
  useEffect(() => {
    // An effect may run twice before the address has changed; the second id would be another conversation.
    if (id === "" && !isAsked.current) {
      const made = newId();
      setMadeId(made);
      router.replace(`/chat?id=${made}`);
    }
    isAsked.current = id === "";
  }, [id, router]);
  return { id, isNew: id !== "" && id === madeId };
}

/** `crypto.randomUUID` would need https, which a page in a home network may not have. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
