// The AI SDK's own `useChat` on this demo's endpoint, with its own transport or with ours.

"use client";

import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, type ChatTransport, type UIMessage } from "ai";
import Link from "next/link";
import { type ReactElement, useEffect, useState } from "react";
import { TailraceChatTransport } from "tailrace/client";
import { useStickToBottom } from "tailrace/react";
import { Composer } from "./composer.tsx";
import { StockMessage } from "./stock-chat-message.tsx";

export type TransportName = "default" | "tailrace";

interface Props {
  readonly id: string;
  readonly transportName: TransportName;
  readonly saved: UIMessage[];
}

const STATUS_WORDS = { submitted: "Waiting", streaming: "Answering", ready: "Ready", error: "Failed" } as const;

/** What makes the difference, and how a stop reaches the server with each. */
interface Transport {
  readonly transport: ChatTransport<UIMessage>;
  /** Settles when it is known whether an answer runs, which has to be known before anything is sent. */
  readonly resumed: Promise<unknown>;
  readonly stopServer: (id: string) => Promise<unknown>;
  readonly close: () => void;
}

function makeTransport(name: TransportName): Transport {
  if (name === "tailrace") {
    const transport = new TailraceChatTransport({ api: "/api/chat", lastMessageOnly: true });
    return {
      transport,
      resumed: Promise.resolve(), // it knows itself which of the two is later
      stopServer: () => Promise.resolve(),
      close: () => transport.close(),
    };
  }
  // The hook takes the "nothing runs" of its resume for the state of a message that was sent meanwhile.
  const { promise: resumed, resolve } = Promise.withResolvers<void>();
  class Resuming extends DefaultChatTransport<UIMessage> {
    override reconnectToStream(
      ...args: Parameters<DefaultChatTransport<UIMessage>["reconnectToStream"]>
    ): ReturnType<DefaultChatTransport<UIMessage>["reconnectToStream"]> {
      return super.reconnectToStream(...args).finally(resolve);
    }
  }
  return {
    transport: new Resuming(),
    resumed,
    // The hook's stop ends the reading alone, so the page tells the server.
    stopServer: (id) => fetch(`/api/chat/${encodeURIComponent(id)}/stop`, { method: "POST" }),
    close: () => undefined,
  };
}

export function StockChat({ id, transportName, saved }: Props): ReactElement {
  const [{ transport, resumed, stopServer, close }] = useState(() => makeTransport(transportName));
  useEffect(() => close, [close]);
  const [canBegin, setCanBegin] = useState(false);
  useEffect(() => void resumed.then(() => setCanBegin(true)), [resumed]);
  const [end, setEnd] = useState("");
  const { messages, status, error, sendMessage, stop } = useChat({
    id,
    messages: saved,
    transport,
    resume: true,
    onFinish: ({ isAbort, isError }) => setEnd(isError ? "failed" : isAbort ? "stopped" : "finished"),
  });
  const { ref, isAtBottom, scrollToBottom } = useStickToBottom();
  const [draft, setDraft] = useState("");

  const isAnswering = status === "submitted" || status === "streaming";
  // Until the resume is answered, a saved answer without an end must not look like a whole one.
  const last = messages.at(-1);
  const isUnfinished =
    status === "ready" && last?.role === "assistant" && last === saved.at(-1) && !Object.hasOwn(last, "end");
  const send = (): void => {
    setEnd("");
    setDraft("");
    scrollToBottom();
    void sendMessage({ text: draft.trim() });
  };
  const stopAll = (): void => {
    void stop();
    // What goes wrong here is seen: the answer goes on, and the next reload shows it.
    stopServer(id).catch(() => undefined);
  };

  return (
    <main className="chat">
      <div className="chat-bar">
        <h1>AI SDK</h1>
        <nav aria-label="Transport" className="stock-switch">
          <span aria-hidden>Transport</span>
          <TransportLink id={id} name="default" current={transportName} />
          <TransportLink id={id} name="tailrace" current={transportName} />
        </nav>
        <Link href={`/chat?id=${encodeURIComponent(id)}`}>Our chat</Link>
      </div>
      <section ref={ref} className="chat-scroll" aria-label="Conversation" tabIndex={0}>
        <div className="chat-column">
          {messages.length === 0 ? <StockIntro name={transportName} /> : null}
          {messages.map((message) => (
            <StockMessage key={message.id} message={message} isGrowing={isAnswering && message === messages.at(-1)} />
          ))}
          <div role="alert">
            {error === undefined ? null : (
              <p className="notice notice-danger">{error.message || "The answer failed."}</p>
            )}
          </div>
        </div>
      </section>
      <div className="chat-foot">
        {isAtBottom ? null : (
          <button type="button" className="button button-small chat-latest" onClick={scrollToBottom}>
            Jump to latest
          </button>
        )}
        <div className="chat-column">
          <Composer
            draft={draft}
            onDraft={setDraft}
            canSend={canBegin && !isAnswering && draft.trim() !== ""}
            onSend={send}
            isAnswering={isAnswering}
            isStopping={false}
            onStop={stopAll}
          />
          <p className="chat-line">
            <span role="status" data-testid="status" data-status={status} data-end={end}>
              {isUnfinished ? "Unfinished so far" : STATUS_WORDS[status]}
              {status === "ready" && end === "stopped" ? ", stopped" : ""}
            </span>
          </p>
        </div>
      </div>
    </main>
  );
}

interface TransportLinkProps {
  readonly id: string;
  readonly name: TransportName;
  readonly current: TransportName;
}

const TRANSPORT_WORDS = { default: "Default", tailrace: "Tailrace" } as const;

function TransportLink({ id, name, current }: TransportLinkProps): ReactElement {
  const href = `/chat/ai-sdk?${new URLSearchParams({ id, transport: name })}`;
  return (
    <Link href={href} aria-current={name === current ? "true" : undefined} data-testid={`transport-${name}`}>
      {TRANSPORT_WORDS[name]}
    </Link>
  );
}

function StockIntro({ name }: { readonly name: TransportName }): ReactElement {
  return (
    <div className="chat-start">
      <h2>The AI SDK’s useChat, as it is</h2>
      <p>
        {name === "default"
          ? "With its own transport: reload while an answer grows and it comes back. A cut connection is an error here."
          : "With TailraceChatTransport: a cut connection goes on by itself, and the hook’s stop reaches the server."}
      </p>
    </div>
  );
}
