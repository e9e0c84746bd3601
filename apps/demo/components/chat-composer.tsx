// The composer of the chat: its draft, its files, and what waits. It renders for what is typed, and for no token.

"use client";

import { type ReactElement, type RefObject, useCallback, useEffect, useRef, useState } from "react";
import type { Chat } from "tailrace/client";
import { useChatSelector } from "tailrace/react";
import { MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS } from "../lib/chat-files.ts";
import { sizeWords } from "../lib/transfer-words.ts";
import { AttachmentList, useAttachments } from "./chat-attachments.tsx";
import { ChatQueue } from "./chat-queue.tsx";
import { sayFrom } from "./chat-said.tsx";
import { isAnswering } from "./chat-thread.tsx";
import { Composer } from "./composer.tsx";

const FILE_HINT = `Attach files, up to ${MAX_ATTACHMENTS} of ${sizeWords(MAX_ATTACHMENT_BYTES)} each`;

interface ComposerProps {
  readonly chat: Chat;
  /** Whether the reader has come here to write. */
  readonly wantsToWriteRef: RefObject<boolean>;
  readonly onSent: () => void;
}

export function ChatComposer({ chat, wantsToWriteRef, onSent }: ComposerProps): ReactElement {
  const [draft, setDraft] = useState("");
  const [problem, setProblem] = useState("");
  const place = useRef<HTMLDivElement>(null);
  const isBusy = useChatSelector(chat, isAnswering);
  const isLoading = useChatSelector(chat, ({ status }) => status === "loading");
  const isStopping = useChatSelector(chat, ({ stopping }) => stopping);
  const { items, areReady, isOver, add, remove, take } = useAttachments(place, setProblem);

  const focus = useCallback(() => place.current?.querySelector("textarea")?.focus(), []);
  useEffect(() => {
    if (wantsToWriteRef.current) focus();
    wantsToWriteRef.current = false;
  }, [wantsToWriteRef, focus]);

  const hasContent = draft.trim() !== "" || items.length > 0;
  const send = (): void => {
    const wasBusy = isBusy;
    const files = take();
    if (!chat.send({ text: draft.trim(), files }, { whileStreaming: "queue" })) return;
    setDraft("");
    setProblem("");
    if (wasBusy) sayFrom(place.current, "Message waits for the answer");
    else onSent();
  };
  const removeFile = (id: string): void => {
    remove(id);
    focus();
  };
  const withdrawn = (text: string): void => {
    setDraft((old) => (old.trim() === "" ? text : old));
    focus();
  };
  return (
    <div ref={place} className="chat-composer" data-over={isOver || undefined}>
      <ChatQueue chat={chat} onWithdrawn={withdrawn} />
      <AttachmentList items={items} onRemove={removeFile} />
      <div role="alert">{problem === "" ? null : <p className="chat-problem">{problem}</p>}</div>
      <Composer
        draft={draft}
        onDraft={setDraft}
        canSend={!isLoading && hasContent && areReady}
        onSend={send}
        isAnswering={isBusy}
        isStopping={isStopping}
        onStop={() => void chat.stop()}
        files={{ onFiles: add, hint: FILE_HINT }}
        isQueueing={isBusy && hasContent}
      />
    </div>
  );
}
