// Who answers in the chat: the configured model, or the project's own documentation.

import OpenAI from "openai";
import {
  type Answerer,
  type ChatMessage,
  Conversations,
  fromChatCompletions,
  type UiChunk,
  withCare,
} from "tailrace/chat";
import { answerAboutNotes, isAboutNotes } from "./chat-notes-tool.ts";
import { answerFromDocs } from "./docs-search.ts";
import { hasModel } from "./environment.ts";
import { streams } from "./streams.ts";

export const conversations: Conversations = new Conversations(streams);

/** Answers the last message, until the signal aborts. */
export const answer: Answerer = (context) =>
  hasModel() ? askModel(context) : askDocs(context.messages, context.signal);

/**
 * With care: a wait for the model has its limits, it is asked again as long as it has said nothing, and whoever stops an answer stops
 * the request and its bill.
 */
const askModel = withCare<Parameters<Answerer>[0]>(
  async ({ messages, signal }) => {
    // Made on first use and not when the module loads: the demo builds without a key.
    client ??= new OpenAI({ apiKey: process.env["OPENAI_API_KEY"] ?? "none", maxRetries: 0 });
    const model = process.env["OPENAI_MODEL"] ?? "gpt-5-mini";
    const prompt = messages
      .map(({ role, parts }) => ({ role, content: [textIn(parts), ...filesIn(parts)].filter(Boolean).join("\n") }))
      .filter(({ content }) => content !== "");
    const stream = await client.chat.completions.create({ model, messages: prompt, stream: true }, { signal });
    return fromChatCompletions(stream);
  },
  { firstChunkMs: 60_000, betweenChunksMs: 30_000 },
);

let client: OpenAI | undefined;

async function* askDocs(
  messages: readonly ChatMessage[],
  signal: AbortSignal,
): AsyncGenerator<UiChunk, void, undefined> {
  if (isAboutNotes(messages)) return yield* answerAboutNotes(messages);
  const question = textIn(messages.at(-1)?.parts ?? []);
  const id = "text-1";
  yield { type: "text-start", id };
  for await (const part of answerFromDocs({ question, signal })) {
    if (part.type === "text") yield { type: "text-delta", id, delta: part.text };
    else yield { type: "source-url", sourceId: part.id, url: part.url, title: part.title };
  }
  yield { type: "text-end", id };
}

/** The text of a message. */
export function textIn(parts: ChatMessage["parts"]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** What a model is told of files that it does not see. */
function filesIn(parts: ChatMessage["parts"]): readonly string[] {
  return parts.flatMap((part) => (part.type === "file" ? [`[attached: ${part.filename ?? part.url}]`] : []));
}
