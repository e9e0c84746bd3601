// The requests of a chat: its addresses, and what the answers mean.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { ChatOptions } from "./chat-types.ts";
import { requestHeaders } from "./request.ts";
import { discard, readText, responseError } from "./response.ts";
import type { Fetch, HeadersSource } from "./stream-types.ts";
import type { ThreadMessage } from "../wire/chat-thread.ts";
import type { ChatMessage } from "../wire/ui-message.ts";

/** The largest saved conversation that is read: 33,554,432 bytes (32 MiB). */
export const MAX_MESSAGES_BYTES: number = 33_554_432;

/** What a page of a conversation brings. A server of another make may say nothing but the messages. */
export interface LoadedPage {
  readonly messages: readonly ThreadMessage[];
  readonly before: string | undefined;
  readonly title: string;
  /** Where the conversation's stream stands; undefined if the server does not say or knows no such conversation. */
  readonly revision: string | undefined;
}

/** Which page is wanted. */
export interface PageQuery {
  readonly count?: number | undefined;
  readonly before?: string | undefined;
  readonly branch?: string | undefined;
}

/** What the query of an address may say. */
interface Query extends PageQuery {
  readonly prelude?: 1 | undefined;
}

/** Where a chat is and how it is reached. */
export interface ChatPlace {
  readonly api: string;
  readonly id: string;
  readonly fetch: Fetch;
  readonly headers: HeadersSource | undefined;
  readonly credentials: RequestCredentials | undefined;
}

/** The place that the options name. */
export function placeOf(options: ChatOptions): ChatPlace {
  const { id, api = "/api/chat", headers, credentials } = options;
  const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  return { api, id, fetch, headers, credentials };
}

/**
 * Where the answer that is being written is joined. It asks for what was written before to be merged (PROTOCOL.md, section 7.1), in the query:
 * a header of its own would cost a page of another origin a preflight that its server may not allow. A server that does not know it, and
 * one that is asked for what comes after a cursor, send each chunk.
 */
export function streamUrl(place: Pick<ChatPlace, "api" | "id">): string {
  return chatUrl(place, "stream", { prelude: 1 });
}

/** The address of something of a chat. A query or fragment of `api` is kept, as the AI SDK keeps it. */
export function chatUrl(
  place: Pick<ChatPlace, "api" | "id">,
  what: "messages" | "stream" | "stop" | "turns",
  query: Query = {},
): string {
  const [, path = "", kept = "", fragment = ""] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(place.api) ?? [];
  const added = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = added.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join("&");
  const joined = text === "" ? kept : `${kept === "" ? "?" : `${kept}&`}${text}`;
  return `${path}/${encodeURIComponent(place.id)}/${what}${joined}${fragment}`;
}

async function request(
  place: ChatPlace,
  what: "messages" | "stop",
  signal: AbortSignal,
  query?: PageQuery,
): Promise<Response> {
  const headers = await requestHeaders(place.headers, { attempt: 0, lastEventId: "" });
  if (!headers.has("accept")) headers.set("accept", "application/json");
  const credentials = place.credentials ?? "same-origin";
  const method = what === "stop" ? "POST" : "GET";
  try {
    return await place.fetch(chatUrl(place, what, query), { method, headers, credentials, cache: "no-store", signal });
  } catch (cause) {
    if (isTailraceError(cause)) throw cause;
    throw new TailraceError(
      "connection_failed",
      "The server could not be reached. Check the connection and try again.",
      {
        cause,
      },
    );
  }
}

function isMessage(value: unknown): value is ChatMessage {
  if (typeof value !== "object" || value === null) return false;
  const { id, role, parts } = value as Partial<Record<keyof ChatMessage, unknown>>;
  return typeof id === "string" && typeof role === "string" && Array.isArray(parts);
}

function textOr<T>(value: unknown, other: T): string | T {
  return typeof value === "string" ? value : other;
}

/** A page of the saved conversation; empty when the server knows none (404). */
export async function loadPage(place: ChatPlace, signal: AbortSignal, query: PageQuery = {}): Promise<LoadedPage> {
  const response = await request(place, "messages", signal, query);
  if (response.status === 404 || response.status === 204) {
    await discard(response);
    return { messages: [], before: undefined, title: "", revision: undefined };
  }
  if (!response.ok)
    throw await responseError(response, response.status >= 500 ? "connection_failed" : "response_refused");
  const text = await readText(response, MAX_MESSAGES_BYTES);
  let body: unknown;
  try {
    body = JSON.parse(text ?? "");
  } catch {
    body = undefined;
  }
  const { messages, before, title, revision } = (body ?? {}) as Partial<Record<keyof LoadedPage, unknown>>;
  if (Array.isArray(messages) && messages.every(isMessage)) {
    return {
      messages,
      before: textOr(before, undefined),
      title: textOr(title, ""),
      revision: textOr(revision, undefined),
    };
  }
  const message =
    `The saved conversation is not { id, messages } in JSON of at most ${MAX_MESSAGES_BYTES} bytes. ` +
    `See what GET ${chatUrl(place, "messages")} answers.`;
  throw new TailraceError("decode_failed", message);
}

/** Asks the server to stop the run. A 404 or 409 says that nothing runs, which is as good. */
export async function postStop(place: ChatPlace, signal: AbortSignal): Promise<void> {
  const response = await request(place, "stop", signal);
  if (response.ok || response.status === 404 || response.status === 409) return discard(response);
  throw await responseError(response, response.status >= 500 ? "connection_failed" : "response_refused");
}
