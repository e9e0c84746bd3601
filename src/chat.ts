// `tailrace/chat`: answers of language models as runs.

export { Conversations } from "./chat/conversations.ts";
export type {
  AnswerContext,
  Answerer,
  ContinueOptions,
  ConversationExport,
  ConversationsOptions,
  ExportedMessage,
  MessagesOptions,
  SendOptions,
} from "./chat/conversations-types.ts";
export type { ConversationEntry, ConversationList, ListOptions } from "./chat/conversations-index.ts";
export type { MessageBranch, ThreadMessage, ThreadPage } from "./wire/chat-thread.ts";
export { fromAgUi, type AgUiEvent } from "./chat/ag-ui-in.ts";
export { fromAiSdk, type AiSdkResult } from "./chat/ai-sdk.ts";
export { fromAnthropic, type AnthropicEvent } from "./chat/anthropic.ts";
export { classifyModelError, type ModelError, type ModelErrorKind } from "./chat/model-errors.ts";
export { fromResponses, type ResponsesEvent } from "./chat/openai-responses.ts";
export { fromChatCompletions, type ChatCompletionChunk } from "./chat/openai.ts";
export { fromText } from "./chat/plain-text.ts";
export { withCare, type CareOptions } from "./chat/upstream-care.ts";
export type { Upstream, UpstreamBytes } from "./chat/upstream-events.ts";
export { completionsRoute, type CompletionContext, type CompletionsRouteOptions } from "./chat/completions-route.ts";
export { toAgUi, type AgUiOptions } from "./chat/to-ag-ui-reply.ts";
export { toChatCompletions, type ChatCompletionsOptions } from "./chat/to-chat-completions-reply.ts";
export { chatReply } from "./chat/to-client.ts";
export { textOf, uiMessageStream, type UiMessageStreamOptions } from "./chat/ui-message-stream.ts";
export type { FinishReason, ProviderMetadata, TokenUsage, UiChunk } from "./wire/ui-chunks.ts";
export type { ChatMessage, MessageEnd, MessagePart } from "./wire/ui-message.ts";
export { isToolPart, toolNameOf, type ToolApproval, type ToolPart, type ToolState } from "./wire/ui-message-parts.ts";
