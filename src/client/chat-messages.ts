// The list of a chat's messages: pure steps from one list to the next.

import { type ChatMessage, hasContent } from "../wire/ui-message.ts";

type Messages = readonly ChatMessage[];

/** The body of the POST, as the AI SDK sends it; of a message only what its shape there has. */
export function toBody(
  id: string,
  messages: Messages,
  trigger: "submit-message" | "regenerate-message",
  messageId: string | undefined,
  further: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> {
  const sent = messages.map(({ id, role, parts, metadata }) => ({
    id,
    role,
    parts,
    ...(metadata === undefined ? {} : { metadata }),
  }));
  return { ...further, id, messages: sent, trigger, ...(messageId === undefined ? {} : { messageId }) };
}

/** Whether an answer may be running: the last message has none, or is one that has not ended. */
export function needsAnswer(messages: Messages): boolean {
  const last = messages.at(-1);
  if (last === undefined) return false;
  return last.role === "assistant" ? last.end === undefined : last.delivery !== "failed";
}

/** The id of a last answer that has not ended: a tail that comes without its start belongs to it. */
export function unfinishedId(messages: Messages): string | undefined {
  const last = messages.at(-1);
  return last?.role === "assistant" && last.end === undefined ? last.id : undefined;
}

/**
 * The saved messages with what only this page knows: ends that the server does not keep, and messages at the tail that
 * it did not take.
 */
export function mergeSaved(local: Messages, saved: Messages): Messages {
  const ends = new Map(local.map((message) => [message.id, message.end]));
  const known = new Set(saved.map((message) => message.id));
  const merged = saved.map((message) => {
    const end = message.end ?? ends.get(message.id);
    return end === message.end || end === undefined ? message : { ...message, end };
  });
  const unsent = local.filter((message) => message.delivery === "failed" && !known.has(message.id));
  return [...merged, ...unsent];
}

/** The messages with an answer in its place: over the one of its id, else at the end. One without content is left out. */
export function placeAnswer(messages: Messages, answer: ChatMessage | undefined): Messages {
  if (answer === undefined || (!hasContent(answer) && answer.end === undefined)) return messages;
  const at = messages.findIndex((message) => message.id === answer.id);
  return at < 0 ? [...messages, answer] : messages.with(at, answer);
}

/** Marks the last message of the user. */
export function markDelivery(messages: Messages, delivery: ChatMessage["delivery"]): Messages {
  const at = messages.findLastIndex((message) => message.role === "user");
  const message = messages[at];
  if (message === undefined) return messages;
  const { delivery: _old, ...bare } = message;
  return messages.with(at, delivery === undefined ? bare : { ...bare, delivery });
}

/** An id of 24 hexadecimal digits. `crypto.randomUUID` would need https, which a page in a home network may not have. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
