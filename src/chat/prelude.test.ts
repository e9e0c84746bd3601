import { readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../wire/ui-message.ts";
import { Prelude } from "./prelude.ts";
import { MOVES, validChunks } from "./prelude.test-support.ts";

function merge(chunks: readonly MessageChunk[], options?: ConstructorParameters<typeof Prelude>[0]): MessageChunk[] {
  const prelude = new Prelude(options);
  const merged: MessageChunk[] = [];
  for (const chunk of chunks) {
    prelude.add(chunk);
    if (prelude.isFull) merged.push(...prelude.take());
  }
  return [...merged, ...prelude.take()];
}

const fold = (chunks: readonly MessageChunk[]): ChatMessage => chunks.reduce(foldChunk, emptyAnswer("")).message;

/** The message as the AI SDK shows it, and what it had to say against the chunks. */
async function foldStock(chunks: readonly MessageChunk[]): Promise<unknown> {
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of structuredClone(chunks)) controller.enqueue(chunk as unknown as UIMessageChunk);
      controller.close();
    },
  });
  const errors: string[] = [];
  let last: UIMessage | undefined;
  const onError = (error: unknown): void => void errors.push(String(error));
  // A last chunk that always shows, since not every chunk does.
  for await (const message of readUIMessageStream({ stream, onError })) last = message;
  return { errors, message: JSON.parse(JSON.stringify(last ?? null)) as unknown };
}
const SHOW: MessageChunk = { type: "message-metadata", messageMetadata: { shown: true } };

describe("Prelude", () => {
  test("merged chunks fold to the same message at every cut, in our reducer", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), MOVES), (moves) => {
        const chunks = validChunks(moves);
        for (let cut = 0; cut <= chunks.length; cut++) {
          const merged = merge(chunks.slice(0, cut));
          expect(fold(merged)).toEqual(fold(chunks.slice(0, cut)));
          expect(fold([...merged, ...chunks.slice(cut)])).toEqual(fold(chunks));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("merged chunks fold to the same message at every cut, in the AI SDK, which finds no fault with them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), MOVES), async (moves) => {
        const chunks = validChunks(moves);
        const whole = await foldStock([...chunks, SHOW]);
        expect(whole).toMatchObject({ errors: [] });
        for (let cut = 0; cut <= chunks.length; cut++) {
          const [seen, rest] = [chunks.slice(0, cut), chunks.slice(cut)];
          expect(await foldStock([...merge(seen), SHOW])).toEqual(await foldStock([...seen, SHOW]));
          expect(await foldStock([...merge(seen), ...rest, SHOW])).toEqual(whole);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("our reducer and the AI SDK's show the same message", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), MOVES), async (moves) => {
        const chunks = validChunks(moves);
        const ours = JSON.parse(JSON.stringify(fold([...chunks, SHOW]))) as ChatMessage;
        const stock = (await foldStock([...chunks, SHOW])) as { readonly message: ChatMessage };
        const parts = stock.message.parts.map((part) => {
          if (part.type !== "reasoning") return part;
          const { id: _id, ...rest } = part as { readonly id?: string } & typeof part; // ours has none: nobody reads it
          return rest;
        });
        expect(ours).toEqual({ ...stock.message, parts });
      }),
      { numRuns: 300 },
    );
  });

  test("ten thousand tokens become a start, a delta and an end", () => {
    const deltas = Array.from({ length: 10_000 }, (_, index) => ({ type: "text-delta", id: "t", delta: `${index} ` }));
    const merged = merge([
      { type: "start" },
      { type: "text-start", id: "t" },
      ...deltas,
      { type: "text-end", id: "t" },
    ]);
    expect(merged.map((chunk) => chunk["type"])).toEqual(["start", "text-start", "text-delta", "text-end"]);
    expect(fold(merged).parts).toMatchObject([{ text: deltas.map(({ delta }) => delta).join(""), state: "done" }]);
  });

  test("a preliminary output gives way to the latest, and a transient part is left out", () => {
    const call = { toolCallId: "c", toolName: "t" };
    const outputs = [1, 2, 3].map((output) => ({
      type: "tool-output-available",
      toolCallId: "c",
      output,
      preliminary: true,
    }));
    const merged = merge([
      { type: "tool-input-available", ...call, input: {} },
      ...outputs,
      { type: "data-x", data: 1, transient: true },
    ]);
    expect(merged).toEqual([{ type: "tool-input-available", ...call, input: {} }, outputs[2]]);
  });

  test.each([
    ["characters", { maxChars: 10 }, (prelude: Prelude, count: number) => prelude.add({ type: "file" }, count)],
    [
      "parts",
      { maxSlotsCount: 10 },
      (prelude: Prelude, count: number) => {
        for (let index = 0; index < count; index++) prelude.add({ type: "file" });
      },
    ],
  ])(
    "is full one past its limit of %s and not at it, and what it then gives goes together with the rest",
    (_, options, add) => {
      const prelude = new Prelude(options);
      add(prelude, 10);
      expect(prelude.isFull).toBe(false);
      add(prelude, 1);
      expect(prelude.isFull).toBe(true);
      prelude.take();
      expect(prelude.isFull).toBe(false);
      const chunks = validChunks([]).concat(
        Array.from({ length: 50 }, (_, index) => ({ type: "text-delta", id: String(index % 20), delta: "x" })),
      );
      expect(fold(merge(chunks, { maxSlotsCount: 10 }))).toEqual(fold(chunks));
    },
  );
});
