// Folds the chunks of the AI SDK's UI message stream, version v1, into a message: a pure reducer.

import type { Part, TextPart } from "./ui-message-parts.ts";
import { foldTool } from "./ui-message-tools.ts";

/** How an answer ended; absent while it is being written, or when nobody knows. */
export interface MessageEnd {
  readonly reason: "completed" | "stopped" | "failed" | "interrupted";
  readonly message?: string | undefined;
}

/** One part of a message, in the AI SDK's shape. */
export type MessagePart = Part;

/** A message in the shape of the AI SDK's `UIMessage`, with two additions of ours: `end` and `delivery`. */
export interface ChatMessage {
  readonly id: string;
  readonly role: "user" | "assistant" | "system";
  readonly parts: readonly MessagePart[];
  readonly metadata?: unknown;
  /** Assistant only. */
  readonly end?: MessageEnd | undefined;
  /** User only: `sending` until the server has answered, `failed` when it did not take the message. */
  readonly delivery?: "sending" | "failed" | undefined;
}

/** One chunk as it was decoded. Nothing is taken for granted but that it may have a `type`. */
export type MessageChunk = Readonly<Record<string, unknown>>;

/** An answer that is being folded. */
export interface Answer {
  readonly message: ChatMessage;
  /** Where the open text and reasoning parts stand, by `kind:id`. */
  readonly open: ReadonlyMap<string, number>;
}

/** An answer without a word yet. */
export function emptyAnswer(id: string): Answer {
  return { message: { id, role: "assistant", parts: [] }, open: new Map() };
}

/** How the chunk ends its answer; undefined when it does not. `finish`, `abort` and `error` are the terminals. */
export function readTerminal(chunk: MessageChunk): MessageEnd | undefined {
  switch (chunk["type"]) {
    case "finish":
      return { reason: "completed" };
    case "abort":
      return { reason: "stopped" };
    case "error": {
      const reason = chunk["reason"] === "interrupted" ? "interrupted" : "failed";
      const message = asText(chunk["errorText"]);
      return message === "" ? { reason } : { reason, message };
    }
    default:
      return undefined;
  }
}

/** Whether the message shows anything: a step that has begun is not yet something to see. */
export function hasContent(message: ChatMessage): boolean {
  return message.parts.some((part) => part.type !== "step-start");
}

/** Parses `data`; undefined for what is no chunk, such as `[DONE]`. The whole field is compared, never a piece of it. */
export function parseChunk(data: string): MessageChunk | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as MessageChunk) : undefined;
  } catch {
    return undefined;
  }
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function withParts(answer: Answer, parts: readonly MessagePart[]): Answer {
  return { ...answer, message: { ...answer.message, parts } };
}

function addPart(answer: Answer, part: MessagePart): Answer {
  return withParts(answer, [...answer.message.parts, part]);
}

function withMetadata(answer: Answer, added: unknown): Answer {
  if (!isRecord(added)) return answer;
  const old = answer.message.metadata;
  const metadata = isRecord(old) ? mergeMetadata(old, added) : added;
  return { ...answer, message: { ...answer.message, metadata } };
}

function isRecord(value: unknown): value is MessageChunk {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Merges metadata as the AI SDK does: object by object, where anything else takes the place of what was there. */
export function mergeMetadata(base: MessageChunk, added: MessageChunk): MessageChunk {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(added)) {
    // JSON can name them, and they would reach the prototype.
    if (key === "__proto__" || key === "constructor" || key === "prototype" || value === undefined) continue;
    const old = merged[key];
    merged[key] = isRecord(old) && isRecord(value) ? mergeMetadata(old, value) : value;
  }
  return merged;
}

type Kind = TextPart["type"];

function startText(answer: Answer, kind: Kind, id: string, chunk: MessageChunk): Answer {
  const open = new Map(answer.open).set(`${kind}:${id}`, answer.message.parts.length);
  return addPart({ ...answer, open }, withProvider({ type: kind, text: "", state: "streaming" }, chunk));
}

/** A delta whose start was never seen opens its part itself: better a part of its own than lost words. */
function addText(answer: Answer, kind: Kind, id: string, chunk: MessageChunk): Answer {
  const key = `${kind}:${id}`;
  const ready = answer.open.has(key) ? answer : startText(answer, kind, id, {});
  return changeText(ready, ready.open.get(key), (part) =>
    withProvider({ ...part, text: part.text + asText(chunk["delta"]) }, chunk),
  );
}

function endText(answer: Answer, kind: Kind, id: string, chunk: MessageChunk): Answer {
  const key = `${kind}:${id}`;
  const index = answer.open.get(key);
  if (index === undefined) return answer;
  const open = new Map(answer.open);
  open.delete(key);
  const citations = Array.isArray(chunk["citations"]) ? { citations: chunk["citations"] } : {};
  return changeText({ ...answer, open }, index, (part) =>
    withProvider({ ...part, ...citations, state: "done" }, chunk),
  );
}

function changeText(answer: Answer, index: number | undefined, make: (part: TextPart) => TextPart): Answer {
  const { parts } = answer.message;
  const part = index === undefined ? undefined : parts[index];
  if (part === undefined || (part.type !== "text" && part.type !== "reasoning")) return answer;
  return withParts(answer, parts.with(index!, make(part)));
}

function withProvider<T extends object>(part: T, chunk: MessageChunk): T {
  const metadata = chunk["providerMetadata"];
  return metadata === undefined || metadata === null ? part : { ...part, providerMetadata: metadata };
}

/** A `data-NAME` chunk: the same name and id replaces in place; a transient one is not for the message. */
function addData(answer: Answer, type: `data-${string}`, chunk: MessageChunk): Answer {
  if (chunk["transient"] === true) return answer;
  const id = typeof chunk["id"] === "string" ? chunk["id"] : undefined;
  const part = { type, ...(id === undefined ? {} : { id }), data: chunk["data"] };
  const { parts } = answer.message;
  const index = id === undefined ? -1 : parts.findIndex((old) => old.type === type && "id" in old && old.id === id);
  return index < 0 ? addPart(answer, part) : withParts(answer, parts.with(index, part));
}

/** A step is done again: what came since it began goes. */
function resetStep(answer: Answer): Answer {
  const start = answer.message.parts.findLastIndex((part) => part.type === "step-start");
  return withParts({ ...answer, open: new Map() }, start < 0 ? [] : answer.message.parts.slice(0, start + 1));
}

/** The answer with its end, and no part left open. */
export function endAnswer(answer: Answer, end: MessageEnd): Answer {
  const parts = answer.message.parts.map((part) =>
    (part.type === "text" || part.type === "reasoning") && part.state === "streaming"
      ? { ...part, state: "done" as const }
      : part,
  );
  return { message: { ...answer.message, parts, end }, open: new Map() };
}

/**
 * Folds one chunk into an answer. `start` begins the message anew, so that a replay from the first chunk replaces what
 * was there; an unknown type changes nothing; after a terminal nothing but a new `start` does.
 */
export function foldChunk(answer: Answer, chunk: MessageChunk): Answer {
  const type = asText(chunk["type"]);
  const id = asText(chunk["id"]);
  if (type === "start") {
    return withMetadata(emptyAnswer(asText(chunk["messageId"]) || answer.message.id), chunk["messageMetadata"]);
  }
  if (answer.message.end !== undefined) return answer;
  const end = readTerminal(chunk);
  if (end !== undefined) return endAnswer(withMetadata(answer, chunk["messageMetadata"]), end);
  switch (type) {
    case "text-start":
      return startText(answer, "text", id, chunk);
    case "text-delta":
      return addText(answer, "text", id, chunk);
    case "text-end":
      return endText(answer, "text", id, chunk);
    case "reasoning-start":
      return startText(answer, "reasoning", id, chunk);
    case "reasoning-delta":
      return addText(answer, "reasoning", id, chunk);
    case "reasoning-end":
      return endText(answer, "reasoning", id, chunk);
    case "source-url":
    case "source-document":
    case "file":
    case "reasoning-file":
    case "custom":
    case "steering-message":
      return addPart(answer, wholePart(type, chunk));
    case "message-metadata":
      return withMetadata(answer, chunk["messageMetadata"]);
    case "start-step":
      return addPart(answer, { type: "step-start" });
    case "reset-step":
      return resetStep(answer);
    default: {
      if (type.startsWith("data-")) return addData(answer, type as `data-${string}`, chunk);
      const parts = foldTool(answer.message.parts, chunk);
      return parts === answer.message.parts ? answer : withParts(answer, parts);
    }
  }
}

/** The part that one chunk brings whole. */
function wholePart(type: string, chunk: MessageChunk): MessagePart {
  const text = (key: string): string => asText(chunk[key]);
  const maybe = (key: string): object => (typeof chunk[key] === "string" ? { [key]: chunk[key] } : {});
  switch (type) {
    case "source-url":
      return withProvider({ type, sourceId: text("sourceId"), url: text("url"), ...maybe("title") }, chunk);
    case "source-document": {
      const source = { type, sourceId: text("sourceId"), mediaType: text("mediaType"), title: text("title") } as const;
      return withProvider({ ...source, ...maybe("filename") }, chunk);
    }
    case "file":
    case "reasoning-file":
      return withProvider({ type, url: text("url"), mediaType: text("mediaType") }, chunk);
    case "custom":
      return withProvider({ type, kind: text("kind") }, chunk);
    default: {
      const parts = Array.isArray(chunk["parts"]) ? (chunk["parts"] as readonly unknown[]) : [];
      return { type: "steering-message", id: text("id"), parts };
    }
  }
}

/** The plain text of a message: its text parts, joined. */
export function messageText(message: Pick<ChatMessage, "parts">): string {
  return message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
