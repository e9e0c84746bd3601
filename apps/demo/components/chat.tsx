// A conversation: its messages, the line that says how it goes, and the composer.

"use client";

import { type MouseEvent, type ReactElement, type RefObject, useEffect, useRef, useState } from "react";
import type { Chat as ChatHandle } from "tailrace/client";
import { messageText, useChatHandle, useChatMessages, useChatSelector, useStickToBottom } from "tailrace/react";
import type { ChatList } from "../lib/chat-list.ts";
import { announcementWords, canRetry, connectionWords, isReconnecting, statusWords } from "../lib/chat-words.ts";
import { ChatBar } from "./chat-bar.tsx";
import { ChatComposer } from "./chat-composer.tsx";
import { Said } from "./chat-said.tsx";
import { ChatStart } from "./chat-start.tsx";
import { ChatThread } from "./chat-thread.tsx";

interface Props {
  readonly id: string;
  /** The id was made a moment ago: there is nothing to load. */
  readonly isNew: boolean;
  readonly list: ChatList;
  readonly wantsToWriteRef: RefObject<boolean>;
  readonly onList: () => void;
}

/** Renders when a message comes or goes, and for no token of an answer. */
export function Chat({ id, isNew, list, wantsToWriteRef, onList }: Props): ReactElement {
  // What is sent waits for the answer; what is edited or asked again takes its place.
  const chat = useChatHandle({
    api: "/api/chat",
    id,
    initialMessages: isNew ? [] : undefined,
    whileStreaming: "replace",
  });
  const { ref, isAtBottom, scrollToBottom } = useStickToBottom();
  const count = useChatMessages(chat).length;
  const isLoading = useChatSelector(chat, ({ status }) => status === "loading");
  const hasNew = useHasNew(isAtBottom, count);
  useListed(chat, list);

  const ask = (question: string): void => {
    if (chat.send(question)) scrollToBottom();
  };
  return (
    <div className="chat">
      <ChatBar chat={chat} list={list} onList={onList} />
      {/* Not a live region: each token would be read out. What happens is said below. */}
      <section ref={count === 0 ? undefined : ref} className="chat-scroll" aria-label="Conversation" tabIndex={0}>
        <div className="chat-column">
          {count === 0 && !isLoading ? <ChatStart onAsk={ask} /> : null}
          <Earlier chat={chat} />
          <ChatThread chat={chat} />
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
          <ChatComposer chat={chat} wantsToWriteRef={wantsToWriteRef} onSent={scrollToBottom} />
          <StatusLine chat={chat} />
        </div>
      </div>
      <Said>
        <Announcement chat={chat} />
      </Said>
    </div>
  );
}

interface PartProps {
  readonly chat: ChatHandle;
}

function Announcement({ chat }: PartProps): string {
  return useChatSelector(chat, announcementWords);
}

function StatusLine({ chat }: PartProps): ReactElement {
  const status = useChatSelector(chat, (now) => now.status);
  const words = useChatSelector(chat, statusWords);
  const connection = useChatSelector(chat, (now) => (isReconnecting(now) ? "waiting" : now.connection));
  const connectionText = useChatSelector(chat, connectionWords);
  return (
    <p className="chat-line">
      <span data-testid="status" data-status={status}>
        {words}
      </span>
      <span className="connection" data-testid="connection" data-status={connection} hidden={connectionText === ""}>
        {connectionText}
      </span>
    </p>
  );
}

/** Tells the list that the conversation has begun, and has it look again when an answer begins and ends. */
function useListed(chat: ChatHandle, list: ChatList): void {
  const status = useChatSelector(chat, (now) => now.status);
  const isBefore = useRef(true);
  useEffect(() => {
    const first = chat.getSnapshot().messages[0];
    if (status === "submitted" && first !== undefined) list.begin(chat.id, messageText(first));
    else if (!isBefore.current && (status === "streaming" || status === "ready")) void list.refresh();
    isBefore.current = status === "loading";
  }, [chat, list, status]);
}

/** Whether a message has come since the reader scrolled up. */
function useHasNew(isAtBottom: boolean, count: number): boolean {
  const [seen, setSeen] = useState(count);
  if (isAtBottom && seen !== count) setSeen(count);
  return !isAtBottom && count > seen;
}

/** Puts the page of messages before these in front, and leaves the reader where they were. */
function Earlier({ chat }: PartProps): ReactElement | null {
  const hasEarlier = useChatSelector(chat, (now) => now.hasEarlier);
  const load = async (button: Element): Promise<void> => {
    const scroller = button.closest("section");
    if (scroller === null) return;
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    await chat.loadEarlier();
    requestAnimationFrame(() => {
      scroller.scrollTop = scroller.scrollHeight - fromEnd;
      // The button may be gone.
      if (document.activeElement === document.body) scroller.focus();
    });
  };
  return hasEarlier ? (
    <button
      type="button"
      className="text-button chat-earlier"
      data-testid="earlier"
      onClick={(event) => void load(event.currentTarget)}
    >
      Earlier messages
    </button>
  ) : null;
}

/** What went wrong, unless the answer's own end says it, and the way to try again. */
function Trouble({ chat }: PartProps): ReactElement {
  const isRetryable = useChatSelector(chat, canRetry);
  const error = useChatSelector(chat, (now) => now.error);
  const reason = useChatSelector(chat, ({ messages }) => messages.at(-1)?.end?.reason);
  const retry = (event: MouseEvent<HTMLButtonElement>): void => {
    // The button goes away; the focus stays in the conversation.
    event.currentTarget.closest("section")?.focus();
    chat.retry();
  };
  const isTold = reason === "failed" || reason === "interrupted";
  return (
    <div className="chat-trouble">
      {/* Always there, so that what comes into it is announced. */}
      <div role="alert">
        {error === null || isTold ? null : <p className="notice notice-danger">{error.message}</p>}
      </div>
      {isRetryable ? (
        <button type="button" className="button button-small" data-testid="retry" onClick={retry}>
          Retry
        </button>
      ) : null}
    </div>
  );
}
