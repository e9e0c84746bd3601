// One message of a conversation: its text, its sources, how it ended, and what can be done with it.

"use client";

import { memo, type ReactElement, type ReactNode, type RefObject, useCallback, useRef, useState } from "react";
import type { Chat } from "tailrace/client";
import { type ApprovalAnswer, messageText, type ThreadMessage } from "tailrace/react";
import { type BranchStep, MessageActions } from "./chat-message-actions.tsx";
import { FileView } from "./chat-file.tsx";
import { MessageEdit } from "./chat-message-edit.tsx";
import { type Part, PartView } from "./chat-message-parts.tsx";
import { Sources } from "./chat-sources.tsx";

interface MessageProps {
  readonly chat: Chat;
  readonly message: ThreadMessage;
  /** Whether this one is being written. */
  readonly isGrowing: boolean;
  /** Others have come after it: it need not be laid out as long as it is out of sight. */
  readonly isOld: boolean;
  /** How fast it came, where that is known. */
  readonly note: string | undefined;
  readonly stepRef: RefObject<BranchStep | null>;
}

/** Messages that have not changed are the same objects, and are not drawn again. */
export const Message = memo(function Message(props: MessageProps): ReactElement {
  const { message, isGrowing, isOld } = props;
  const isOwn = message.role === "user";
  return (
    <article
      className={`message${isOwn ? " message-mine" : ""}${isOld ? " message-old" : ""}`}
      data-testid="message"
      data-id={message.id}
      data-role={message.role}
      data-end={message.end?.reason}
      aria-busy={isGrowing}
      aria-label={isOwn ? "You" : "Answer"}
    >
      {isOwn ? <Own {...props} /> : <Answer {...props} />}
    </article>
  );
});

function Answer({ chat, message, isGrowing, note, stepRef }: MessageProps): ReactElement {
  const { parts, end } = message;
  const onApproval = useCallback((answer: ApprovalAnswer) => chat.respondToApproval(answer), [chat]);
  return (
    <>
      <div className="message-parts" data-testid="message-text" data-length={lengthOf(parts)}>
        {parts.map((part, index) => (
          <PartView
            key={index}
            part={part}
            isGrowing={isGrowing && "state" in part && part.state === "streaming"}
            isEnded={end !== undefined}
            onApproval={onApproval}
          />
        ))}
      </div>
      <Sources parts={parts} />
      <End message={message} />
      {isGrowing ? null : (
        <MessageActions chat={chat} message={message} stepRef={stepRef}>
          {note === undefined ? null : <p className="message-note">{note}</p>}
        </MessageActions>
      )}
    </>
  );
}

function Own({ chat, message, stepRef }: MessageProps): ReactElement {
  const [isEdited, setEdited] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const text = messageText(message);
  const files = message.parts.filter((part) => part.type === "file");
  if (isEdited) {
    const cancel = (): void => {
      setEdited(false);
      // The button is there again with the next render.
      requestAnimationFrame(() => place.current?.querySelector<HTMLElement>("[data-testid=edit]")?.focus());
    };
    const send = (words: string): boolean => {
      const section = place.current?.closest("section");
      const isSent = chat.edit(message.id, words);
      if (isSent) section?.focus();
      return isSent;
    };
    return (
      <div ref={place} className="message-own message-own-edited">
        <MessageEdit text={text} onSend={send} onCancel={cancel} />
      </div>
    );
  }
  return (
    <div ref={place} className="message-own-column">
      {files.length === 0 ? null : (
        <div className="message-files">
          {files.map((file, index) => (
            <FileView key={index} file={file} />
          ))}
        </div>
      )}
      {text === "" ? null : (
        <div className="message-own message-plain" data-testid="message-text">
          {text}
        </div>
      )}
      <End message={message} />
      <MessageActions
        chat={chat}
        message={message}
        stepRef={stepRef}
        onEdit={message.delivery === "sending" ? undefined : () => setEdited(true)}
      />
    </div>
  );
}

function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0);
}

/** How the message ended, unless all went well. */
function End({ message: { end, delivery } }: { readonly message: ThreadMessage }): ReactNode {
  if (delivery === "failed") return <p className="message-end message-end-bad">Not sent</p>;
  switch (end?.reason) {
    case "stopped":
      return <p className="message-end">Stopped</p>;
    case "interrupted":
      return <p className="message-end message-end-bad">Interrupted: the server went away while this was written</p>;
    case "failed":
      return <p className="message-end message-end-bad">{failure(end.message)}</p>;
    default:
      return null;
  }
}

function failure(message: string | undefined): string {
  return message === undefined || message === "" ? "Failed" : `Failed: ${message}`;
}
