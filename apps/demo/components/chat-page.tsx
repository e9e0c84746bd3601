// Gives each conversation an address: a chat without an id gets one, and a reload or a second tab finds it there.

"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { type ReactElement, useEffect, useRef, useState } from "react";
import { Chat } from "./chat.tsx";
import { ChatShell } from "./chat-shell.tsx";

/** Beyond this the server takes no id. */
const MAX_ID_CHARS = 128;

export function ChatPage(): ReactElement {
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
  return id === "" ? <ChatShell /> : <Chat key={id} id={id} isNew={id === madeId} />;
}

/** `crypto.randomUUID` would need https, which a page in a home network may not have. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
