import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import type { Store } from "../log/store.ts";
import { Streams } from "../log/streams.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { messageText } from "../wire/ui-message.ts";
import { Answers } from "./conversations-answers.ts";

const NAME = "answer/c/1";
const KEPT = `${NAME}/message.1`;

let store: Store;
let streams: Streams;
let answers: Answers;

beforeEach(() => {
  store = memoryStore({ name: crypto.randomUUID() });
  streams = new Streams({ store }, () => undefined);
  answers = new Answers(streams, undefined);
});
afterEach(() => streams.close());

const chunks: readonly UiChunk[] = [
  { type: "start", messageId: NAME },
  { type: "text-start", id: "t" },
  ...["Grüße", " aus", " 日本"].map((delta): UiChunk => ({ type: "text-delta", id: "t", delta })),
  { type: "text-end", id: "t" },
];

const kept = (name = KEPT): Promise<void> =>
  vi.waitFor(async () => expect((await streams.read(name)).entries).toHaveLength(1));

/** How often items of `name` are read from now on. */
function readsOf(name: string): () => number {
  const read = vi.spyOn(store, "read");
  return () => read.mock.calls.filter(([each]) => each === name).length;
}

describe("Answers", () => {
  test.each([
    ["completed", [{ type: "finish" }]],
    ["stopped", []],
    ["failed", [{ type: "error", errorText: "No." }]],
    ["interrupted", []],
  ] as const)("an answer that ended as %s is folded once, whatever wrote it", async (reason, last) => {
    await streams.append(NAME, [...chunks, ...last], { end: { reason } });
    const first = await answers.message(NAME);
    expect([messageText(first!), first?.end?.reason]).toEqual(["Grüße aus 日本", reason]);
    await kept();
    const reads = readsOf(NAME);
    expect(await answers.message(NAME)).toEqual(first);
    // Another process.
    expect(await new Answers(streams, undefined).message(NAME)).toEqual(first);
    expect(reads()).toBe(0);
  });

  test("an answer that is being written is folded as far as it is, and not kept", async () => {
    await streams.append(NAME, chunks.slice(0, 3));
    expect(messageText((await answers.message(NAME))!)).toBe("Grüße");
    await streams.append(NAME, [...chunks.slice(3), { type: "finish" }], { end: { reason: "completed" } });
    expect(messageText((await answers.message(NAME))!)).toBe("Grüße aus 日本");
    await kept();
  });

  test("an answer that is not there is none", async () => {
    expect(await answers.message(NAME)).toBeUndefined();
    expect(await streams.head(KEPT)).toBeUndefined();
  });

  test("what is kept goes with its answer, even when it is deleted while it is being kept", async () => {
    for (let turn = 0; turn < 20; turn++) {
      const name = `answer/c/${turn}`;
      await streams.append(name, chunks, { end: { reason: "completed" } });
      await answers.message(name);
      for (let wait = 0; wait < turn; wait++) await Promise.resolve();
      await answers.delete(name);
    }
    const last = "answer/c/last";
    await streams.append(last, chunks, { end: { reason: "completed" } });
    await answers.message(last);
    await kept(`${last}/message.1`); // they are kept in their order: the others are done
    for (let turn = 0; turn < 20; turn++) {
      expect(await streams.head(`answer/c/${turn}`)).toBeUndefined();
      expect(await streams.head(`answer/c/${turn}/message.1`)).toBeUndefined();
    }
  });

  test("a place that somebody has left empty is filled, and one that was deleted is folded again", async () => {
    await streams.create(KEPT); // its writer died before it wrote
    await streams.append(NAME, chunks, { end: { reason: "completed" } });
    const first = await answers.message(NAME);
    await kept();
    expect(await answers.message(NAME)).toEqual(first);
    await streams.delete(KEPT);
    await streams.create(KEPT); // elsewhere: its old place is wrong now
    await expect(answers.message(NAME)).resolves.toEqual(first);
    await kept();
  });

  test("a store that takes no more still gives its answers", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await streams.append(NAME, chunks, { end: { reason: "completed" } });
    const create = vi.spyOn(store, "create").mockRejectedValue(new Error("The disk is full."));
    const first = await answers.message(NAME);
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
    expect(await answers.message(NAME)).toEqual(first);
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(2));
    create.mockRestore();
    await answers.message(NAME);
    await kept();
  });

  test("keepMs is the time to live of what is kept too", async () => {
    answers = new Answers(streams, 60_000);
    await streams.create(NAME, { ttlMs: 60_000 });
    await streams.append(NAME, chunks, { end: { reason: "completed" } });
    await answers.message(NAME);
    await kept();
    await expect(streams.create(KEPT)).rejects.toMatchObject({ code: "stream_exists" });
  });

  test.each([15_000, 10])(
    "an answer of %i chunks, where that is the most, is whole; one more says that it is not",
    async (most) => {
      answers = new Answers(streams, undefined, most);
      const many = (count: number): readonly UiChunk[] =>
        Array.from({ length: count }, () => ({ type: "data-x", transient: true, data: 1 }));
      const end = { reason: "completed" } as const;
      await streams.append(NAME, [...chunks, ...many(most - chunks.length - 1), { type: "finish" }], { end });
      await streams.append("longer", [...chunks, ...many(most - chunks.length), { type: "finish" }], { end });
      expect((await answers.message(NAME))?.end).toEqual({ reason: "completed" });
      const told = expect.stringContaining(`${most.toLocaleString("en")} pieces`) as string;
      expect((await answers.message("longer"))?.end).toMatchObject({ reason: "failed", message: told });
      await kept();
      expect(await streams.head("longer/message.1")).toBeUndefined();
    },
  );
});
