// The frame of the chat as long as it has no conversation: what the server sends, and what stands there for a moment.

import type { ReactElement } from "react";

export function ChatShell(): ReactElement {
  return (
    <main className="chat" aria-busy="true">
      <div className="chat-bar">
        <h1>Chat</h1>
      </div>
      <div className="chat-scroll" />
    </main>
  );
}
