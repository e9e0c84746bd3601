// openStream over a scripted fetch: from what the body says to what the reader gets.

import { describe, expect, test } from "vitest";
import { openStream } from "./open.ts";
import { scriptedFetch, sseResponse } from "./scripted-fetch.test-support.ts";
import type { OpenOptions, StreamConnection, StreamItem } from "./stream-types.ts";

const END = 'event: end\nid: z~\ndata: {"reason":"completed"}\n\n';

async function all<T>(stream: StreamConnection<T>): Promise<StreamItem<T>[]> {
  const items: StreamItem<T>[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe("openStream", () => {
  test("openStream() swallows heartbeats and hands on a gap", async () => {
    const { fetch } = scriptedFetch(() =>
      sseResponse(
        `event: heartbeat\ndata: {}\n\nevent: gap\ndata: {"asked":"1","earliest":"5","latest":"9"}\n\n${END}`,
      ),
    );
    const stream = openStream("/s", { fetch });
    const gap = { asked: "1", earliest: "5", latest: "9" };
    expect(await all(stream)).toEqual([{ event: "gap", data: gap, id: "" }]);
    expect(stream.state.gap).toEqual(gap);
  });

  test("openStream() decodes by a function and by a schema, and names what they refuse", async () => {
    const { fetch } = scriptedFetch(() => sseResponse(`data: 1\n\ndata: 2\n\n${END}`));
    const doubled = await all(openStream("/s", { fetch, decode: (data) => Number(data) * 2 }));
    expect(doubled.map((item) => item.data)).toEqual([2, 4]);

    const schema: NonNullable<OpenOptions<number>["schema"]> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value) => (value === 1 ? { value: 10 } : { issues: [{ message: "must be 1" }] }),
      },
    };
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for await (const item of openStream("/s", { fetch, schema })) seen.push(item.data);
    };
    await expect(read()).rejects.toMatchObject({
      code: "decode_failed",
      message: expect.stringContaining("must be 1"),
    });
    expect(seen).toEqual([10]);
    const text = await all(openStream("/s", { fetch, decode: "text" }));
    expect(text.map((item) => item.data)).toEqual(["1", "2"]);
  });

  test("openStream() takes an event of maxEventBytes and refuses one byte more, keeping what came before", async () => {
    const { fetch } = scriptedFetch(() => sseResponse("data: 1\n\ndata: 123456\n\ndata: end\n\n"));
    const isEnd: OpenOptions["isEnd"] = ({ data }) => (data === "end" ? { reason: "completed" } : undefined);
    const limit = "data: 123456\n".length;
    const at = await all(openStream("/s", { fetch, isEnd, maxEventBytes: limit }));
    expect(at.map((item) => item.data)).toEqual([1, 123456]);
    const seen: unknown[] = [];
    const past = async (): Promise<void> => {
      for await (const item of openStream("/s", { fetch, isEnd, maxEventBytes: limit - 1 })) seen.push(item.data);
    };
    await expect(past()).rejects.toMatchObject({ code: "limit_exceeded" });
    expect(seen).toEqual([1]);
  });

  test("openStream() hands the end's own event on when isEnd asks for it", async () => {
    const { fetch } = scriptedFetch(() => sseResponse("data: 1\n\ndata: last\n\ndata: never\n\n"));
    const isEnd: OpenOptions["isEnd"] = ({ data }) =>
      data === "last" ? { reason: "completed", deliver: true } : undefined;
    const stream = openStream("/s", { fetch, isEnd, maxQueuedItems: 1 });
    expect((await all(stream)).map((item) => item.data)).toEqual([1, "last"]);
  });

  test("openStream() fails, and does not throw elsewhere, when the caller's functions throw", async () => {
    const { fetch } = scriptedFetch(() => sseResponse(`data: 1\n\n${END}`));
    const broken = (): never => {
      throw new RangeError("mine");
    };
    await expect(all(openStream("/s", { fetch, decode: broken }))).rejects.toMatchObject({ code: "decode_failed" });
    await expect(all(openStream("/s", { fetch, isEnd: broken }))).rejects.toMatchObject({ code: "decode_failed" });
  });

  test("openStream() reads NDJSON and text to their clean end", async () => {
    const answer = (type: string, body: string): OpenOptions["fetch"] =>
      scriptedFetch(() => new Response(body, { headers: { "content-type": type } })).fetch;
    const stream = openStream("/s", { fetch: answer("application/x-ndjson", '{"a":1}\n2') });
    expect((await all(stream)).map((item) => item.data)).toEqual([{ a: 1 }, 2]);
    expect(stream.state.end).toEqual({ reason: "completed" });
    const text = await all(openStream("/s", { fetch: answer("text/plain; charset=utf-8", "häh 1") }));
    expect(text.map((item) => item.data).join("")).toBe("häh 1");
    const numbers = await all(openStream("/s", { fetch: answer("text/plain", "12"), decode: Number }));
    expect(numbers.map((item) => item.data)).toEqual([12]);
    const half = all(openStream("/s", { fetch: answer("application/x-ndjson", '1\n{"a"') }));
    await expect(half).rejects.toMatchObject({ code: "decode_failed" });
  });
});
