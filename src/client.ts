// The door `tailrace/client`: following a stream from a browser, a worker or a server.

export { Chat } from "./client/chat.ts";
export type {
  ApprovalAnswer,
  ChatFile,
  ChatInput,
  ChatOptions,
  ChatSnapshot,
  ChatStatus,
  ToolOutput,
  WhileStreaming,
} from "./client/chat-types.ts";
export type { MessageBranch, ThreadMessage } from "./wire/chat-thread.ts";
export { JobView, type JobViewOptions, type JobViewSnapshot } from "./client/job-view.ts";
export {
  emptyJob,
  endJob,
  foldJob,
  type JobFailure,
  type JobItem,
  type JobLogLevel,
  type JobLogLine,
  type JobProgress,
  type JobQueuedItem,
  type JobRunningItem,
  type JobSnapshot,
  type JobState,
} from "./wire/job-items.ts";
export { TailraceChatTransport } from "./client/chat-transport.ts";
export type {
  ChatTransportOptions,
  TransportReconnectOptions,
  TransportSendOptions,
} from "./client/chat-transport-types.ts";
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
export { download } from "./client/download.ts";
export { downloadNameOf, saveAs } from "./client/download-name.ts";
export type {
  Download,
  DownloadOptions,
  DownloadResult,
  DownloadSnapshot,
  DownloadStatus,
} from "./client/download-types.ts";
export { DownloadView, type DownloadViewOptions, type DownloadViewSnapshot } from "./client/download-view.ts";
export type { TransferOptions, TransferSpeed } from "./client/transfer-types.ts";
export { transformFile, type TransformFileOptions } from "./client/transform-file.ts";
export type { TransformAs, TransformContext, TransformCoreOptions, TransformFunction } from "./wire/transform-types.ts";
export { upload } from "./client/upload.ts";
export {
  createUploadQueue,
  type QueuedUpload,
  type UploadQueue,
  type UploadQueueOptions,
  type UploadTotals,
} from "./client/upload-queue.ts";
export { localUploadStore, type UploadStore } from "./client/upload-store.ts";
export type { Upload, UploadOptions, UploadResult, UploadSnapshot, UploadStatus } from "./client/upload-types.ts";
export { type UploadItem, UploadView, type UploadViewOptions, type UploadViewSnapshot } from "./client/upload-view.ts";
