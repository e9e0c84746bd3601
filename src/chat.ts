// `tailrace/chat`: answers of language models as runs.

export { Conversations, type AnswerContext, type Answerer, type SendOptions } from "./chat/conversations.ts";
export { fromChatCompletions, type ChatCompletionChunk } from "./chat/openai.ts";
export { textOf, uiMessageStream } from "./chat/ui-message-stream.ts";
export type { UiChunk } from "./wire/ui-chunks.ts";
export type { ChatMessage, MessageEnd, MessagePart } from "./wire/ui-message.ts";
