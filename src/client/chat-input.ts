// What a reader sends, as messages: a text with files, an edited text, and what came of tools.

import { TailraceError } from "../errors.ts";
import type { ThreadMessage } from "../wire/chat-thread.ts";
import { isToolPart, type Part } from "../wire/ui-message-parts.ts";
import { foldTool } from "../wire/ui-message-tools.ts";
import type { ChatMessage } from "../wire/ui-message.ts";
import type { ApprovalAnswer, ChatFile, ChatInput, ToolOutput } from "./chat-types.ts";

/** The most files of one message. */
export const MAX_FILES = 20;
/** The longest address of a file, in UTF-16 code units. A `data:` address of a whole file belongs into an upload. */
export const MAX_FILE_URL_LENGTH = 2048;

/** The message of an input; undefined if there is nothing in it. @throws {TailraceError} `limit_exceeded` */
export function toMessage(input: ChatInput, newId: () => string): ChatMessage | undefined {
  const { text, files = [] } = typeof input === "string" ? { text: input } : input;
  if (text.trim() === "" && files.length === 0) return undefined;
  const words: readonly Part[] = text.trim() === "" ? [] : [{ type: "text", text }];
  return { id: newId(), role: "user", parts: [...words, ...toParts(files)] };
}

function toParts(files: readonly ChatFile[]): readonly Part[] {
  if (files.length > MAX_FILES)
    throw tooMuch(`A message has at most ${MAX_FILES} files; this one has ${files.length}.`);
  return files.map(({ url, mediaType, filename }) => {
    if (url.length > MAX_FILE_URL_LENGTH) {
      throw tooMuch(`A file's address has at most ${MAX_FILE_URL_LENGTH} characters; upload it and send the address.`);
    }
    return { type: "file", url, mediaType, ...(filename === undefined ? {} : { filename }) };
  });
}

function tooMuch(message: string): TailraceError {
  return new TailraceError("limit_exceeded", message, {
    details: { maxFiles: MAX_FILES, maxFileUrlLength: MAX_FILE_URL_LENGTH },
  });
}

/** A message with another text, under an id of its own; its files stay. Undefined if nothing is left to say. */
export function withText(message: ChatMessage, text: string, newId: () => string): ChatMessage | undefined {
  const rest = message.parts.filter((part) => part.type !== "text");
  if (text.trim() === "" && rest.length === 0) return undefined;
  const words: readonly Part[] = text.trim() === "" ? [] : [{ type: "text", text }];
  return { id: newId(), role: "user", parts: [...words, ...rest] };
}

/** The messages with a result in the answer that waits for it; undefined if none does. */
export function withResult(
  messages: readonly ThreadMessage[],
  result: ToolOutput | ApprovalAnswer,
): readonly ThreadMessage[] | undefined {
  const at = messages.findLastIndex((message) => message.parts.some((part) => isWaiting(part, result)));
  const message = messages[at];
  if (message === undefined) return undefined;
  const chunk =
    "approvalId" in result
      ? { type: "tool-approval-response", ...result }
      : { type: "output" in result ? "tool-output-available" : "tool-output-error", ...result };
  return messages.with(at, { ...message, parts: foldTool(message.parts, chunk) });
}

function isWaiting(part: Part, result: ToolOutput | ApprovalAnswer): boolean {
  if (!isToolPart(part)) return false;
  if ("approvalId" in result) return part.state === "approval-requested" && part.approval?.id === result.approvalId;
  return part.state === "input-available" && part.toolCallId === result.toolCallId;
}

/** Whether an answer has ended with tool calls, and each of them has its result. */
export function hasAllResults(message: ChatMessage | undefined): boolean {
  const calls = message?.parts.filter(isToolPart) ?? [];
  const isOpen = calls.some(
    ({ state, providerExecuted }) =>
      state === "input-streaming" ||
      state === "approval-requested" ||
      (state === "input-available" && providerExecuted !== true),
  );
  return message?.end?.reason === "completed" && calls.length > 0 && !isOpen;
}
