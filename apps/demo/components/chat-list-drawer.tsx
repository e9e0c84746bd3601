// The list of conversations on a narrow screen: a dialog from the side, which the browser keeps the focus in.

"use client";

import { type ReactElement, type ReactNode, useEffect, useRef } from "react";
import { Icon } from "./chat-icons.tsx";
import { Said } from "./chat-said.tsx";

/** From here on the list stands beside the conversation: as in `chat-list.css`. */
const WIDE = "(min-width: 56rem)";

interface DrawerProps {
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Open as long as it is there. Esc and a press beside it close it, and the browser gives the focus back. */
export function ChatListDrawer({ onClose, children }: DrawerProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    const wide = window.matchMedia(WIDE);
    const onWide = (): void => {
      if (wide.matches) onClose();
    };
    wide.addEventListener("change", onWide);
    return () => {
      wide.removeEventListener("change", onWide);
      element?.close();
    };
  }, [onClose]);
  return (
    <dialog
      ref={dialog}
      className="chats-drawer"
      aria-labelledby="chats-drawer-title"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="chats-drawer-content">
        <div className="chats-drawer-head">
          <h2 id="chats-drawer-title">Conversations</h2>
          <button type="button" className="icon-button" aria-label="Close the list" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
      <Said />
    </dialog>
  );
}
