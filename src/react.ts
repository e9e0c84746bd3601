"use client";
// The door `tailrace/react`: the hooks.

export type {
  ApprovalAnswer,
  ChatFile,
  ChatInput,
  ChatSnapshot,
  ChatStatus,
  ToolOutput,
  WhileStreaming,
} from "./client/chat-types.ts";
export type { Fetch, HeadersSource, StreamEnd, StreamGap, StreamItem } from "./client/stream-types.ts";
export type { StreamSnapshot } from "./client/stream-view.ts";
export { type ChatMessage, type MessageEnd, type MessagePart, messageText } from "./wire/ui-message.ts";
export {
  useChat,
  useChatHandle,
  useChatMessage,
  useChatMessages,
  useChatSelector,
  type UseChat,
  type UseChatOptions,
} from "./react/use-chat.ts";
export { useAttachments, type UseAttachments, type UseAttachmentsOptions } from "./react/use-attachments.ts";
export type { UrlOf } from "./client/chat-attachments.ts";
export type { UploadResult } from "./client/upload-types.ts";
export type { MessageBranch, ThreadMessage } from "./wire/chat-thread.ts";
export type { JobViewSnapshot } from "./client/job-view.ts";
export type { JobLogLine, JobProgress, JobSnapshot, JobState } from "./wire/job-items.ts";
export { useJob, type UseJob, type UseJobOptions } from "./react/use-job.ts";
export { useStickToBottom, type UseStickToBottom } from "./react/use-stick-to-bottom.ts";
export { useStream, type UseStream, type UseStreamOptions } from "./react/use-stream.ts";
export { createUploadQueue, type UploadQueue, type UploadTotals } from "./client/upload-queue.ts";
export type { DownloadViewSnapshot } from "./client/download-view.ts";
export type { UploadItem, UploadViewSnapshot } from "./client/upload-view.ts";
export { saveAs } from "./client/download-name.ts";
export { useDownload, type UseDownload, type UseDownloadOptions } from "./react/use-download.ts";
export { useUpload, type UseUpload, type UseUploadOptions } from "./react/use-upload.ts";
