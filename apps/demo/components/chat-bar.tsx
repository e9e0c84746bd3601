// The bar above a conversation: its address for other tabs, and the way to a new one.

"use client";

import Link from "next/link";
import { type ReactElement, useEffect, useState } from "react";

/** How long "Copied" stays. */
const COPIED_MS = 2_000;

interface ChatBarProps {
  readonly id: string;
  /** Tells a screen reader what has happened; empty when that is over. */
  readonly onSay: (words: string) => void;
}

export function ChatBar({ id, onSay }: ChatBarProps): ReactElement {
  const address = `/chat?id=${encodeURIComponent(id)}`;
  const [isCopied, setCopied] = useState(false);

  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => {
      setCopied(false);
      onSay("");
    }, COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied, onSay]);

  const copy = async (): Promise<void> => {
    const link = new URL(address, window.location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
      onSay("Link copied");
    } catch {
      // Without https, or without leave, there is no clipboard: the reader copies by hand.
      window.prompt("The link of this conversation", link);
    }
  };

  return (
    <div className="chat-bar">
      <h1>Chat</h1>
      <a href={address} target="_blank" rel="noopener">
        Second tab<span className="visually-hidden"> (opens this conversation once more)</span>
      </a>
      <button type="button" className="text-button" onClick={() => void copy()}>
        {isCopied ? "Copied" : "Copy link"}
      </button>
      <Link href="/chat">New chat</Link>
    </div>
  );
}
