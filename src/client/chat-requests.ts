// The four requests of a chat: its addresses, and what the answers mean.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { ChatOptions } from "./chat-types.ts";
import { requestHeaders } from "./request.ts";
import { discard, readText, responseError } from "./response.ts";
import type { Fetch, HeadersSource } from "./stream-types.ts";
import type { ChatMessage } from "../wire/ui-message.ts";

/** The largest saved conversation that is read: 33,554,432 bytes (32 MiB). */
export const MAX_MESSAGES_BYTES: number = 33_554_432;

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

/** The address of something of a chat. A query or fragment of `api` is kept, as the AI SDK keeps it. */
export function chatUrl(place: Pick<ChatPlace, "api" | "id">, what: "messages" | "stream" | "stop"): string {
  const at = place.api.search(/[?#]/);
  const [path, rest] = at < 0 ? [place.api, ""] : [place.api.slice(0, at), place.api.slice(at)];
  return `${path}/${encodeURIComponent(place.id)}/${what}${rest}`;
}

async function request(place: ChatPlace, what: "messages" | "stop", signal: AbortSignal): Promise<Response> {
  const headers = await requestHeaders(place.headers, { attempt: 0, lastEventId: "" });
  if (!headers.has("accept")) headers.set("accept", "application/json");
  const credentials = place.credentials ?? "same-origin";
  const method = what === "stop" ? "POST" : "GET";
  try {
    return await place.fetch(chatUrl(place, what), { method, headers, credentials, cache: "no-store", signal });
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

/** The saved conversation; empty when the server knows none (404). */
export async function loadMessages(place: ChatPlace, signal: AbortSignal): Promise<readonly ChatMessage[]> {
  const response = await request(place, "messages", signal);
  if (response.status === 404 || response.status === 204) {
    await discard(response);
    return [];
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
  const messages = (body as { readonly messages?: unknown } | null | undefined)?.messages;
  if (Array.isArray(messages) && messages.every(isMessage)) return messages;
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
