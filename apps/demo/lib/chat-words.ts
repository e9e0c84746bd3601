// What the chat says of its state, in a few words each.

import type { ChatMessage, ChatSnapshot } from "tailrace/react";

type Shown = Pick<ChatSnapshot, "messages" | "status" | "connection" | "stopping">;

/** Whether the answer's connection was lost and is being made again. A first attempt is nothing to speak of. */
export function isReconnecting({ status, connection }: Shown): boolean {
  return connection === "waiting" || (connection === "connecting" && status === "streaming");
}

/** The line above the composer. */
export function statusWords(chat: Shown): string {
  if (chat.stopping) return "Stopping…";
  if (isReconnecting(chat)) return "Waiting for the server…";
  switch (chat.status) {
    case "loading":
      return "Loading…";
    case "submitted":
      return "Waiting for the answer…";
    case "streaming":
      return "Answering…";
    case "error":
    case "ready":
      return endWords(chat.messages.at(-1)) ?? (chat.status === "error" ? "Failed" : "Ready");
  }
}

function endWords(message: ChatMessage | undefined): string | undefined {
  switch (message?.end?.reason) {
    case "stopped":
      return "Stopped";
    case "interrupted":
      return "Interrupted";
    case "failed":
      return "Failed";
    default:
      return message?.delivery === "failed" ? "Not sent" : undefined;
  }
}

/** The connection, where it is not simply open or not needed. */
export function connectionWords(chat: Shown): string {
  if (isReconnecting(chat)) return "Reconnecting…";
  if (chat.connection === "failed") return "Disconnected";
  return chat.connection === "paused" ? "Paused" : "";
}

/** Whether there is something to ask for again: an answer that did not come to its end, or none at all. */
export function canRetry({ messages, status }: Shown): boolean {
  if (status !== "ready" && status !== "error") return false;
  const end = messages.at(-1)?.end;
  return status === "error" || (end !== undefined && end.reason !== "completed");
}
