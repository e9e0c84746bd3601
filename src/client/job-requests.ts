// The requests that make a job: its addresses, and what the answers mean.

import { isTailraceError, TailraceError } from "../errors.ts";
import { requestHeaders } from "./request.ts";
import { readText, responseError } from "./response.ts";
import type { Fetch, HeadersSource } from "./stream-types.ts";

/** The largest answer to a start that is read: 65,536 bytes. */
export const MAX_STARTED_BYTES: number = 65_536;

/** Where jobs are and how they are reached. */
export interface JobPlace {
  readonly api: string;
  readonly fetch: Fetch | undefined;
  readonly headers: HeadersSource | undefined;
  readonly credentials: RequestCredentials | undefined;
}

/** The address of the job `id`, or of something of it. A query or fragment of `api` is kept. */
export function jobUrl(api: string, id: string, what?: "retry"): string {
  const at = api.search(/[?#]/);
  const [path, rest] = at < 0 ? [api, ""] : [api.slice(0, at), api.slice(at)];
  return `${path.replace(/\/$/, "")}/${encodeURIComponent(id)}${what === undefined ? "" : `/${what}`}${rest}`;
}

/** Posts a job, or a retry, and gives the id of what the server has started. */
export async function postJob(place: JobPlace, url: string, body?: object): Promise<string> {
  const headers = await requestHeaders(place.headers, { attempt: 0, lastEventId: "" });
  if (!headers.has("accept")) headers.set("accept", "application/json");
  if (body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
  const credentials = place.credentials ?? "same-origin";
  const send: Fetch = place.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const init: RequestInit = { method: "POST", headers, credentials, cache: "no-store" };
  const response = await sent(send, url, body === undefined ? init : { ...init, body: toJson(body) });
  if (!response.ok) throw await responseError(response, "response_refused");
  const text = await readText(response, MAX_STARTED_BYTES);
  const id = idOf(text);
  if (id !== undefined) return id;
  const message = `The server's answer is not { id } in JSON of at most ${MAX_STARTED_BYTES} bytes. See what POST ${url} answers.`;
  throw new TailraceError("decode_failed", message);
}

async function sent(send: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await send(url, init);
  } catch (cause) {
    if (isTailraceError(cause)) throw cause;
    const message = "The server could not be reached. Check the connection and try again.";
    throw new TailraceError("connection_failed", message, { cause });
  }
}

function toJson(body: object): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new TailraceError("input_invalid", "The job's input cannot be written as JSON; see the cause.", { cause });
  }
}

function idOf(text: string | undefined): string | undefined {
  try {
    const { id } = JSON.parse(text ?? "") as { readonly id?: unknown };
    return typeof id === "string" && id !== "" ? id : undefined;
  } catch {
    return undefined;
  }
}
