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

type ToolPart = Extract<ChatMessage["parts"][number], { readonly toolCallId: string }>;

/** What a tool is called, as far as it is known. */
export function toolName({ title, toolName: name, type }: Pick<ToolPart, "title" | "toolName" | "type">): string {
  return title ?? name ?? type.replace(/^tool-/, "");
}

/** Where a call of a tool stands. `isEnded`: its answer has ended, and nothing more comes by itself. */
export function toolWords({ state, approval }: Pick<ToolPart, "state" | "approval">, isEnded: boolean): string {
  switch (state) {
    case "input-streaming":
      return isEnded ? "not called" : "being called";
    case "input-available":
      return isEnded ? "not run" : "running";
    case "approval-requested":
      return "asks whether it may run";
    case "approval-responded":
      return approval?.approved === true ? "allowed" : "not allowed";
    case "output-available":
      return "done";
    case "output-error":
      return "failed";
    case "output-denied":
      return "not allowed";
  }
}

/** What a screen reader is told: that an answer began, how it ended, and that it waits for the reader; never a word of it. */
export function announcementWords(chat: Shown & Pick<ChatSnapshot, "announcement">): string {
  if (isReconnecting(chat)) return "Reconnecting";
  const last = chat.messages.at(-1);
  const asks =
    last?.end !== undefined && last.parts.some((part) => "toolCallId" in part && part.state === "approval-requested");
  return asks && chat.announcement !== "" ? `${chat.announcement}. A tool asks whether it may run` : chat.announcement;
}
