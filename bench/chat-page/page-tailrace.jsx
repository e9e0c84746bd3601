// The demo's chat with a history, as `/chat` shows it.

import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { useChatHandle, useChatSelector, useStickToBottom } from "tailrace/react";
import { ChatThread, isAnswering } from "../../apps/demo/components/chat-thread.tsx";
import { Composer } from "../../apps/demo/components/composer.tsx";
import { history } from "./page-probe.ts";

const initialMessages = history.map(({ id, role, text }) => ({
  id,
  role,
  parts: [{ type: "text", text, state: "done" }],
  ...(role === "assistant" ? { end: { reason: "completed" } } : {}),
}));

function Page() {
  const chat = useChatHandle({ api: "/api/chat", id: "bench", initialMessages });
  const status = useChatSelector(chat, (now) => now.status);
  const { ref, scrollToBottom } = useStickToBottom();
  useEffect(() => {
    window.start = () => {
      chat.send("go");
      scrollToBottom();
    };
    document.body.dataset["status"] = status;
  });
  return (
    <main className="chat-frame">
      <div className="chat">
        <div className="chat-bar" />
        <section ref={ref} className="chat-scroll">
          <div className="chat-column">
            <ChatThread chat={chat} />
          </div>
        </section>
        <div className="chat-foot">
          <Composer
            draft=""
            onDraft={() => {}}
            canSend={false}
            onSend={() => {}}
            isAnswering={useChatSelector(chat, isAnswering)}
            isStopping={false}
            onStop={() => {}}
          />
        </div>
      </div>
    </main>
  );
}

createRoot(document.querySelector("#root")).render(<Page />);
