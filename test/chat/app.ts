// A chat as an application has it: the routes that clients expect over one store, a model that is asked with care, and a tool.

import OpenAI from "openai";
import { completionsRoute } from "../../src/chat/completions-route.ts";
import type { AnswerContext, Answerer } from "../../src/chat/conversations-types.ts";
import { Conversations } from "../../src/chat/conversations.ts";
import { fromChatCompletions } from "../../src/chat/openai.ts";
import { uiMessageStream } from "../../src/chat/ui-message-stream.ts";
import { withCare } from "../../src/chat/upstream-care.ts";
import { TailraceError } from "../../src/errors.ts";
import { problem } from "../../src/http/problem.ts";
import { readJson } from "../../src/http/read-json.ts";
import type { Streams } from "../../src/log/streams.ts";
import type { UiChunk } from "../../src/wire/ui-chunks.ts";
import { isToolPart } from "../../src/wire/ui-message-parts.ts";
import { type ChatMessage, messageText } from "../../src/wire/ui-message.ts";

/** How long the model may be silent between two tokens: soon noticed where that is what is tested, and else never. */
const SILENCE_MS = { stall: 500, other: 120_000 };
/** The most calls of the model for one answer. */
export const MAX_STEPS = 4;

type Prompt = OpenAI.ChatCompletionMessageParam;

/** A message as OpenAI's API takes it: the results of tools are messages of their own. */
function promptOf(message: ChatMessage): readonly Prompt[] {
  const content = messageText(message);
  if (message.role !== "assistant") return [{ role: message.role, content }];
  const parts = message.parts.filter(isToolPart);
  if (parts.length === 0) return content === "" ? [] : [{ role: "assistant", content }];
  const calls = parts.map(({ toolCallId, input, ...part }) => ({
    id: toolCallId,
    type: "function" as const,
    function: { name: part.toolName ?? part.type.slice(5), arguments: JSON.stringify(input ?? {}) },
  }));
  const results = parts.map(({ toolCallId, output, approval }): Prompt => {
    const result = approval === undefined ? output : { approved: approval.approved };
    return { role: "tool", tool_call_id: toolCallId, content: JSON.stringify(result ?? null) };
  });
  return [{ role: "assistant", content, tool_calls: calls }, ...results];
}

type ToolInput = Extract<UiChunk, { type: "tool-input-available" }>;

/** The answers of the model at `modelUrl`. */
export function makeAnswerer(modelUrl: string): Answerer {
  const client = new OpenAI({ baseURL: modelUrl, apiKey: "test", maxRetries: 0 });
  const askOnce = async ({ prompt, signal }: { readonly prompt: readonly Prompt[]; readonly signal: AbortSignal }) => {
    const body = { model: "m", stream: true as const, messages: [...prompt] };
    return fromChatCompletions(await client.chat.completions.create(body, { signal }));
  };
  const ask = withCare(askOnce, { betweenChunksMs: SILENCE_MS.other, baseDelayMs: 1 });
  const askBriefly = withCare(askOnce, { betweenChunksMs: SILENCE_MS.stall });

  /** The tool runs here, and the model is asked again with what came of it: one answer of several steps. */
  async function* withTools(prompt: Prompt[], signal: AbortSignal): AsyncGenerator<UiChunk> {
    for (let step = 1; step <= MAX_STEPS; step++) {
      const calls: ToolInput[] = [];
      yield { type: "start-step" };
      for await (const chunk of ask({ prompt, signal })) {
        if (chunk.type === "tool-input-available") calls.push(chunk);
        yield chunk;
      }
      for (const { toolCallId, toolName, input } of calls) {
        const output = { degrees: 21 };
        yield { type: "tool-output-available", toolCallId, output };
        const call = { name: toolName, arguments: JSON.stringify(input) };
        prompt.push(
          { role: "assistant", tool_calls: [{ id: toolCallId, type: "function", function: call }] },
          { role: "tool", tool_call_id: toolCallId, content: JSON.stringify(output) },
        );
      }
      yield { type: "finish-step" };
      if (calls.length === 0) return;
    }
    throw new TailraceError("limit_exceeded", `The model called tools ${MAX_STEPS} times without an answer.`);
  }

  return async function* ({ messages, signal }: AnswerContext) {
    const prompt = messages.flatMap(promptOf);
    const asked = messageText(messages.findLast(({ role }) => role === "user")!);
    if (asked.includes("run here")) {
      yield* withTools(prompt, signal);
      return;
    }
    for await (const chunk of (asked === "stall" ? askBriefly : ask)({ prompt, signal })) {
      // A call that somebody has to allow first.
      if (chunk.type === "finish" && asked.includes("allow") && messages.at(-1)?.role === "user") {
        yield { type: "tool-approval-request", approvalId: "approval-1", toolCallId: "call-1" };
      }
      yield chunk;
    }
  };
}

interface Body {
  readonly id: string;
  readonly messages: readonly ChatMessage[];
  readonly trigger?: string | undefined;
  readonly messageId?: string | undefined;
}

const notFound = (): Response => new Response(null, { status: 404 });

/** The routes: `/api/chat`, `/api/chat/ID/{stream,stop,messages}` and `/v1/…`. */
export function makeApp(streams: Streams, answer: Answerer): (request: Request) => Promise<Response> {
  const conversations = new Conversations(streams);
  const completions = completionsRoute({ answer, models: ["m"], streams });

  async function post(request: Request): Promise<Response> {
    const { id, messages, messageId, trigger } = (await readJson(request)) as Body;
    const isRegeneration = trigger === "regenerate-message";
    const last = messages.at(-1)!;
    if (last.role === "assistant" && !isRegeneration && last.parts.some(isToolPart)) {
      return uiMessageStream(request, await conversations.continue({ id, message: last, answer }));
    }
    const at = messages.findLastIndex(({ role }) => role === "user");
    const history = messages.slice(0, at).map((message) => message.id);
    const turn = { id, message: messages[at]!, history, replaces: messageId, isRegeneration, answer };
    return uiMessageStream(request, await conversations.send(turn));
  }

  async function resume(request: Request, id: string): Promise<Response> {
    const latest = await conversations.latest(id);
    const head = latest && (await streams.head(latest.name));
    const isComingBack = request.headers.has("last-event-id");
    if (latest === undefined || head === undefined || (head.end !== undefined && !isComingBack)) {
      return new Response(null, { status: 204 });
    }
    return uiMessageStream(request, latest);
  }

  return async (request) => {
    const { pathname } = new URL(request.url);
    try {
      if (pathname.startsWith("/v1/")) return await completions(request);
      const [, id, what] = /^\/api\/chat(?:\/([^/]+)\/(\w+))?$/.exec(pathname) ?? [];
      if (pathname === "/api/chat") return await post(request);
      if (id === undefined) return notFound();
      if (what === "stream") return await resume(request, id);
      if (what === "stop") {
        const found = await conversations.stop(id);
        return new Response(null, { status: found === undefined ? 404 : 204 });
      }
      const page = await conversations.page(id);
      return page === undefined ? notFound() : Response.json(page);
    } catch (error) {
      return problem(error);
    }
  };
}
