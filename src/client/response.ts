// What a response means for the connection: a stream, nothing, another attempt, or a refusal.

import { TailraceError } from "../errors.ts";
import { parseRetryAfterMs } from "./retry-delay.ts";

/** How the body is written. */
export type BodyFormat = "sse" | "ndjson" | "text";

/** The judgement of a response. Of all but `stream` the body has been read or cancelled. */
export type Verdict =
  | { readonly kind: "stream"; readonly format: BodyFormat }
  | { readonly kind: "nothing" }
  | { readonly kind: "retry"; readonly error: TailraceError; readonly retryAfterMs: number | undefined }
  | { readonly kind: "refused"; readonly error: TailraceError };

/** A problem document longer than this is not read: 65,536 bytes. */
export const MAX_PROBLEM_BYTES: number = 65_536;
const MAX_DETAIL_CHARACTERS = 500;

const FORMATS: Readonly<Record<string, BodyFormat>> = {
  "text/event-stream": "sse",
  "application/x-ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "text/plain": "text",
};

/** Statuses after which the same request may succeed: timeouts, too early, too many, and the server's own troubles. */
function mayPass(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** The MIME essence: without parameters, ignoring case (the standard compares essences, not header texts). */
function essenceOf(response: Response): string {
  const value = response.headers.get("content-type") ?? "";
  return (value.split(";", 1)[0] ?? "").trim().toLowerCase();
}

/** Lets a body go that nobody wants to read. */
export async function discard(response: Response): Promise<void> {
  // A body that is left alone keeps its connection busy.
  await response.body?.cancel().catch(() => undefined);
}

/** The body as text; undefined when it is larger than `maxBytes` or breaks. */
export async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > maxBytes) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return undefined;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The members of a problem document (RFC 9457) that are worth showing; empty when the body is none. */
async function readProblem(response: Response): Promise<Readonly<Record<string, unknown>>> {
  if (essenceOf(response) !== "application/problem+json") {
    await discard(response);
    return {};
  }
  const text = await readText(response, MAX_PROBLEM_BYTES);
  try {
    const body: unknown = text === undefined ? undefined : JSON.parse(text);
    if (typeof body !== "object" || body === null) return {};
    const members = Object.entries(body).filter(
      ([name, value]) =>
        ["code", "detail", "title", "field", "type"].includes(name) && typeof value === "string" && value !== "",
    );
    return Object.fromEntries(members);
  } catch {
    return {};
  }
}

/** Makes an error of a response that is not what was asked for; its problem document is in `details`. */
export async function responseError(
  response: Response,
  code: "response_refused" | "connection_failed",
): Promise<TailraceError> {
  const problem = await readProblem(response);
  const text = problem["detail"] ?? problem["title"];
  const said = typeof text === "string" ? `: ${text.slice(0, MAX_DETAIL_CHARACTERS)}` : ".";
  const status = `${response.status}${response.statusText === "" ? "" : ` ${response.statusText}`}`;
  return new TailraceError(code, `The server answered ${status}${said}`, {
    status: response.status === 0 ? undefined : response.status,
    details: { ...problem, status: response.status },
  });
}

/** Judges a response. `now` is in milliseconds since 1970. */
export async function judgeResponse(response: Response, now: number): Promise<Verdict> {
  const { status, headers } = response;
  if (status === 204) return { kind: "nothing" };
  if (response.ok) {
    const essence = essenceOf(response);
    const format = Object.hasOwn(FORMATS, essence) ? FORMATS[essence] : undefined;
    if (format !== undefined) return { kind: "stream", format };
    await discard(response);
    const message =
      `The server answered ${status} with the type ${essence === "" ? "(none)" : essence}, which is not a stream. ` +
      "Expected text/event-stream, application/x-ndjson or text/plain; a login page in between looks like this.";
    const error = new TailraceError("response_refused", message, { details: { status, contentType: essence } });
    return { kind: "refused", error };
  }
  if (mayPass(status)) {
    const retryAfterMs = parseRetryAfterMs(headers.get("retry-after"), headers.get("date"), now);
    return { kind: "retry", error: await responseError(response, "connection_failed"), retryAfterMs };
  }
  return { kind: "refused", error: await responseError(response, "response_refused") };
}
