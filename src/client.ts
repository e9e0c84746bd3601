// The door `tailrace/client`: following a stream from a browser, a worker or a server.

export { Chat } from "./client/chat.ts";
export type { ChatOptions, ChatSnapshot, ChatStatus } from "./client/chat-types.ts";
export { openStream } from "./client/open.ts";
export { type Stick, type StickOptions, stickToBottom } from "./client/stick-to-bottom.ts";
export type {
  AttemptInfo,
  ConnectionStatus,
  EndReason,
  Fetch,
  HeadersSource,
  OpenOptions,
  RawEvent,
  RequestBody,
  SchemaResult,
  StandardSchema,
  StreamConnection,
  StreamEnd,
  StreamGap,
  StreamItem,
  StreamState,
} from "./client/stream-types.ts";
export { type StreamSnapshot, StreamView, type StreamViewOptions } from "./client/stream-view.ts";
export {
  type Answer,
  type ChatMessage,
  emptyAnswer,
  foldChunk,
  type MessageChunk,
  type MessageEnd,
  type MessagePart,
  messageText,
} from "./wire/ui-message.ts";
