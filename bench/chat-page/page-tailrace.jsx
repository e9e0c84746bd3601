// The demo's chat with a history, as `/chat` shows it.

import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { useChat, useStickToBottom } from "tailrace/react";
import { Message } from "../../apps/demo/components/chat-message.tsx";
import { Composer } from "../../apps/demo/components/composer.tsx";
import { history } from "./page-probe.ts";

const initialMessages = history.map(({ id, role, text }) => ({
  id,
  role,
  parts: [{ type: "text", text, state: "done" }],
  ...(role === "assistant" ? { end: { reason: "completed" } } : {}),
}));

function Page() {
  const { messages, status, send, stop, stopping } = useChat({ api: "/api/chat", id: "bench", initialMessages });
  const { ref, scrollToBottom } = useStickToBottom();
  const last = messages.at(-1);
  const isAnswering = status === "submitted" || status === "streaming";
  useEffect(() => {
    window.start = () => {
      send("go");
      scrollToBottom();
    };
    document.body.dataset["status"] = status;
  });
  return (
    <main className="chat">
      <div className="chat-bar" />
      <section ref={ref} className="chat-scroll">
        <div className="chat-column">
          {messages.map((message) => (
            <Message
              key={message.id}
              message={message}
              isGrowing={isAnswering && message === last && message.role === "assistant"}
              isOld={message !== last}
            />
          ))}
        </div>
      </section>
      <div className="chat-foot">
        <Composer
          draft=""
          onDraft={() => {}}
          canSend={false}
          onSend={() => {}}
          isAnswering={isAnswering}
          isStopping={stopping}
          onStop={stop}
        />
      </div>
    </main>
  );
}

createRoot(document.querySelector("#root")).render(<Page />);
