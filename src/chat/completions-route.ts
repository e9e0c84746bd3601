// A route that OpenAI's clients can be pointed at: `/v1/chat/completions` and `/v1/models`.

import type { Source, SourceContext } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import { readJson } from "../http/read-json.ts";
import type { Streams } from "../log/streams.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import type { ChatMessage } from "../wire/ui-message.ts";
import { courseOf } from "./answer-course.ts";
import { type CompletionRequest, readCompletionRequest } from "./completions-route-body.ts";
import { errorResponse } from "./to-chat-completions-error.ts";
import { type ChatCompletionsOptions, toChatCompletions } from "./to-chat-completions-reply.ts";

/** What a completion is made from. */
export interface CompletionContext extends SourceContext {
  readonly model: string;
  /** The request's messages in our shape. The result of a tool stands in the part that called it. */
  readonly messages: readonly ChatMessage[];
  /** The whole body as it came: temperature, tools and the like, unchecked. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Options of {@link completionsRoute}. */
export interface CompletionsRouteOptions extends Pick<
  ChatCompletionsOptions,
  "onError" | "headers" | "heartbeatMs" | "firstChunkWaitMs" | "maxChars"
> {
  /** Gives the chunks of an answer; `finish` is put behind them if they lack it. An `Answerer` of conversations fits. */
  readonly answer: (context: CompletionContext) => AsyncIterable<UiChunk>;
  /** The names that may be asked for, and that `/v1/models` lists. At least one. */
  readonly models: readonly string[];
  /**
   * Where a request with an `Idempotency-Key` is kept as a run: it goes on when its reader leaves, and the same request with the same key
   * joins it. Default: none, and the header does nothing.
   */
  readonly streams?: Streams | undefined;
  /** The largest body of a request, in bytes. @default 4194304 */
  readonly maxBodyBytes?: number | undefined;
}

/** 4 MiB. */
const MAX_BODY_BYTES = 4_194_304;
/** The longest key, in characters. */
const MAX_KEY_CHARS = 255;
/** How often a request whose run failed may be made again under one key. */
const MAX_ATTEMPTS_COUNT = 10;

/**
 * A handler of `POST …/chat/completions`, `GET …/models` and `GET …/models/NAME`, wherever it is mounted. Every error is in OpenAI's shape.
 * A reader that leaves stops the answer, unless it is kept under an `Idempotency-Key`. Who may ask is for the caller to decide first.
 */
export function completionsRoute(options: CompletionsRouteOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      const { pathname } = new URL(request.url);
      const models = /\/models(?:\/([^/]+))?\/?$/.exec(pathname);
      if (models !== null) return listModels(request, options.models, models[1]);
      if (/\/chat\/completions\/?$/.test(pathname)) return await complete(request, options);
      throw new TailraceError("not_found", `There is nothing at ${pathname}.`);
    } catch (error) {
      return errorResponse(error);
    }
  };
}

function refuseMethod(allow: string): Response {
  const error = new TailraceError("input_invalid", `Only ${allow} is answered here.`, { status: 405 });
  return errorResponse(error, { allow });
}

function listModels(request: Request, models: readonly string[], name: string | undefined): Response {
  if (request.method !== "GET" && request.method !== "HEAD") return refuseMethod("GET");
  const show = (id: string): object => ({ id, object: "model", created: 0, owned_by: "tailrace" });
  const headers = { "cache-control": "no-cache" };
  if (name === undefined) return Response.json({ object: "list", data: models.map(show) }, { headers });
  const id = decoded(name);
  return models.includes(id) ? Response.json(show(id), { headers }) : errorResponse(noModel(id));
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // no escapes that could be read: no model has such a name
  }
}

function noModel(name: string): TailraceError {
  return new TailraceError("not_found", `The model ${JSON.stringify(name.slice(0, 100))} does not exist.`, {
    details: { field: "model", openaiCode: "model_not_found" },
  });
}

async function complete(request: Request, options: CompletionsRouteOptions): Promise<Response> {
  if (request.method !== "POST") return refuseMethod("POST");
  const body = await readJson(request, { maxBytes: options.maxBodyBytes ?? MAX_BODY_BYTES });
  const asked = readCompletionRequest(body);
  if (!options.models.includes(asked.model)) throw noModel(asked.model);
  const { model, stream, includeUsage, messages, params } = asked;
  const produce = (context: SourceContext): AsyncIterable<UiChunk> =>
    courseOf(options.answer({ ...context, model, messages, params }));
  const source = await keptOrPlain(request, asked, produce, options);
  const { onError, headers, heartbeatMs, firstChunkWaitMs, maxChars } = options;
  const shape = { model, stream, includeUsage, onError, headers, heartbeatMs, firstChunkWaitMs, maxChars };
  return toChatCompletions(request, source, shape);
}

async function keptOrPlain(
  request: Request,
  asked: CompletionRequest,
  produce: (context: SourceContext) => AsyncIterable<UiChunk>,
  { streams, onError }: CompletionsRouteOptions,
): Promise<Source<UiChunk>> {
  const key = request.headers.get("idempotency-key");
  if (streams === undefined || key === null) return produce;
  if (key === "" || key.length > MAX_KEY_CHARS) {
    const message = `Idempotency-Key has ${key.length} characters; it may have 1 to ${MAX_KEY_CHARS}.`;
    throw new TailraceError("input_invalid", message, { status: 400, details: { field: "idempotency-key" } });
  }
  // Another sender, or another question, under the same key is another run: nobody gets an answer that was not theirs.
  const { stream: _stream, stream_options: _options, ...question } = asked.params;
  const identity = [request.headers.get("authorization") ?? "", key, question];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(identity)));
  const name = `completion/${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  for (let attempt = 1; ; attempt++) {
    const run = `${name}/${attempt}`;
    const reason = (await streams.head(run))?.end?.reason;
    // What failed is made again; what was stopped on purpose stays so.
    const isBroken = reason === "failed" || reason === "interrupted";
    if (!isBroken || attempt === MAX_ATTEMPTS_COUNT) return streams.run<UiChunk>(run, produce, { onError });
  }
}
