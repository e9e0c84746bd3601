// The body of a chat's POST, field by field: what the AI SDK's transport sends, and `history` and `key` of our own client.

import { TailraceError } from "tailrace";
import type { Answerer, ChatMessage, ContinueOptions, SendOptions } from "tailrace/chat";
import { asChoice, asObject, asText, invalid } from "./input.ts";

const MAX_MESSAGES = 10_000;
const MAX_PARTS = 1_000;
const MAX_TEXT = 100_000;
const MAX_FILES = 20;
const MAX_ID = 200;

/** What is asked for: an answer to a message, or that an answer goes on with the results of its tools. */
export type ChatRequest = ({ readonly kind: "send" } & SendOptions) | ({ readonly kind: "continue" } & ContinueOptions);

/** @throws {TailraceError} `input_invalid` */
export function chatRequest(value: unknown, answer: Answerer): ChatRequest {
  const body = asObject(value);
  const id = asText(body["id"], "id", 1, 128);
  const trigger = asChoice(body["trigger"] ?? "submit-message", "trigger", ["submit-message", "regenerate-message"]);
  const key = optionalId(body["key"], "key");
  const messages = body["messages"];
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > MAX_MESSAGES) {
    throw invalid("messages", `is a list of 1 to ${MAX_MESSAGES.toLocaleString("en")} messages`);
  }
  const isRegeneration = trigger === "regenerate-message";
  const last = asObject(messages.at(-1), "messages");
  if (last["role"] === "assistant" && !isRegeneration && hasToolPart(last)) {
    return { kind: "continue", id, key, answer, message: answerWithResults(last) };
  }
  const index = messages.findLastIndex((message) => asObject(message, "messages")["role"] === "user");
  if (index < 0) throw invalid("messages", "has a message of the role user in it");
  const message = userMessage(messages[index], `messages[${index}]`);
  const before: readonly unknown[] = messages.slice(0, index).map((other) => asObject(other, "messages")["id"]);
  const history = ids(body["history"] ?? before);
  const replaces = optionalId(body["messageId"], "messageId");
  return { kind: "send", id, key, answer, message, history, replaces, isRegeneration };
}

/** Only the results of tools make an answer go on. */
function hasToolPart({ parts }: Readonly<Record<string, unknown>>): boolean {
  if (!Array.isArray(parts)) return false;
  return parts.some((part) => {
    const type = typeof part === "object" && part !== null ? (part as { readonly type?: unknown }).type : undefined;
    return typeof type === "string" && (type === "dynamic-tool" || type.startsWith("tool-"));
  });
}

function ids(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_MESSAGES) throw invalid("history", "is a list of ids");
  return value.map((id) => asText(id, "history", 1, MAX_ID));
}

function optionalId(value: unknown, field: string): string | undefined {
  return value === undefined || value === null ? undefined : asText(value, field, 1, MAX_ID);
}

function partsOf(
  message: Readonly<Record<string, unknown>>,
  field: string,
): readonly Readonly<Record<string, unknown>>[] {
  const parts = message["parts"];
  if (!Array.isArray(parts) || parts.length === 0 || parts.length > MAX_PARTS) {
    throw invalid(field, `is a list of 1 to ${MAX_PARTS.toLocaleString("en")} parts`);
  }
  return parts.map((part) => asObject(part, field));
}

/** Texts and files; anything else is not for a reader to say. */
function userMessage(value: unknown, name: string): ChatMessage {
  const message = asObject(value, name);
  const field = `${name}.parts`;
  const parts = partsOf(message, field).flatMap((part): ChatMessage["parts"] => {
    if (part["type"] === "text") return [{ type: "text", text: asText(part["text"], field, 0, MAX_TEXT) }];
    if (part["type"] !== "file") return [];
    const url = asText(part["url"], field, 1, 2048);
    // Files that were uploaded here: a model is not to be sent to other addresses by whoever asks.
    if (!/^\/(?![/\\])/.test(url)) throw invalid(field, "names files by a path of this server");
    const filename = part["filename"] === undefined ? {} : { filename: asText(part["filename"], field, 1, 255) };
    return [{ type: "file", url, mediaType: asText(part["mediaType"], field, 1, 200), ...filename }];
  });
  if (parts.filter((part) => part.type === "file").length > MAX_FILES)
    throw invalid(field, `has at most ${MAX_FILES} files`);
  if (parts.every((part) => part.type === "text" && part.text.trim() === ""))
    throw invalid(field, "has a text or a file in it");
  return { id: asText(message["id"], `${name}.id`, 1, MAX_ID), role: "user", parts };
}

/** The log alone says which calls there are; of this message only the results are taken. */
function answerWithResults(message: Readonly<Record<string, unknown>>): ChatMessage {
  const parts = partsOf(message, "messages.parts") as unknown as ChatMessage["parts"];
  return { id: asText(message["id"], "messages.id", 1, MAX_ID), role: "assistant", parts };
}

/** @throws {TailraceError} `stream_unknown` (404) if there is no such conversation */
export function known<T>(found: T | undefined): T {
  if (found !== undefined) return found;
  throw new TailraceError("stream_unknown", "There is no such conversation.");
}
