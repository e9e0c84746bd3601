// The frames of the chats, and what stands in them as long as there is no conversation: what the server sends.

import type { ReactElement, ReactNode } from "react";

interface FrameProps {
  readonly list?: ReactNode;
  readonly children?: ReactNode;
}

/** The list at the side, and the conversation. */
export function ChatFrame({ list, children }: FrameProps): ReactElement {
  return (
    <main className="chat-frame">
      <div className="chat-side">{list}</div>
      {children ?? (
        <div className="chat" aria-busy="true">
          <ChatEmpty />
        </div>
      )}
    </main>
  );
}

/** A conversation alone. */
export function ChatShell(): ReactElement {
  return (
    <main className="chat" aria-busy="true">
      <ChatEmpty />
    </main>
  );
}

function ChatEmpty(): ReactElement {
  return (
    <>
      <div className="chat-bar">
        <h1>Chat</h1>
      </div>
      <div className="chat-scroll" />
    </>
  );
}
