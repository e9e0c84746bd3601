// The messages of a conversation, of which only the one that grows renders while it does.

"use client";

import { memo, type ReactElement, useRef } from "react";
import type { Chat } from "tailrace/client";
import { type ChatSnapshot, useChatMessages, useChatSelector } from "tailrace/react";
import { Message } from "./chat-message.tsx";
import type { BranchStep } from "./chat-message-actions.tsx";
import { useAnswerNotes } from "./chat-message-notes.ts";

export const isAnswering = ({ status }: ChatSnapshot): boolean => status === "submitted" || status === "streaming";

/** Whether an answer is awaited of which there is nothing to see. */
const isPending = (now: ChatSnapshot): boolean => isAnswering(now) && now.messages.at(-1)?.role !== "assistant";

export function ChatThread({ chat }: { readonly chat: Chat }): ReactElement {
  const ids = useChatMessages(chat);
  const isBusy = useChatSelector(chat, isAnswering);
  const isWaiting = useChatSelector(chat, isPending);
  const notes = useAnswerNotes(chat);
  const stepRef = useRef<BranchStep | null>(null);
  return (
    <>
      {ids.map((id, index) => (
        <ThreadMessage
          key={id}
          chat={chat}
          id={id}
          index={index}
          isLast={index === ids.length - 1}
          isBusy={isBusy && index === ids.length - 1}
          note={notes.get(id)}
          stepRef={stepRef}
        />
      ))}
      {isWaiting ? <div className="message-pending" aria-hidden /> : null}
    </>
  );
}

interface ThreadMessageProps {
  readonly chat: Chat;
  readonly id: string;
  readonly index: number;
  readonly isLast: boolean;
  readonly isBusy: boolean;
  readonly note: string | undefined;
  readonly stepRef: React.RefObject<BranchStep | null>;
}

const ThreadMessage = memo(function ThreadMessage(props: ThreadMessageProps): ReactElement | null {
  const { chat, id, index, isLast, isBusy, note, stepRef } = props;
  // By its place: of many messages each would look through all of them.
  const message = useChatSelector(chat, ({ messages }) => {
    const there = messages[index];
    return there?.id === id ? there : messages.find((other) => other.id === id);
  });
  if (message === undefined) return null;
  const isGrowing = isBusy && message.role === "assistant";
  return <Message chat={chat} message={message} isGrowing={isGrowing} isOld={!isLast} note={note} stepRef={stepRef} />;
});
