// TailraceChatTransport and merged histories: asked for, given whole or not at all, and never joined to a piece of another.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHUNKS, DONE, errorOf, fastTransport, readAll, sendOptions, wireOf } from "./chat-transport.test-support.ts";
import { handBody, scriptedFetch, sseResponse, toBytes } from "./scripted-fetch.test-support.ts";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../wire/ui-message.ts";

const fold = (chunks: readonly MessageChunk[]): ChatMessage => chunks.reduce(foldChunk, emptyAnswer("")).message;

const WHOLE: readonly MessageChunk[] = [
  { type: "start", messageId: "a1" },
  { type: "text-start", id: "t" },
  ...Array.from({ length: 40 }, (_, index) => ({ type: "text-delta", id: "t", delta: `${index} ` })),
  { type: "text-end", id: "t" },
  { type: "finish" },
];

/** The stream as our server writes it to a reader that begins behind chunk `after` when `known` chunks are there. */
function served(after: number, known: number): string {
  const block = (chunk: MessageChunk, id?: number): string =>
    `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(chunk)}\n\n`;
  const opening = `retry: 1\nid: ${after}\n\n: replay\n\n`;
  const live = WHOLE.map((chunk, index) => (index < Math.max(known, after) ? "" : block(chunk, index + 1))).join("");
  if (after > 0)
    return (
      opening +
      WHOLE.slice(after, known)
        .map((chunk, i) => block(chunk, after + i + 1))
        .join("") +
      `: live\n\n${live}${DONE}`
    );
  const text = WHOLE.slice(2, known)
    .map((chunk) => chunk["delta"])
    .join("");
  const merged = [WHOLE[0]!, WHOLE[1]!, { type: "text-delta", id: "t", delta: text }];
  return `${opening}${merged.map((chunk, i) => block(chunk, i === 2 ? known : undefined)).join("")}: live\n\n${live}${DONE}`;
}

describe("TailraceChatTransport and preludes", () => {
  test("reconnectToStream() asks for a merged history; sendMessages() does not, for it begins one", async () => {
    const { fetch, calls } = scriptedFetch(() => sseResponse(wireOf()));
    const transport = fastTransport(fetch);
    await readAll(await transport.sendMessages(sendOptions()));
    await readAll(await transport.reconnectToStream({ chatId: "c" }));
    expect(calls.map(({ url }) => url)).toEqual(["/api/chat", "/api/chat/c/stream?prelude=1"]);
  });

  test("a merged history that is cut at any byte, and once more, gives the same message, each part once", async () => {
    const full = toBytes(served(0, 12));
    const cut = fc.integer({ min: 0, max: full.length - 1 });
    await fc.assert(
      fc.asyncProperty(cut, cut, fc.boolean(), async (first, second, isExposed) => {
        const cuts = [first, second];
        const { fetch } = scriptedFetch(({ cursor }, attempt) => {
          const after = Number(cursor ?? 0);
          const bytes = toBytes(served(after, Math.max(after, 10 + attempt)));
          const end = cuts[attempt - 1];
          const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
            pull(controller) {
              if (end === undefined) controller.enqueue(bytes);
              else if (end > 0) controller.enqueue(bytes.slice(0, end));
              if (end === undefined) controller.close();
              else controller.error(new TypeError("terminated"));
            },
          });
          const response = sseResponse(body);
          // A page of another origin may not see it.
          if (isExposed && after === 0) response.headers.set("tailrace-prelude", "1");
          return response;
        });
        const chunks = await readAll(await fastTransport(fetch).reconnectToStream({ chatId: "c" }));
        expect(fold(chunks)).toEqual(fold(WHOLE));
        expect(chunks.filter(({ type }) => type === "start")).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });

  test("nothing of a replay is given before it is whole, then all of it", async () => {
    const body = handBody();
    const { fetch } = scriptedFetch(() => sseResponse(body.stream));
    const stream = (await fastTransport(fetch).reconnectToStream<MessageChunk>({ chatId: "c" }))!;
    const reader = stream.getReader();
    const [replay, rest] = served(0, 12).split(": live\n\n") as [string, string];
    let isGiven = false;
    const first = reader.read().then((result) => ((isGiven = true), result));
    body.write(replay);
    // As many turns as the pieces would need many times over.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isGiven).toBe(false);
    body.write(": live\n\n");
    expect((await first).value).toEqual(WHOLE[0]);
    body.write(rest);
    reader.releaseLock();
    expect(fold([WHOLE[0]!, ...(await readAll(stream))])).toEqual(fold(WHOLE));
  });

  test("a server that knows no prelude is replayed chunk by chunk", async () => {
    const { fetch } = scriptedFetch(() => sseResponse(wireOf()));
    expect(await readAll(await fastTransport(fetch).reconnectToStream({ chatId: "c" }))).toEqual(CHUNKS);
  });

  test("a merged history behind what was given already is no continuation: an error chunk", async () => {
    const body = handBody();
    const { fetch } = scriptedFetch((_, attempt) => {
      if (attempt === 1) return sseResponse(body.stream);
      const response = sseResponse(wireOf(null, { ids: false }));
      response.headers.set("tailrace-prelude", "1");
      return response;
    });
    const stream = await fastTransport(fetch).sendMessages<MessageChunk>(sendOptions());
    body.write(wireOf(null, { ids: false }).split("\n\n").slice(0, 4).join("\n\n") + "\n\n");
    const reader = stream.getReader();
    const given = [await reader.read(), await reader.read(), await reader.read()].map(({ value }) => value);
    expect(given).toEqual(CHUNKS.slice(0, 3));
    body.cut();
    reader.releaseLock();
    expect(errorOf(await readAll(stream))).toContain("anew");
  });

  test("a gap that a comment tells of is an error chunk", async () => {
    const body = handBody();
    const gap = `retry: 1\nid: 4\n\n: gap {"asked":"2","earliest":"4","latest":"9"}\n\nid: 5\ndata: {"type":"text-end","id":"t"}\n\n`;
    const { fetch } = scriptedFetch((_, attempt) => sseResponse(attempt === 1 ? body.stream : gap));
    const stream = await fastTransport(fetch).sendMessages<MessageChunk>(sendOptions());
    body.write(wireOf().split("\n\n").slice(0, 3).join("\n\n") + "\n\n");
    const reader = stream.getReader();
    expect([await reader.read(), await reader.read()].map(({ value }) => value)).toEqual(CHUNKS.slice(0, 2));
    body.cut();
    reader.releaseLock();
    const rest = await readAll(stream);
    expect(rest).toHaveLength(1);
    expect(errorOf(rest)).toContain("no longer kept");
  });
});
