// readCsv: every kind of body, batches, leaving early, cuts, aborts, types.

import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { createCsvEncoder, type CsvColumn } from "./csv-encode.ts";
import { utf8 } from "./csv.test-support.ts";
import { readCsv, type ReadCsvOptions } from "./read-csv.ts";
import type { RowBody } from "./row-body.ts";
import type { StandardSchema } from "./standard-schema.ts";

type Then = "close" | "break" | "open";

function streamOf(parts: readonly string[], then: Then = "close", onCancel = vi.fn()): ReadableStream<Uint8Array> {
  const queue = [...parts];
  return new ReadableStream<Uint8Array>(
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

async function read(
  body: RowBody,
  options?: ReadCsvOptions<unknown>,
): Promise<{ rows: readonly unknown[]; thrown: unknown }> {
  const rows: unknown[] = [];
  try {
    for await (const row of readCsv<unknown>(body, options)) rows.push(row);
    return { rows, thrown: undefined };
  } catch (thrown) {
    return { rows, thrown };
  }
}

describe("readCsv", () => {
  test("reads every kind of body", async () => {
    const text = 'id,name\r\n1,"a\r\nb"\r\n\r\n2,';
    const rows = [
      { id: "1", name: "a\r\nb" },
      { id: "2", name: null },
    ];
    const bodies: readonly RowBody[] = [
      new Response(text),
      new Request("http://test/", { method: "POST", body: text }),
      new Blob([text]),
      streamOf([text.slice(0, 13), text.slice(13)]),
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
    const batches: unknown[] = [];
    const chunks = ["1\n2\n3", "4", "\n", "\n", "5"].map((part) => utf8(part));
    for await (const batch of readCsv(chunks, { header: ["n"] }).batches()) {
      expectTypeOf(batch).toEqualTypeOf<readonly Record<string, string | null>[]>();
      batches.push(batch.map((row) => row["n"]));
    }
    expect(batches).toEqual([["1", "2"], ["34"], ["5"]]);
  });

  test("types rows by the options: objects, arrays, what a schema makes", async () => {
    for await (const row of readCsv([utf8("1,2\n")], { header: false })) {
      expectTypeOf(row).toEqualTypeOf<(string | null)[]>();
      expect(row).toEqual(["1", "2"]);
    }
    const schema: StandardSchema<{ readonly id: number }> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (row) => ({ value: { id: Number((row as { id: string }).id) } }),
      },
    };
    for await (const row of readCsv([utf8("id\n7\n")], { schema })) {
      expectTypeOf(row).toEqualTypeOf<{ readonly id: number }>();
      expect(row).toEqual({ id: 7 });
    }
  });

  test("reads by the columns that the encoder wrote by", async () => {
    interface Order {
      readonly id: number;
      readonly note: string | null;
    }
    const columns: readonly CsvColumn<Order>[] = ["id", { header: "The note", key: "note" }];
    const encoder = createCsvEncoder<Order>({ columns, guardFormulas: true });
    const body = encoder.open() + encoder.encode({ id: 1, note: "=1+1" }) + encoder.encode({ id: 2, note: null });
    expect((await read([utf8(body)], { columns, unguardFormulas: true })).rows).toEqual([
      { id: "1", note: "=1+1" },
      { id: "2", note: null },
    ]);
  });

  test("reads no more than is asked for, and cancels the body when the loop is left", async () => {
    const onCancel = vi.fn();
    const onPull = vi.fn();
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          onPull();
          controller.enqueue(utf8("1\n2\n"));
        },
        cancel: onCancel,
      },
      { highWaterMark: 0 },
    );
    for await (const [cell] of readCsv(body, { header: false })) if (cell === "2") break;
    expect(onCancel).toHaveBeenCalledTimes(1);
    expect(onPull).toHaveBeenCalledTimes(1);
  });

  test("throws at a body that breaks off or ends in a cell, behind the rows before it", async () => {
    const broken = await read(streamOf(["a\n1\n2\n", "3"], "break"));
    expect(broken.rows).toEqual([{ a: "1" }, { a: "2" }]);
    expect(broken.thrown).toMatchObject({
      code: "connection_failed",
      details: { rows: 2 },
      cause: new TypeError("terminated"),
    });
    const short = await read(streamOf(["a\n1\n", '"2']));
    expect(short).toMatchObject({ rows: [{ a: "1" }], thrown: { code: "truncated" } });
  });

  test("gives the rows before a bad one, throws, and cancels the body", async () => {
    const onCancel = vi.fn();
    const { rows, thrown } = await read(streamOf(["a\n1\nx,y\n2\n"], "open", onCancel));
    expect(rows).toEqual([{ a: "1" }]);
    expect(thrown).toMatchObject({ code: "decode_failed", details: { row: 2, line: 3 } });
    expect(onCancel).toHaveBeenCalledTimes(1);
    expect((await read([utf8("a\n1\nx,y\n2\n")], { badRows: "skip" })).rows).toEqual([{ a: "1" }, { a: "2" }]);
    expect((await read([utf8("a\n1\n2\n")], { maxRowCount: 1 })).thrown).toMatchObject({ code: "limit_exceeded" });
  });

  test("throws the signal's reason, also where the body does not mind it, and leaves no listener", async () => {
    const deaf = async function* (): AsyncGenerator<Uint8Array> {
      yield utf8("a\n1\n");
      await new Promise(() => undefined);
    };
    for (const make of [() => streamOf(["a\n1\n"], "open"), deaf]) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const add = vi.spyOn(controller.signal, "addEventListener");
      const remove = vi.spyOn(controller.signal, "removeEventListener");
      const rows: unknown[] = [];
      const reading = (async () => {
        for await (const row of readCsv(make(), { signal: controller.signal })) {
          rows.push(row);
          queueMicrotask(() => controller.abort(reason));
        }
      })();
      await expect(reading).rejects.toBe(reason);
      expect(rows).toEqual([{ a: "1" }]);
      expect(add.mock.calls.length).toBeGreaterThan(0);
      expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
    }
    const early = await read(streamOf(["a\n1\n"], "open"), { signal: AbortSignal.abort("no") });
    expect(early).toEqual({ rows: [], thrown: "no" });
  });

  test("refuses a body that is none, or that was read, and options that cannot be", async () => {
    const used = new Response("1\n");
    await used.text();
    const locked = streamOf(["1\n"]);
    locked.getReader();
    for (const body of [used, locked, ["1\n"] as never, utf8("1\n") as never]) {
      expect((await read(body)).thrown).toMatchObject({ code: "input_invalid" });
    }
    expect((await read([], { badRows: "report" })).thrown).toMatchObject({ code: "input_invalid" });
    const rows = readCsv([utf8("a\n1\n")]);
    for await (const row of rows) expect(row).toEqual({ a: "1" });
    expect(() => rows.batches()).toThrow(expect.objectContaining({ code: "input_invalid" }));
  });
});
