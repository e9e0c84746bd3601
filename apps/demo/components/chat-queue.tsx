// Messages that were sent while an answer was being written: they wait for its end, and can be taken back.

"use client";

import type { ReactElement } from "react";
import type { Chat } from "tailrace/client";
import { messageText, useChatSelector } from "tailrace/react";
import { sayFrom } from "./chat-said.tsx";
import { isAnswering } from "./chat-thread.tsx";

interface QueueProps {
  readonly chat: Chat;
  /** A message was taken back: its text goes into an empty composer. */
  readonly onWithdrawn: (text: string) => void;
}

export function ChatQueue({ chat, onWithdrawn }: QueueProps): ReactElement | null {
  const queued = useChatSelector(chat, (now) => now.queued);
  const isBusy = useChatSelector(chat, isAnswering);
  if (queued.length === 0) return null;
  return (
    <ul className="queued" aria-label="Messages that wait">
      {queued.map((message) => {
        const text = messageText(message) || "A file";
        const withdraw = (from: Element): void => {
          const page = from.closest("main");
          if (!chat.unqueue(message.id)) return;
          onWithdrawn(messageText(message));
          sayFrom(page, "Message withdrawn");
        };
        const sendNow = (): void => {
          if (!chat.unqueue(message.id)) return;
          const files = message.parts.filter((part) => part.type === "file");
          chat.send({ text: messageText(message), files }, { whileStreaming: "refuse" });
        };
        return (
          <li key={message.id} data-testid="queued">
            <span className="queued-text">{text}</span>
            <span className="queued-state">{isBusy ? "Waits for the answer" : "Not sent yet"}</span>
            {isBusy ? null : (
              <button type="button" className="text-button" aria-label={`Send now: ${text}`} onClick={sendNow}>
                Send
              </button>
            )}
            <button
              type="button"
              className="text-button"
              aria-label={`Withdraw: ${text}`}
              onClick={(event) => withdraw(event.currentTarget)}
            >
              Withdraw
            </button>
          </li>
        );
      })}
    </ul>
  );
}
