"use client";
// The door `tailrace/react`: the hooks.

export type { ChatSnapshot, ChatStatus } from "./client/chat-types.ts";
export type { Fetch, HeadersSource, StreamEnd, StreamGap, StreamItem } from "./client/stream-types.ts";
export type { StreamSnapshot } from "./client/stream-view.ts";
export { type ChatMessage, type MessageEnd, type MessagePart, messageText } from "./wire/ui-message.ts";
export { useChat, type UseChat, type UseChatOptions } from "./react/use-chat.ts";
export { useStickToBottom, type UseStickToBottom } from "./react/use-stick-to-bottom.ts";
export { useStream, type UseStream, type UseStreamOptions } from "./react/use-stream.ts";
