// From an outcome to a Response: problem details for what failed, CORS, and the end of the connection where a body was left unread.

import { isTailraceError } from "../../errors.ts";
import { problem } from "../../http/problem.ts";
import { report } from "../../trace.ts";
import { allowOrigin } from "./cors.ts";
import type { Settings } from "./options.ts";
import type { UploadBody } from "./upload-body.ts";

export type HeaderList = Readonly<Record<string, string>>;

/** An answer without content. */
export function empty(status: number, headers: HeaderList): Response {
  return new Response(null, { status, headers });
}

/**
 * Runs `work` and turns what it throws into an answer by `refuse`. What is left of the request's body is thrown away: bytes that nobody
 * reads would be taken for the next request (RFC 9112 section 9.3).
 */
export async function answering(
  settings: Settings,
  request: Request,
  body: UploadBody,
  work: () => Promise<Response>,
  refuse: (error: unknown) => Response,
): Promise<Response> {
  let response: Response;
  try {
    response = await work();
  } catch (error) {
    tellApplication(settings, error);
    response = refuse(error);
  } finally {
    body.close();
  }
  allowOrigin(settings.cors, request, response.headers);
  return response;
}

/** Hands on what the sender is not told: that of status 500 and above, where the limit of waiting requests is no fault. */
export function tellApplication(settings: Settings, error: unknown): void {
  if (isTailraceError(error) && (error.status < 500 || error.code === "limit_exceeded")) return;
  (settings.onError ?? ((cause: unknown) => report("upload", cause)))(error);
}

/** Problem details with further headers. A 405 tells what is allowed (RFC 9110 section 15.5.6). */
export function refusal(error: unknown, headers: HeaderList): Response {
  const response = problem(error);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  if (isTailraceError(error) && typeof error.details["allowed"] === "string") {
    response.headers.set("allow", error.details["allowed"]);
  }
  return response;
}
