// readNdjson: every kind of body, batches, leaving early, cuts, aborts, the end record of a Response.

import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { encodeRowsEnd } from "./ndjson-end.ts";
import { type ReadNdjsonOptions, readNdjson } from "./read-ndjson.ts";
import type { RowBody } from "./row-body.ts";

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

function streamOf(
  parts: readonly string[],
  then: "close" | "break" | "open" = "close",
  onCancel = vi.fn(),
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const queue = [...parts];
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const part = queue.shift();
        if (part !== undefined) controller.enqueue(utf8(part));
        else if (then === "close") controller.close();
        else if (then === "break") controller.error(new TypeError("terminated"));
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}

async function read(body: RowBody, options?: ReadNdjsonOptions): Promise<{ rows: unknown[]; thrown: unknown }> {
  const rows: unknown[] = [];
  try {
    for await (const row of readNdjson(body, options)) rows.push(row);
    return { rows, thrown: undefined };
  } catch (thrown) {
    return { rows, thrown };
  }
}

const ANNOUNCED = { headers: { "tailrace-rows": "end-record" } };

describe("readNdjson", () => {
  test("reads every kind of body", async () => {
    const text = '{"a":1}\n\n[2]\nnull';
    const rows = [{ a: 1 }, [2], null];
    const bodies: readonly RowBody[] = [
      new Response(text),
      new Request("http://test/", { method: "POST", body: text }),
      new Blob([text]),
      streamOf([text.slice(0, 4), text.slice(4)]),
      [utf8(text)],
      (async function* () {
        yield utf8(text.slice(0, 9));
        yield utf8(text.slice(9));
      })(),
    ];
    for (const body of bodies) expect(await read(body)).toEqual({ rows, thrown: undefined });
    expect(await read(new Response(null))).toEqual({ rows: [], thrown: undefined });
  });

  test("gives the rows of each chunk as one batch, and no empty one", async () => {
    const batches: (readonly number[])[] = [];
    const rows = readNdjson<number>([utf8("1\n2\n3"), utf8("4"), utf8("\n"), utf8("\n"), utf8("5")]);
    for await (const batch of rows.batches()) {
      expectTypeOf(batch).toEqualTypeOf<readonly number[]>();
      batches.push(batch);
    }
    expect(batches).toEqual([[1, 2], [34], [5]]);
  });

  test("reads no more than is asked for, and cancels the body when the loop is left", async () => {
    const onCancel = vi.fn();
    const body = streamOf(["1\n2\n", "3\n"], "open", onCancel);
    for await (const row of readNdjson(body)) if (row === 2) break;
    expect(onCancel).toHaveBeenCalledTimes(1);
    const released = vi.fn();
    const generator = (async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield utf8("1\n");
      } finally {
        released();
      }
    })();
    for await (const batch of readNdjson(generator).batches()) if (batch.length > 0) break;
    await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1));
  });

  test("throws at a body that breaks off, behind the rows before it", async () => {
    const { rows, thrown } = await read(streamOf(["1\n2\n", "3"], "break"));
    expect(rows).toEqual([1, 2]);
    expect(thrown).toMatchObject({
      code: "connection_failed",
      details: { rows: 2 },
      cause: new TypeError("terminated"),
    });
  });

  test("gives the rows before a bad one, throws, and cancels the body", async () => {
    const onCancel = vi.fn();
    const { rows, thrown } = await read(streamOf(["1\nx\n2\n"], "open", onCancel));
    expect(rows).toEqual([1]);
    expect(thrown).toMatchObject({ code: "decode_failed", details: { row: 2, line: 2 } });
    expect(onCancel).toHaveBeenCalledTimes(1);
    expect((await read([utf8("1\nx\n2\n")], { badRows: "skip" })).rows).toEqual([1, 2]);
    expect((await read([utf8("1\n2\n")], { maxRowCount: 1 })).thrown).toMatchObject({ code: "limit_exceeded" });
  });

  test("throws the signal's reason, also where the body does not mind it", async () => {
    for (const make of [
      () => streamOf(["1\n"], "open"),
      async function* (): AsyncGenerator<Uint8Array> {
        yield utf8("1\n");
        await new Promise(() => undefined);
      },
    ]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const add = vi.spyOn(controller.signal, "addEventListener");
      const remove = vi.spyOn(controller.signal, "removeEventListener");
      const rows: unknown[] = [];
      const reading = (async () => {
        for await (const row of readNdjson(make(), { signal: controller.signal })) {
          rows.push(row);
          queueMicrotask(() => controller.abort(reason));
        }
      })();
      await expect(reading).rejects.toBe(reason);
      expect(rows).toEqual([1]);
      expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
    }
    const onCancel = vi.fn();
    const early = await read(streamOf(["1\n"], "open", onCancel), { signal: AbortSignal.abort("no") });
    expect(early).toEqual({ rows: [], thrown: "no" });
  });

  test("demands the end record of a Response that announces it", async () => {
    const end = encodeRowsEnd({ reason: "completed", rows: 2 });
    expect(await read(new Response(`1\n2\n${end}`, ANNOUNCED))).toEqual({ rows: [1, 2], thrown: undefined });
    expect(await read(new Response("1\n2\n", ANNOUNCED))).toMatchObject({
      rows: [1, 2],
      thrown: { code: "truncated" },
    });
    expect((await read(new Response(`1\n2\n${end}`))).rows).toHaveLength(3);
    const onEnd = vi.fn();
    await read(new Response(`1\n2\n${end}`), { onEnd });
    expect(onEnd).toHaveBeenCalledExactlyOnceWith({ reason: "completed", rows: 2 });
    expect((await read(new Response("1\n", ANNOUNCED), { endRecord: "ignore" })).thrown).toBeUndefined();
  });

  test("throws at a record that tells of a failure, and minds no cut behind a record that tells of the end", async () => {
    const failed = encodeRowsEnd({ reason: "failed", code: "source_failed", rows: 1 });
    const { rows, thrown } = await read(new Response(streamOf(["1\n", failed], "break"), ANNOUNCED));
    expect(rows).toEqual([1]);
    expect(thrown).toMatchObject({ code: "source_failed", details: { reason: "failed", rows: 1 } });
    const whole = streamOf(["1\n", encodeRowsEnd({ reason: "stopped", rows: 1 })], "break");
    expect(await read(new Response(whole, ANNOUNCED))).toEqual({ rows: [1], thrown: undefined });
  });

  test("refuses a body that is none, or that was read", async () => {
    const used = new Response("1\n");
    await used.text();
    const locked = streamOf(["1\n"]);
    locked.getReader();
    for (const body of [used, locked, ["1\n"] as never, utf8("1\n") as never]) {
      expect((await read(body)).thrown).toMatchObject({ code: "input_invalid" });
    }
    const rows = readNdjson([utf8("1\n")]);
    for await (const row of rows) expect(row).toBe(1);
    expect(() => rows.batches()).toThrow(expect.objectContaining({ code: "input_invalid" }));
  });
});
