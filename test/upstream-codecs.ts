// What the tests of the codecs share: wires written by hand, every split of them, and the AI SDK's own schema as the judge.

import { uiMessageChunkSchema } from "ai";
import { expect } from "vitest";
import type { UiChunk } from "../src/wire/ui-chunks.ts";
import type { Upstream } from "../src/chat/upstream-events.ts";

/** What a codec gave, and what it threw. */
export interface Outcome {
  readonly chunks: readonly UiChunk[];
  readonly error?: unknown;
}

export type Codec = (source: Upstream<never>) => AsyncGenerator<UiChunk, void, undefined>;

/** Server-sent events of the objects, each named by its `type` if it has one, with comments and pings between them. */
export function wireOf(events: readonly object[], end = ""): string {
  const lines = events.map((event) => {
    const name = "type" in event && typeof event.type === "string" ? `event: ${event.type}\n` : "";
    return `: keep-alive\n\n${name}data: ${JSON.stringify(event)}\n\n`;
  });
  return `${lines.join("event: ping\ndata: {}\n\n")}${end}`;
}

export async function gather(generator: AsyncIterable<UiChunk>): Promise<Outcome> {
  const chunks: UiChunk[] = [];
  try {
    for await (const chunk of generator) chunks.push(chunk);
  } catch (error) {
    return { chunks, error };
  }
  return { chunks };
}

async function* give<T>(...items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

/** What the codec makes of the bytes in one piece. */
export function decodeWhole(codec: Codec, wire: string): Promise<Outcome> {
  return gather(codec(give(new TextEncoder().encode(wire))));
}

/**
 * What the codec makes of the objects, after having made sure that the bytes of the same objects give the same: whole, cut in two
 * at every byte, byte by byte, and as a `Response`; and that the AI SDK takes each chunk.
 */
export async function decodeEveryWay(codec: Codec, events: readonly object[], end = ""): Promise<Outcome> {
  const outcome = await gather(codec(give(...(events as readonly never[]))));
  const bytes = new TextEncoder().encode(wireOf(events, end));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
    expectSame(await gather(codec(give(...pieces))), outcome, `cut at byte ${cut}`);
  }
  expectSame(await gather(codec(give(...Array.from(bytes, (byte) => Uint8Array.of(byte))))), outcome, "byte by byte");
  expectSame(await gather(codec(new Response(bytes))), outcome, "as a Response");
  await expectValid(outcome.chunks);
  return outcome;
}

function expectSame(given: Outcome, wanted: Outcome, how: string): void {
  const facts = ({ chunks, error }: Outcome): unknown => ({ chunks, error: String(error) });
  expect(facts(given), how).toEqual(facts(wanted));
}

export async function expectValid(chunks: readonly unknown[]): Promise<void> {
  for (const value of chunks) {
    const result = await uiMessageChunkSchema().validate?.(value);
    expect(result?.success, JSON.stringify(value)).toBe(true);
  }
}
