// The body of a request for a chat completion, checked, and its messages as ours.

import { TailraceError } from "../errors.ts";
import type { Part } from "../wire/ui-message-parts.ts";
import type { ChatMessage } from "../wire/ui-message.ts";

/** What a request for a completion asks. */
export interface CompletionRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** The whole body as it came: temperature, tools and the like, unchecked. */
  readonly params: Readonly<Record<string, unknown>>;
}

type Json = Readonly<Record<string, unknown>>;

/** The most messages of one request. */
export const MAX_MESSAGES_COUNT = 10_000;

/** @throws {TailraceError} `input_invalid` (400), with the member's name in `details.field` */
export function readCompletionRequest(body: unknown): CompletionRequest {
  if (!isRecord(body)) throw bad("The body is not a JSON object.", undefined);
  const {
    model,
    messages,
    stream = false,
    n = 1,
    stream_options: streamOptions,
  } = body as Json & {
    readonly model?: unknown;
    readonly messages?: unknown;
    readonly stream?: unknown;
    readonly n?: unknown;
    readonly stream_options?: unknown;
  };
  if (typeof model !== "string" || model === "") throw bad("model must be the name of a model.", "model");
  if (!Array.isArray(messages) || messages.length === 0)
    throw bad("messages must be a list, and not empty.", "messages");
  if (messages.length > MAX_MESSAGES_COUNT) {
    throw bad(`messages has ${messages.length} entries; the most is ${MAX_MESSAGES_COUNT}.`, "messages");
  }
  if (stream !== null && typeof stream !== "boolean") throw bad("stream must be true or false.", "stream");
  if (n !== null && n !== 1) throw bad("n must be 1: one answer is given per request.", "n");
  if (streamOptions !== undefined && streamOptions !== null && !isRecord(streamOptions)) {
    throw bad("stream_options must be an object.", "stream_options");
  }
  const includeUsage = isRecord(streamOptions) && streamOptions["include_usage"] === true;
  return { model, messages: readMessages(messages), stream: stream === true, includeUsage, params: body };
}

function bad(message: string, field: string | undefined): TailraceError {
  return new TailraceError("input_invalid", message, {
    status: 400,
    details: field === undefined ? {} : { field },
  });
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const ROLES: Readonly<Record<string, ChatMessage["role"]>> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
};

function readMessages(messages: readonly unknown[]): readonly ChatMessage[] {
  const read: ChatMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const field = `messages[${index}]`;
    if (!isRecord(message)) throw bad(`${field} must be an object.`, field);
    const { role } = message as { readonly role?: unknown };
    if (role === "tool" || role === "function") {
      answerCall(read, message, field);
      continue;
    }
    const known = typeof role === "string" ? ROLES[role] : undefined;
    if (known === undefined) {
      throw bad(`${field}.role must be system, developer, user, assistant or tool.`, `${field}.role`);
    }
    const parts = [...readContent(message["content"], known, field), ...readCalls(message["tool_calls"], field)];
    read.push({ id: `message-${index}`, role: known, parts });
  }
  return read;
}

function readContent(content: unknown, role: ChatMessage["role"], field: string): readonly Part[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  // An answer that called tools has none.
  if ((content === null || content === undefined) && role === "assistant") return [];
  const place = `${field}.content`;
  if (!Array.isArray(content)) throw bad(`${place} must be a text or a list of parts.`, place);
  return content.map((part: unknown, index) => readPart(part, `${place}[${index}]`));
}

function readPart(part: unknown, field: string): Part {
  if (!isRecord(part)) throw bad(`${field} must be an object.`, field);
  const image = part["image_url"];
  const file = part["file"];
  switch (part["type"]) {
    case "text":
    case "refusal": {
      const text = part["text"] ?? part["refusal"];
      if (typeof text === "string") return { type: "text", text };
      break;
    }
    case "image_url":
      if (isRecord(image) && typeof image["url"] === "string") return fileOf(image["url"], "image/*");
      break;
    case "file":
      if (isRecord(file) && typeof file["file_data"] === "string") return fileOf(file["file_data"], "application/pdf");
      break;
    default:
  }
  throw bad(`${field} must be a text, an image_url or a file with its data.`, field);
}

function fileOf(url: string, fallback: string): Part {
  // RFC 2397: the type stands between the scheme and the first `;` or `,`.
  const mediaType = /^data:([\w.+-]+\/[\w.+-]+)[;,]/.exec(url)?.[1] ?? fallback;
  return { type: "file", url, mediaType };
}

function readCalls(calls: unknown, field: string): readonly Part[] {
  if (calls === undefined || calls === null) return [];
  const place = `${field}.tool_calls`;
  if (!Array.isArray(calls)) throw bad(`${place} must be a list.`, place);
  return calls.map((call: unknown): Part => {
    const called = isRecord(call) ? call["function"] : undefined;
    if (!isRecord(call) || !isRecord(called) || typeof call["id"] !== "string" || typeof called["name"] !== "string") {
      throw bad(`${place} must hold calls with an id and a function's name.`, place);
    }
    const input = parsed(called["arguments"]);
    return { type: `tool-${called["name"]}`, toolCallId: call["id"], state: "input-available", input };
  });
}

/** The arguments of a call; a model may have written what is no JSON. */
function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Puts the result of a call into the message that called. */
function answerCall(read: ChatMessage[], message: Json, field: string): void {
  const id = message["tool_call_id"];
  const isIt = (part: Part): boolean => "toolCallId" in part && part.toolCallId === id;
  const index = typeof id === "string" ? read.findLastIndex(({ parts }) => parts.some(isIt)) : -1;
  const called = read[index];
  if (called === undefined) throw bad(`${field}.tool_call_id names no call before it.`, `${field}.tool_call_id`);
  const { content } = message as { readonly content?: unknown };
  const output = typeof content === "string" ? content : readContent(content, "user", field);
  const parts = called.parts.map((part) => (isIt(part) ? { ...part, state: "output-available", output } : part));
  read[index] = { ...called, parts: parts as readonly Part[] };
}
