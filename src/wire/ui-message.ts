// Folds the chunks of the AI SDK's UI message stream, version v1, into a message: a pure reducer.

/** How an answer ended; absent while it is being written, or when nobody knows. */
export interface MessageEnd {
  readonly reason: "completed" | "stopped" | "failed" | "interrupted";
  readonly message?: string | undefined;
}

/** One part of a message, in the AI SDK's shape. */
export type MessagePart =
  | { readonly type: "text"; readonly text: string; readonly state?: "streaming" | "done" | undefined }
  | { readonly type: "reasoning"; readonly text: string; readonly state?: "streaming" | "done" | undefined }
  | {
      readonly type: "source-url";
      readonly sourceId: string;
      readonly url: string;
      readonly title?: string | undefined;
    }
  | {
      readonly type: "source-document";
      readonly sourceId: string;
      readonly mediaType: string;
      readonly title: string;
      readonly filename?: string | undefined;
    }
  | { readonly type: "file"; readonly url: string; readonly mediaType: string }
  | { readonly type: "step-start" }
  | { readonly type: `data-${string}`; readonly id?: string | undefined; readonly data: unknown };

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
  if (typeof added !== "object" || added === null) return answer;
  const old = answer.message.metadata;
  const metadata = typeof old === "object" && old !== null ? { ...old, ...added } : added;
  return { ...answer, message: { ...answer.message, metadata } };
}

type Kind = "text" | "reasoning";

function startText(answer: Answer, kind: Kind, id: string): Answer {
  const open = new Map(answer.open).set(`${kind}:${id}`, answer.message.parts.length);
  return addPart({ ...answer, open }, { type: kind, text: "", state: "streaming" });
}

/** A delta whose start was never seen opens its part itself: better a part of its own than lost words. */
function addText(answer: Answer, kind: Kind, id: string, delta: string): Answer {
  const key = `${kind}:${id}`;
  const ready = answer.open.has(key) ? answer : startText(answer, kind, id);
  const index = ready.open.get(key);
  return withParts(
    ready,
    ready.message.parts.map((part, at) =>
      at === index && part.type === kind ? { ...part, text: part.text + delta } : part,
    ),
  );
}

function endText(answer: Answer, kind: Kind, id: string): Answer {
  const key = `${kind}:${id}`;
  const index = answer.open.get(key);
  if (index === undefined) return answer;
  const open = new Map(answer.open);
  open.delete(key);
  return withParts(
    { ...answer, open },
    answer.message.parts.map((part, at) => (at === index && part.type === kind ? { ...part, state: "done" } : part)),
  );
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
      return startText(answer, "text", id);
    case "text-delta":
      return addText(answer, "text", id, asText(chunk["delta"]));
    case "text-end":
      return endText(answer, "text", id);
    case "reasoning-start":
      return startText(answer, "reasoning", id);
    case "reasoning-delta":
      return addText(answer, "reasoning", id, asText(chunk["delta"]));
    case "reasoning-end":
      return endText(answer, "reasoning", id);
    case "source-url": {
      const title = chunk["title"];
      const source = { type, sourceId: asText(chunk["sourceId"]), url: asText(chunk["url"]) } as const;
      return addPart(answer, typeof title === "string" ? { ...source, title } : source);
    }
    case "source-document": {
      const { filename } = chunk as { readonly filename?: unknown };
      return addPart(answer, {
        type,
        sourceId: asText(chunk["sourceId"]),
        mediaType: asText(chunk["mediaType"]),
        title: asText(chunk["title"]),
        ...(typeof filename === "string" ? { filename } : {}),
      });
    }
    case "file":
      return addPart(answer, { type, url: asText(chunk["url"]), mediaType: asText(chunk["mediaType"]) });
    case "message-metadata":
      return withMetadata(answer, chunk["messageMetadata"]);
    case "start-step":
      return addPart(answer, { type: "step-start" });
    case "finish-step":
      // The ids of parts may come again in the next step.
      return { ...answer, open: new Map() };
    case "reset-step":
      return resetStep(answer);
    default:
      return type.startsWith("data-") ? addData(answer, type as `data-${string}`, chunk) : answer;
  }
}

/** The plain text of a message: its text parts, joined. */
export function messageText(message: Pick<ChatMessage, "parts">): string {
  return message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
