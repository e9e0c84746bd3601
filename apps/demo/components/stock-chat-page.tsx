// Gives the conversation and the transport an address, and loads what was said so far: the AI SDK's hook takes it once,
// when it begins.

"use client";

import type { UIMessage } from "ai";
import { useRouter, useSearchParams } from "next/navigation";
import { type ReactElement, useEffect, useState } from "react";
import { ChatShell } from "./chat-shell.tsx";
import { StockChat, type TransportName } from "./stock-chat.tsx";

/** Beyond this the server takes no id. */
const MAX_ID_CHARS = 128;

export function StockChatPage(): ReactElement {
  const parameters = useSearchParams();
  const id = (parameters.get("id") ?? "").slice(0, MAX_ID_CHARS);
  const transport: TransportName = parameters.get("transport") === "tailrace" ? "tailrace" : "default";
  const router = useRouter();

  useEffect(() => {
    if (id === "") router.replace(`/chat/ai-sdk?${new URLSearchParams({ id: newId(), transport })}`);
  }, [id, router, transport]);

  // The other transport begins with what the server has, as a reload does.
  return id === "" ? <ChatShell /> : <Loaded key={`${transport} ${id}`} id={id} transport={transport} />;
}

function Loaded({ id, transport }: { readonly id: string; readonly transport: TransportName }): ReactElement {
  const [messages, setMessages] = useState<UIMessage[]>();
  const [trouble, setTrouble] = useState("");

  useEffect(() => {
    const life = new AbortController();
    load(id, life.signal).then(setMessages, (error: unknown) => {
      if (!life.signal.aborted) setTrouble(error instanceof Error ? error.message : "The chat could not be loaded.");
    });
    return () => life.abort();
  }, [id]);

  if (trouble !== "") {
    return (
      <main className="chat">
        <p role="alert" className="notice notice-danger stock-trouble">
          {trouble}
        </p>
      </main>
    );
  }
  return messages === undefined ? <ChatShell /> : <StockChat id={id} transportName={transport} saved={messages} />;
}

async function load(id: string, signal: AbortSignal): Promise<UIMessage[]> {
  const response = await fetch(`/api/chat/${encodeURIComponent(id)}/messages`, { signal });
  if (response.status === 404) return [];
  if (!response.ok) throw new Error(`The conversation could not be loaded: ${response.status}. Reload the page.`);
  const { messages } = (await response.json()) as { messages: UIMessage[] };
  return messages;
}

/** `crypto.randomUUID` would need https, which a page in a home network may not have. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
