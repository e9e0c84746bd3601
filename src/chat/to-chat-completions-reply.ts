// Replies in the shape of OpenAI Chat Completions: a stream of chunks that only a whole answer finishes, or one object.

import { DONE, isPromiseLike, openSource, type Pull, type Source } from "../bytes/source.ts";
import { systemClock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { EVENT_STREAM } from "../reply/named-events.ts";
import { makeReply, type ReplyOptions } from "../reply/reply.ts";
import { report } from "../trace.ts";
import { encodeComment, encodeEvent } from "../wire/sse-encode.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { completionError, errorResponse } from "./to-chat-completions-error.ts";
import { CompletionReader, stopped, type CompletionDelta } from "./to-chat-completions.ts";

/** Options of {@link toChatCompletions}. */
export interface ChatCompletionsOptions extends ReplyOptions {
  /** The model's name, as the answer tells it. */
  readonly model: string;
  /** A stream of chunks, or one object. @default true */
  readonly stream?: boolean | undefined;
  /** Whether the stream tells the usage in a last chunk without choices (`stream_options.include_usage`). @default false */
  readonly includeUsage?: boolean | undefined;
  /** The completion's id. Default: `chatcmpl-` and a random one. */
  readonly id?: string | undefined;
  /** Silence after which a comment is sent, in milliseconds. @default 15000 */
  readonly heartbeatMs?: number | undefined;
  /**
   * How long the reply waits for the answer's first words, in milliseconds, so that a failure before them still has a status of its own.
   * @default 10000
   */
  readonly firstChunkWaitMs?: number | undefined;
  /** The largest answer in one object, in characters. @default 16777216 */
  readonly maxChars?: number | undefined;
}

/**
 * Replies with an answer as OpenAI Chat Completions. A reader that leaves closes the source. An answer that fails, is stopped or ends
 * without its `finish` never has a `finish_reason`: before its first words it is an error with a status, later an error object in the
 * stream, without `[DONE]`.
 */
export async function toChatCompletions(
  request: Request,
  source: Source<UiChunk>,
  options: ChatCompletionsOptions,
): Promise<Response> {
  const onError = options.onError ?? ((error: unknown) => report("reply", error));
  const pull = openSource<UiChunk>(source);
  // For as long as the request lives: the answer is being read already when its reply has not begun.
  request.signal.addEventListener("abort", () => pull.close(), { once: true });
  try {
    if (request.signal.aborted) pull.close();
    if (options.stream === false) return await whole(pull, options);
    return await streamed(request, pull, options);
  } catch (error) {
    pull.close();
    if (!request.signal.aborted) onError(error); // nobody else waits for it
    return errorResponse(error);
  }
}

interface Head {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

function headOf({ id, model }: ChatCompletionsOptions): Head {
  const created = Math.floor(systemClock.now() / 1_000);
  return { id: id ?? `chatcmpl-${crypto.randomUUID()}`, created, model };
}

async function streamed(request: Request, pull: Pull<UiChunk>, options: ChatCompletionsOptions): Promise<Response> {
  const { includeUsage = false, heartbeatMs = 15_000, firstChunkWaitMs = 10_000, status, headers, onError } = options;
  const head = headOf(options);
  const reader = new CompletionReader();
  const shape = (choices: readonly object[], more: object = {}): string =>
    encodeEvent({ data: { id: head.id, object: "chat.completion.chunk", ...rest, choices, ...more } });
  const rest = { created: head.created, model: head.model };
  const usage = includeUsage ? { usage: null } : {};
  const show = (delta: CompletionDelta, finish: string | null = null): string =>
    shape([{ index: 0, delta, logprobs: null, finish_reason: finish }], usage);
  let isDone = false;
  const encode = (chunk: UiChunk): string => {
    if (isDone) return "";
    const delta = reader.read(chunk);
    return delta === undefined ? "" : show(delta);
  };

  const first = await firstWords(pull, encode, firstChunkWaitMs);
  if (first.isOver && reader.finish === undefined) throw stopped();
  return makeReply<UiChunk>(
    request,
    () => first.pull,
    {
      contentType: EVENT_STREAM,
      farewell: undefined,
      writer: {
        open: show({ role: "assistant", content: "" }) + first.text,
        encode,
        close: () => {
          if (reader.finish === undefined) throw stopped();
          isDone = true;
          const counted = includeUsage && reader.usage !== undefined ? shape([], { usage: reader.usage }) : "";
          return show({}, reader.finish) + counted + encodeEvent({ data: "[DONE]" });
        },
        fail: (error) => encodeEvent({ data: completionError(error).body }),
        heartbeat: encodeComment("heartbeat"),
        heartbeatMs,
      },
    },
    { status, headers, onError },
  );
}

type Result = IteratorResult<UiChunk, undefined>;

/** Waits for the first words, or the end, or until the time is over; `pull` gives what comes behind them. */
async function firstWords(
  pull: Pull<UiChunk>,
  encode: (chunk: UiChunk) => string,
  waitMs: number,
): Promise<{ readonly text: string; readonly pull: Pull<UiChunk>; readonly isOver: boolean }> {
  let cancel: (() => void) | undefined;
  const late = new Promise<undefined>((resolve) => {
    cancel = systemClock.after(waitMs, () => resolve(undefined));
  });
  try {
    for (;;) {
      const next = pull.next();
      const result = isPromiseLike(next) ? await Promise.race([next, late]) : next;
      if (result === undefined) return { text: "", pull: resumed(pull, next), isOver: false };
      if (result.done === true) return { text: "", pull: resumed(pull, DONE), isOver: true };
      const text = encode(result.value);
      if (text !== "") return { text, pull, isOver: false };
    }
  } finally {
    cancel?.();
  }
}

/** `pull`, whose first answer was asked for already. */
function resumed(pull: Pull<UiChunk>, asked: Result | Promise<Result>): Pull<UiChunk> {
  let first: Result | Promise<Result> | undefined = asked;
  return {
    next() {
      const result = first ?? pull.next();
      first = undefined;
      return result;
    },
    close: () => pull.close(),
  };
}

async function whole(pull: Pull<UiChunk>, options: ChatCompletionsOptions): Promise<Response> {
  const { maxChars = 16_777_216, status = 200, headers } = options;
  const reader = new CompletionReader();
  const message = { content: "", reasoning: "", calls: [] as { id: string; name: string; text: string }[] };
  let chars = 0;
  for (;;) {
    const result = await pull.next();
    if (result.done === true) break;
    const delta = reader.read(result.value);
    if (delta === undefined) continue;
    message.content += delta.content ?? "";
    message.reasoning += delta.reasoning_content ?? "";
    chars += (delta.content ?? delta.reasoning_content ?? "").length;
    for (const { index, id, function: called } of delta.tool_calls ?? []) {
      const call = (message.calls[index] ??= { id: id ?? "", name: called.name ?? "", text: "" });
      call.text += called.arguments;
      chars += called.arguments.length;
    }
    if (chars > maxChars) throw tooLong(maxChars);
  }
  if (reader.finish === undefined) throw stopped();
  const { id, created, model } = headOf(options);
  const tools = message.calls.map((call) => ({
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.text },
  }));
  const said = {
    role: "assistant",
    content: message.content === "" && tools.length > 0 ? null : message.content,
    refusal: null,
    ...(message.reasoning === "" ? {} : { reasoning_content: message.reasoning }),
    ...(tools.length === 0 ? {} : { tool_calls: tools }),
  };
  const body = {
    id,
    object: "chat.completion",
    created,
    model,
    choices: [{ index: 0, message: said, logprobs: null, finish_reason: reader.finish }],
    ...(reader.usage === undefined ? {} : { usage: reader.usage }),
  };
  const all = new Headers(headers);
  if (!all.has("cache-control")) all.set("cache-control", "no-store");
  return Response.json(body, { status, headers: all });
}

function tooLong(maxChars: number): TailraceError {
  const message = `The answer is longer than ${maxChars.toLocaleString("en")} characters; ask for it as a stream.`;
  return new TailraceError("limit_exceeded", message, { status: 500, details: { isTold: true, maxChars } });
}
