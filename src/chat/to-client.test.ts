import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { chatReply } from "./to-client.ts";

let streams: Streams;
beforeEach(async () => {
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  const chunks = [{ type: "text-start", id: "t" }, { type: "text-delta", id: "t", delta: "Hi" }, { type: "finish" }];
  await streams.append("s", chunks, { end: { reason: "completed" } });
});
afterEach(() => streams.close());

const reply = (accept: string | undefined, name = "s"): Promise<Response> =>
  chatReply(
    new Request("http://test/", accept === undefined ? {} : { headers: { accept } }),
    streams.follow<UiChunk>(name),
  );

const EVENTS = "text/event-stream; charset=utf-8";
const TEXT = "text/plain; charset=utf-8";
const ROWS = "application/x-ndjson; charset=utf-8";

describe("chatReply()", () => {
  test.each([
    [undefined, EVENTS],
    ["*/*", EVENTS],
    ["application/json", EVENTS],
    ["text/event-stream", EVENTS],
    ["text/plain", TEXT],
    ["text/html, Text/Plain;q=0.5", TEXT],
    ["text/plain;q=0.1, text/event-stream;q=0.9", EVENTS],
    ["text/plain;q=0", EVENTS],
    ["application/x-ndjson", ROWS],
    ["application/ndjson, text/plain;q=0.9", ROWS],
  ])("answers Accept: %s with %s", async (accept, type) => {
    const response = await reply(accept);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("vary")).toBe("accept");
    await response.body?.cancel();
  });

  test("gives the words alone as text, and a chunk per row with the end record as rows", async () => {
    expect(await (await reply("text/plain")).text()).toBe("Hi");
    const rows = (await (await reply("application/x-ndjson")).text()).trim().split("\n");
    expect(rows.map((row) => JSON.parse(row) as unknown)).toEqual([
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "Hi" },
      { type: "finish" },
      { $end: { reason: "completed", rows: 3 } },
    ]);
  });

  test("a run that failed cuts text and rows, and says so in the rows' end record", async () => {
    await streams.append("f", [{ type: "text-delta", id: "t", delta: "Hi" }], { end: { reason: "failed" } });
    const options = { onError: () => undefined };
    for (const accept of ["text/plain", "application/x-ndjson"]) {
      const request = new Request("http://test/", { headers: { accept } });
      const response = await chatReply(request, streams.follow<UiChunk>("f"), options);
      await expect(response.text()).rejects.toMatchObject({ code: "source_failed" });
    }
  });

  test.each(["text/event-stream", "text/plain", "application/x-ndjson"])(
    "is 404 for an unknown run as %s",
    async (accept) => {
      expect((await reply(accept, "none")).status).toBe(404);
    },
  );
});
