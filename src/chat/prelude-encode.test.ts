import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../wire/ui-message.ts";
import { MOVES, validChunks } from "./prelude.test-support.ts";
import { preludeEncoder } from "./prelude-encode.ts";
import { uiMessageStream } from "./ui-message-stream.ts";

let streams: Streams;
beforeEach(() => {
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
});
afterEach(() => streams.close());

const get = (url = "http://test/", headers: HeadersInit = {}): Request => new Request(url, { headers });
const fold = (chunks: readonly MessageChunk[]): ChatMessage => chunks.reduce(foldChunk, emptyAnswer("")).message;

interface Seen {
  readonly id: string | undefined;
  readonly chunk: MessageChunk;
}

function eventsOf(body: string): Seen[] {
  return body.split("\n\n").flatMap((block) => {
    const data = /^data: (\{.*)$/m.exec(block)?.[1];
    return data === undefined ? [] : [{ id: /^id: (.*)$/m.exec(block)?.[1], chunk: JSON.parse(data) as MessageChunk }];
  });
}

async function keep(chunks: readonly MessageChunk[], isEnded = true): Promise<void> {
  await streams.append("s", chunks, isEnded ? { end: { reason: "completed" } } : {});
}
const read = async (request: Request): Promise<Seen[]> =>
  eventsOf(await (await uiMessageStream(request, streams.follow<UiChunk>("s"))).text());

describe("uiMessageStream() with a prelude", () => {
  test.each([
    ["a header", get("http://test/", { "tailrace-prelude": "1" })],
    ["the query", get("http://test/a?b=c&prelude=1")],
  ])("merges the history when %s asks for it, and says so", async (_, request) => {
    const deltas = Array.from({ length: 10_000 }, () => ({ type: "text-delta", id: "t", delta: "word " }));
    await keep([{ type: "start", messageId: "m" }, { type: "text-start", id: "t" }, ...deltas]);
    const response = await uiMessageStream(request, streams.follow<UiChunk>("s"));
    expect(response.headers.get("tailrace-prelude")).toBe("1");
    const seen = eventsOf(await response.text());
    expect(seen.map(({ chunk }) => chunk["type"])).toEqual(["start", "text-start", "text-delta"]);
    expect(seen.map(({ id }) => id !== undefined)).toEqual([false, false, true]);
  });

  test("replays token by token when nobody asks, or the option says so", async () => {
    await keep([
      { type: "start" },
      { type: "text-delta", id: "t", delta: "a" },
      { type: "text-delta", id: "t", delta: "b" },
    ]);
    expect(await read(get())).toHaveLength(3);
    const request = get("http://test/?prelude=1");
    const response = await uiMessageStream(request, streams.follow<UiChunk>("s"), { prelude: false });
    expect(response.headers.has("tailrace-prelude")).toBe(false);
    expect(eventsOf(await response.text())).toHaveLength(3);
  });

  test("goes on live behind the prelude, each chunk with its id, and a later Last-Event-ID goes on from there", async () => {
    const seed = validChunks(fc.sample(fc.array(fc.nat(), MOVES), { numRuns: 1, seed: 7 })[0]!);
    await keep(seed, false);
    const response = await uiMessageStream(get("http://test/?prelude=1"), streams.follow<UiChunk>("s"));
    const body = response.text();
    await streams.append("s", [
      { type: "text-start", id: "z" },
      { type: "text-delta", id: "z", delta: "1" },
    ]);
    await streams.append("s", [{ type: "text-delta", id: "z", delta: "2" }], { end: { reason: "completed" } });
    const seen = eventsOf(await body);
    expect(fold(seen.map(({ chunk }) => chunk))).toEqual(fold((await read(get())).map(({ chunk }) => chunk)));
    const ids = seen.filter(({ id }) => id !== undefined);
    expect(ids.length).toBeGreaterThanOrEqual(4);
    const first = seen.findIndex(({ id }) => id !== undefined);
    const later = await read(get("http://test/", { "last-event-id": ids[0]!.id! }));
    expect(later).toEqual(seen.slice(first + 1));
  });

  test("gives a reader that comes back the chunks it misses as they are, and merges for one that has none", async () => {
    const chunks = validChunks(fc.sample(fc.array(fc.nat(), MOVES), { numRuns: 1, seed: 11 })[0]!);
    await keep(chunks);
    const all = await read(get());
    const first = await uiMessageStream(get(), streams.follow<UiChunk>("s"));
    const start = /^id: (.*)$/m.exec(await first.text())![1]!;
    expect((await read(get("http://test/?prelude=1", { "last-event-id": start }))).length).toBeLessThan(all.length);
    for (const [index, { id }] of all.entries()) {
      const response = await uiMessageStream(
        get("http://test/?prelude=1", { "last-event-id": id! }),
        streams.follow<UiChunk>("s"),
      );
      expect(response.headers.has("tailrace-prelude")).toBe(false);
      expect(eventsOf(await response.text())).toEqual(all.slice(index + 1));
    }
  });

  test("a history that is larger than is held at once has one id all the same, at its end", async () => {
    const texts = Array.from({ length: 30 }, (_, index) => ({
      type: "text-delta",
      id: String(index % 15),
      delta: "x",
    }));
    const chunks = [{ type: "start", messageId: "m" }, ...texts];
    await keep(chunks);
    const source = streams.follow<UiChunk>("s");
    const encoder = (await preludeEncoder(get(), source, { maxSlotsCount: 10 }))!;
    const { entries } = await streams.read<MessageChunk>("s");
    const shown = entries.map(({ offset, value }) => encoder.item({ offset, payload: JSON.stringify(value) })).join("");
    const seen = eventsOf(shown);
    expect(seen.map(({ id }) => id).filter((id) => id !== undefined)).toEqual([entries.at(-1)!.offset]);
    expect(seen.at(-1)!.id).toBe(entries.at(-1)!.offset);
    expect(fold(seen.map(({ chunk }) => chunk))).toEqual(fold(chunks));
  });

  test("answers 404 and 204 as without one", async () => {
    const request = get("http://test/?prelude=1");
    expect((await uiMessageStream(request, streams.follow<UiChunk>("none"))).status).toBe(404);
    await keep([{ type: "start" }, { type: "finish" }]);
    const body = await (await uiMessageStream(request, streams.follow<UiChunk>("s"))).text();
    const end = [...body.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    const again = get("http://test/?prelude=1", { "last-event-id": end });
    expect((await uiMessageStream(again, streams.follow<UiChunk>("s"))).status).toBe(204);
  });
});
