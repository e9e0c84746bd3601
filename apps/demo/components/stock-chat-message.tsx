// One message as the AI SDK keeps it, with the end that the server has saved beside it.

import type { UIMessage } from "ai";
import { memo, type ReactElement } from "react";
import { Markdown } from "./markdown.tsx";

interface Props {
  readonly message: UIMessage;
  readonly isGrowing: boolean;
}

const ENDS: Readonly<Record<string, string>> = {
  stopped: "Stopped",
  failed: "Failed",
  interrupted: "Interrupted: the server went away while this was written",
};

export const StockMessage = memo(function StockMessage({ message, isGrowing }: Props): ReactElement {
  const text = message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  const isOwn = message.role === "user";
  // Only a saved message has it; the hook makes its own ones without.
  const reason = (message as { readonly end?: { readonly reason: string } }).end?.reason ?? "";
  return (
    <article
      className={isOwn ? "message message-own" : "message"}
      data-testid="message"
      data-role={message.role}
      aria-busy={isGrowing}
      aria-label={isOwn ? "You" : "Answer"}
    >
      <div className={isOwn ? "message-plain" : "prose"} data-testid="message-text">
        {isOwn ? text : <Markdown text={text} isGrowing={isGrowing} />}
      </div>
      {ENDS[reason] === undefined ? null : <p className="message-end">{ENDS[reason]}</p>}
    </article>
  );
});
