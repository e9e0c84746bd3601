// A conversation: its messages, the line that says how it goes, and the composer.

"use client";

import { type MouseEvent, type ReactElement, useEffect, useRef, useState } from "react";
import { useChat, useStickToBottom, type UseChat } from "tailrace/react";
import { canRetry, connectionWords, isReconnecting, statusWords } from "../lib/chat-words.ts";
import { ChatBar } from "./chat-bar.tsx";
import { ChatStart } from "./chat-start.tsx";
import { Message } from "./chat-message.tsx";
import { useAnswerNotes } from "./chat-message-notes.ts";
import { SAY_EVENT } from "./code-block-copy.tsx";
import { Composer } from "./composer.tsx";

interface Props {
  readonly id: string;
  /** The id was made a moment ago: there is nothing to load. */
  readonly isNew: boolean;
}

export function Chat({ id, isNew }: Props): ReactElement {
  const chat = useChat({ api: "/api/chat", id, initialMessages: isNew ? [] : undefined });
  const { ref, isAtBottom, scrollToBottom } = useStickToBottom();
  const page = useRef<HTMLElement>(null);
  const [draft, setDraft] = useState("");
  const [said, say] = useState("");
  useEffect(() => {
    const element = page.current;
    const onSay = (event: Event): void => say(String((event as CustomEvent<unknown>).detail));
    element?.addEventListener(SAY_EVENT, onSay);
    return () => element?.removeEventListener(SAY_EVENT, onSay);
  }, []);

  const { messages, status } = chat;
  const isAnswering = status === "submitted" || status === "streaming";
  const send = (text: string): boolean => {
    const isSent = chat.send(text);
    if (isSent) scrollToBottom();
    return isSent;
  };
  const sendDraft = (): void => {
    if (send(draft.trim())) setDraft("");
  };
  const last = messages.at(-1);
  const notes = useAnswerNotes(status, last);
  const hasNew = useHasNew(isAtBottom, messages.length);

  return (
    <main ref={page} className="chat">
      <ChatBar id={id} onSay={say} />
      {/* Not a live region: each token would be read out. What happens is said below. */}
      <section ref={ref} className="chat-scroll" aria-label="Conversation" tabIndex={0}>
        <div className="chat-column">
          {messages.length === 0 && status !== "loading" ? <ChatStart onAsk={send} /> : null}
          {messages.map((message) => (
            <Message
              key={message.id}
              message={message}
              isGrowing={isAnswering && message === last && message.role === "assistant"}
              isOld={message !== last}
              note={notes.get(message.id)}
            />
          ))}
          {isAnswering && last?.role !== "assistant" ? <div className="message-pending" aria-hidden /> : null}
          <Trouble chat={chat} />
        </div>
      </section>
      <div className="chat-foot">
        {isAtBottom ? null : (
          <button type="button" className="button button-small chat-latest" onClick={scrollToBottom}>
            {hasNew ? "New message" : "Jump to latest"}
          </button>
        )}
        <div className="chat-column">
          <Composer
            draft={draft}
            onDraft={setDraft}
            canSend={(status === "ready" || status === "error") && draft.trim() !== ""}
            onSend={sendDraft}
            isAnswering={isAnswering}
            isStopping={chat.stopping}
            onStop={chat.stop}
          />
          <p className="chat-line">
            <span data-testid="status" data-status={status}>
              {statusWords(chat)}
            </span>
            <span
              className="connection"
              data-testid="connection"
              data-status={isReconnecting(chat) ? "waiting" : chat.connection}
              hidden={connectionWords(chat) === ""}
            >
              {connectionWords(chat)}
            </span>
          </p>
        </div>
      </div>
      <div role="status" className="visually-hidden">
        {isReconnecting(chat) ? "Reconnecting" : said || chat.announcement}
      </div>
    </main>
  );
}

/** Whether a message has come since the reader scrolled up. */
function useHasNew(isAtBottom: boolean, count: number): boolean {
  const [seen, setSeen] = useState(count);
  if (isAtBottom && seen !== count) setSeen(count);
  return !isAtBottom && count > seen;
}

/** What went wrong, unless the answer's own end says it, and the way to try again. */
function Trouble({ chat }: { readonly chat: UseChat }): ReactElement {
  const { messages, error } = chat;
  const retry = (event: MouseEvent<HTMLButtonElement>): void => {
    // The button goes away; the focus stays in the conversation.
    event.currentTarget.closest("section")?.focus();
    chat.retry();
  };
  const isTold = messages.at(-1)?.end?.reason === "failed" || messages.at(-1)?.end?.reason === "interrupted";
  return (
    <div className="chat-trouble">
      {/* Always there, so that what comes into it is announced. */}
      <div role="alert">
        {error === null || isTold ? null : <p className="notice notice-danger">{error.message}</p>}
      </div>
      {canRetry(chat) ? (
        <button type="button" className="button button-small" data-testid="retry" onClick={retry}>
          Retry
        </button>
      ) : null}
    </div>
  );
}
