// An answer in whichever form the request accepts.

import { isTailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import type { NamedSource } from "../log/named.ts";
import { ndjson, text } from "../reply/rows.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { textOf, uiMessageStream, type UiMessageStreamOptions } from "./ui-message-stream.ts";

type Form = "events" | "text" | "rows";

const FORMS: readonly (readonly [type: string, form: Form])[] = [
  ["text/event-stream", "events"],
  ["text/plain", "text"],
  ["application/x-ndjson", "rows"],
  ["application/ndjson", "rows"],
];

/**
 * Replies with a run as `Accept` asks: `text/plain` gives the words alone, `application/x-ndjson` a chunk per row with an end record, and
 * anything else the UI message stream. 404 if there is no such run.
 */
export async function chatReply(
  request: Request,
  source: NamedSource<UiChunk>,
  options: UiMessageStreamOptions = {},
): Promise<Response> {
  const { status, onError } = options;
  const headers = new Headers(options.headers);
  headers.append("vary", "accept");
  const form = formOf(request.headers.get("accept") ?? "");
  if (form === "events") return uiMessageStream(request, source, { ...options, headers });
  if (form === "rows") return ndjson(request, source, { status, headers, onError, endRecord: true });
  try {
    await source.open(); // for its 404: what follows are words that are made from the run, and have no name to be looked up by
  } catch (error) {
    if (isTailraceError(error)) return problem(error);
    throw error;
  }
  return text(request, textOf(source), { status, headers, onError });
}

/** The form that is asked for most. A type that is named decides; of equals the one that stands first (RFC 9110 section 12.5.1). */
function formOf(accept: string): Form {
  let best: { readonly form: Form; readonly weight: number } | undefined;
  for (const range of accept.toLowerCase().split(",", 20)) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const form = FORMS.find(([known]) => known === type)?.[1];
    const given = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    const weight = given === undefined ? 1 : Number(given);
    if (form !== undefined && weight > (best?.weight ?? 0)) best = { form, weight };
  }
  return best?.form ?? "events";
}
