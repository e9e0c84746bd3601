// The usual page: the AI SDK's own hook, and a Markdown component that reads its whole text whenever it is drawn. The
// component stands in for react-markdown: it is our own parser, without its memory. Texts are memoised, as the AI SDK's
// documents advise, so that only the growing one is read.

import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { memo, useEffect, useMemo, useRef } from "react";
import { createRoot } from "react-dom/client";
import { BlockViews } from "../../apps/demo/components/markdown-blocks.tsx";
import { parseMarkdown } from "../../apps/demo/lib/markdown-stream.ts";
import { history } from "./page-probe.ts";

const messages = history.map(({ id, role, text }) => ({ id, role, parts: [{ type: "text", text }] }));
const transport = new DefaultChatTransport({ api: "/api/chat" });

const Markdown = memo(function Markdown({ text }) {
  return <BlockViews blocks={useMemo(() => parseMarkdown(text), [text])} />;
});

function Page() {
  const chat = useChat({ id: "bench", messages, transport });
  const scroller = useRef(null);
  // After each commit: what has come is scrolled into view.
  useEffect(() => {
    window.start = () => void chat.sendMessage({ text: "go" });
    document.body.dataset["status"] = chat.status;
    if (scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  });
  return (
    <main className="chat">
      <div className="chat-bar" />
      <section ref={scroller} className="chat-scroll">
        <div className="chat-column">
          {chat.messages.map(({ id, role, parts }) => (
            <article key={id} className={role === "user" ? "message message-own" : "message"}>
              <div className="prose">
                {parts.map((part, index) => (part.type === "text" ? <Markdown key={index} text={part.text} /> : null))}
              </div>
            </article>
          ))}
        </div>
      </section>
    </main>
  );
}

createRoot(document.querySelector("#root")).render(<Page />);
