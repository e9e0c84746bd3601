// A short answer for the tests of the transport: as chunks, as it stands on the wire, and as it was read. No door reaches it.

import { TailraceChatTransport } from "./chat-transport.ts";
import type { ChatTransportOptions, TransportSendOptions } from "./chat-transport-types.ts";
import type { Fetch } from "./stream-types.ts";
import type { MessageChunk } from "../wire/ui-message.ts";

export const CHUNKS: readonly MessageChunk[] = [
  { type: "start", messageId: "a1" },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "Grüße, " },
  { type: "text-delta", id: "t", delta: "日本" },
  { type: "text-end", id: "t" },
  { type: "finish" },
];

export const DONE = "data: [DONE]\n\n";

export interface WireOptions {
  readonly ids?: boolean | undefined;
  readonly chunks?: readonly MessageChunk[] | undefined;
}

/** Chunks as they stand on the wire after the id `after`, with ids unless told otherwise. */
export function wireOf(after: string | null = null, options: WireOptions = {}): string {
  const { ids = true, chunks = CHUNKS } = options;
  const from = after === null || after === "" ? 0 : Number(after);
  const blocks = chunks.map((chunk, index) => `${ids ? `id: ${index + 1}\n` : ""}data: ${JSON.stringify(chunk)}\n\n`);
  return `retry: 1\n\n${blocks.slice(from).join("")}${DONE}`;
}

/** A transport that comes back fast. */
export function fastTransport(fetch: Fetch, options: ChatTransportOptions = {}): TailraceChatTransport {
  return new TailraceChatTransport({ fetch, connection: { minDelayMs: 1, maxDelayMs: 2 }, ...options });
}

const QUESTION = { id: "u1", role: "user", parts: [{ type: "text", text: "Hello?" }] };

/** What the hook would send with. */
export function sendOptions(options: Partial<TransportSendOptions> = {}): TransportSendOptions {
  return {
    trigger: "submit-message",
    chatId: "c",
    messageId: undefined,
    messages: [QUESTION],
    abortSignal: undefined,
    ...options,
  };
}

/** All chunks of a stream. */
export async function readAll(stream: ReadableStream<MessageChunk> | null): Promise<MessageChunk[]> {
  const chunks: MessageChunk[] = [];
  if (stream !== null) for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** The text of the `error` chunk that is the last, or the empty text. */
export function errorOf(chunks: readonly MessageChunk[]): string {
  const last = chunks.at(-1);
  return last?.["type"] === "error" ? String(last["errorText"]) : "";
}
