// The list of a chat's messages: pure steps from one list to the next.

import type { ThreadMessage } from "../wire/chat-thread.ts";
import { type ChatMessage, hasContent } from "../wire/ui-message.ts";
import type { ChatOptions } from "./chat-types.ts";

type Messages = readonly ThreadMessage[];

/** How many of the messages before it a POST names, so that the server finds the place of a new one. */
const MAX_NAMED = 20;

/** What a POST asks for. */
export interface PostPlan {
  readonly trigger: "submit-message" | "regenerate-message";
  /** What an edited message or a new answer stands beside; the answer whose tools have run. */
  readonly messageId?: string | undefined;
  /** All messages up to and with the one that is sent. */
  readonly messages: Messages;
}

/** The body of the POST, as the AI SDK sends it, and `history` and `key` of ours; of a message only what its shape there has. */
export function toBody(
  id: string,
  { messages, trigger, messageId }: PostPlan,
  key: string,
  options: Pick<ChatOptions, "body" | "sendHistory">,
): Readonly<Record<string, unknown>> {
  const chosen = options.sendHistory === true ? messages : messages.slice(-1);
  const sent = chosen.map(({ id, role, parts, metadata }) => ({
    id,
    role,
    parts,
    ...(metadata === undefined ? {} : { metadata }),
  }));
  const history = messages
    .slice(0, -1)
    .slice(-MAX_NAMED)
    .map((message) => message.id);
  const named = messageId === undefined ? {} : { messageId };
  return { ...options.body, id, messages: sent, trigger, ...named, history, key };
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
 * The saved messages with what only this page knows: what was loaded before them, ends that the server does not keep, and
 * messages at the tail that it did not take. One that has not changed stays the object that it was.
 */
export function mergeSaved(local: Messages, saved: Messages): Messages {
  const old = new Map(local.map((message) => [message.id, message]));
  const known = new Set(saved.map((message) => message.id));
  const merged = saved.map((message) => {
    const before = old.get(message.id);
    const end = message.end ?? before?.end;
    const full = end === message.end || end === undefined ? message : { ...message, end };
    return before !== undefined && isSame(before, full) ? before : full;
  });
  const from = saved[0] === undefined ? 0 : local.findIndex((message) => message.id === saved[0]!.id);
  const unsent = local.slice(Math.max(0, from)).filter(({ id, delivery }) => delivery === "failed" && !known.has(id));
  const all = [...local.slice(0, Math.max(0, from)), ...merged, ...unsent];
  return all.length === local.length && all.every((message, index) => message === local[index]) ? local : all;
}

function isSame(a: ThreadMessage, b: ThreadMessage): boolean {
  return a.role === b.role && textFor(a) === textFor(b);
}

function textFor({ parts, end, branch, metadata, delivery }: ThreadMessage): string {
  return JSON.stringify([parts, end, branch, metadata, delivery]);
}

/** The messages with an answer in its place: over the one of its id, else at the end. One without content is left out. */
export function placeAnswer(messages: Messages, answer: ChatMessage | undefined): Messages {
  if (answer === undefined || (!hasContent(answer) && answer.end === undefined)) return messages;
  const at = messages.findIndex((message) => message.id === answer.id);
  if (at < 0) return [...messages, answer];
  const { branch } = messages[at]!;
  return messages[at] === answer ? messages : messages.with(at, branch === undefined ? answer : { ...answer, branch });
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
