import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Chunk } from "../bytes/byte-pull.ts";
import { TransformPull } from "./transform-pull.ts";
import { cutAt, inputOf, oneAndTwoCuts, ROW_CORPUS, TEXT_CORPUS, transformed } from "./transform.test-support.ts";
import type { TransformContext } from "./transform-types.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const upper = (text: string): string => text.toUpperCase();

describe("TransformPull cutting its input", () => {
  test("text, lines and rows give the same for every one and two cuts", async () => {
    const lines = TEXT_CORPUS.slice(1).replaceAll("\r\n", "\n").toUpperCase();
    for (const chunks of oneAndTwoCuts(encode(TEXT_CORPUS))) {
      expect(await transformed(chunks, upper, { as: "text" })).toBe(TEXT_CORPUS.slice(1).toUpperCase());
      expect(await transformed(chunks, upper, { as: "lines" })).toBe(`${lines}\n`);
    }
    for (const chunks of oneAndTwoCuts(encode(ROW_CORPUS))) {
      const rows = await transformed(chunks, (row) => ({ row }), { as: "rows" });
      expect(rows).toBe('{"row":{"a":"é"}}\n{"row":null}\n{"row":"水\u2028"}\n{"row":[1,"😀"]}\n{"row":7}\n');
    }
  });

  test("bytes come as they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.array(fc.nat(30)), async (bytes, cuts) => {
        const chunks = cutAt(
          bytes,
          cuts.map((cut) => Math.min(cut, bytes.length)),
        );
        const pull = new TransformPull(inputOf(chunks), (piece: Uint8Array) => piece, { as: "bytes" });
        const given: number[] = [];
        for (let next = await pull.next(); next.done !== true; next = await pull.next()) given.push(...next.value);
        expect(given).toEqual([...bytes]);
      }),
    );
  });

  test("any text comes out as written, however it is cut and however fn hands it on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }),
        fc.array(fc.nat(60)),
        fc.boolean(),
        async (text, cuts, halves) => {
          const bytes = encode(text);
          const chunks = cutAt(
            bytes,
            cuts.map((cut) => Math.min(cut, bytes.length)),
          );
          // Every UTF-16 unit by itself: surrogate pairs come in halves.
          const fn = (piece: string): string | string[] => (halves ? piece.split("") : piece);
          expect(await transformed(chunks, fn, { as: "text" })).toBe(new TextDecoder().decode(bytes));
        },
      ),
    );
  });

  test("bad rows are passed over and reported where that is asked for", async () => {
    const onBadRow = vi.fn<() => void>();
    const rows = transformed([encode("1\nno\n2\n")], (row) => row, { as: "rows", badRows: "report", onBadRow });
    expect(await rows).toBe("1\n2\n");
    expect(onBadRow).toHaveBeenCalledOnce();
  });

  test.each(["lines", "rows"] as const)("bytes that are not UTF-8 are refused or replaced in %s", async (as) => {
    const bad = [Uint8Array.of(0x22, 0xff, 0x22, 0x0a)];
    await expect(transformed(bad, (piece) => piece as string, { as })).rejects.toMatchObject({ code: "decode_failed" });
    expect(await transformed(bad, (piece) => piece as string, { as, invalidText: "replace" })).toBe('"\uFFFD"\n');
  });
});

describe("TransformPull and its function", () => {
  test("an output may be dropped, one, several, late, or made one by one", async () => {
    const answers: Record<string, () => unknown> = {
      none: () => undefined,
      one: () => "1",
      late: async () => "2",
      several: () => ["3", undefined, "4"],
      lateSeveral: async () => ["5", "6"],
      many: () => Array.from({ length: 100 }, () => "m"),
      *made() {
        yield "7";
        yield undefined;
        yield "8";
      },
      async *lateMade() {
        yield "9";
      },
    };
    const input = [encode(`${Object.keys(answers).join("\n")}\n`)];
    const out = await transformed(input, (line) => answers[line]?.() as string, { as: "lines" });
    expect(out).toBe(`1\n2\n3\n4\n5\n6\n${"m\n".repeat(100)}7\n8\n9\n`);
  });

  test("rows take any value that is no array as one row, and an array as several", async () => {
    const rows = [encode('[1,2]\n{"next":1}\nnull\n""\n0\nfalse\n')];
    expect(await transformed(rows, (row) => row, { as: "rows" })).toBe('1\n2\n{"next":1}\nnull\n""\n0\nfalse\n');
    expect(await transformed(rows, (row) => [row], { as: "rows" })).toBe('[1,2]\n{"next":1}\nnull\n""\n0\nfalse\n');
  });

  test("end() is called once, behind the last piece, also for an empty body", async () => {
    const end = vi.fn<(context: TransformContext) => string>(({ index }) => `${index} lines`);
    expect(await transformed([encode("a\nb")], () => undefined, { as: "lines", end })).toBe("2 lines\n");
    expect(await transformed([], () => undefined, { as: "lines", end })).toBe("0 lines\n");
    expect(end).toHaveBeenCalledTimes(2);
  });

  test("a value that cannot be written is refused, by name", async () => {
    const refused = (as: "bytes" | "text" | "lines" | "rows", value: unknown): Promise<string> =>
      transformed([encode("1\n")], () => value as never, { as });
    await expect(refused("text", 1)).rejects.toThrow(
      "A transform of text gives strings; this one gave a value of type number.",
    );
    await expect(refused("lines", null)).rejects.toThrow("null");
    await expect(refused("text", [["x"]])).rejects.toThrow("an array inside an array");
    await expect(refused("bytes", {})).rejects.toMatchObject({ code: "encode_refused" });
    await expect(refused("text", new Uint8Array(1))).rejects.toMatchObject({ code: "encode_refused" });
    await expect(refused("rows", 1n)).rejects.toMatchObject({ code: "encode_refused" });
  });

  test("bytes and strings are written in their order", async () => {
    const fn = (): (Uint8Array | string)[] => ["é", encode("b"), "c", "d", encode("e")];
    expect(await transformed([Uint8Array.of(1)], fn, { as: "bytes" })).toBe("ébcde");
  });
});

describe("TransformPull and demand", () => {
  test("nothing is read before the first demand, and nothing ahead of it", async () => {
    const input = inputOf(Array.from({ length: 10 }, () => new Uint8Array(65_536).fill(0x61)));
    const pull = new TransformPull(input, upper, { as: "text" });
    expect(input.asked).toBe(0);
    for (let chunk = 1; chunk <= 10; chunk++) {
      expect(pull.next()).toMatchObject({ done: false }); // at once, without a promise
      await nextTurn();
      expect(input.asked).toBe(chunk);
    }
    expect(await pull.next()).toMatchObject({ done: true });
    expect(input.closed).toBe(1);
  });

  test("small outputs that are ready together leave as one chunk, and large ones do not wait", async () => {
    const input = inputOf(Array.from({ length: 100 }, () => encode("a\n".repeat(1_000))));
    const pull = new TransformPull(input, (line: string) => line, { as: "lines" });
    const sizes: number[] = [];
    for (let next = await pull.next(); next.done !== true; next = await pull.next()) sizes.push(next.value.byteLength);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(200_000);
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(49_152);
    expect(Math.max(...sizes)).toBeLessThan(65_536);
  });

  test("an output does not wait for an input that is slow", async () => {
    let send: ((chunk: Uint8Array) => void) | undefined;
    const next = (): Promise<IteratorResult<Uint8Array, undefined>> =>
      new Promise((resolve) => (send = (value) => resolve({ done: false, value })));
    const pull = new TransformPull({ next, close: () => undefined }, upper, { as: "text" });
    for (const text of ["a", "b", "c"]) {
      const chunk = pull.next();
      await nextTurn();
      send?.(encode(text));
      expect(new TextDecoder().decode((await chunk).value)).toBe(text.toUpperCase());
    }
    pull.close();
  });

  test("one long text leaves in chunks of at most 256 KiB, in buffers that come back", async () => {
    const text = "水".repeat(400_000);
    const pull = new TransformPull(inputOf([encode("x")]), () => text, { as: "text" });
    const buffers = new Set<ArrayBufferLike>();
    let out = "";
    const decoder = new TextDecoder();
    for (let next = await pull.next(); next.done !== true; next = await pull.next()) {
      expect(next.value.byteLength).toBeLessThanOrEqual(262_144);
      expect(next.value.byteLength).toBeGreaterThan(0);
      buffers.add(next.value.buffer);
      out += decoder.decode(next.value, { stream: true });
      pull.recycle(next.value);
    }
    expect(out).toBe(text);
    expect(buffers.size).toBeLessThan(3);
  });

  test("small bytes are joined, large ones leave as they are, in their order", async () => {
    const large = [1, 2].map((value) => new Uint8Array(16_384).fill(value));
    const small = (value: number): Uint8Array => new Uint8Array(10).fill(value);
    const outputs = [small(3), small(4), large[0], small(5), "text", large[1], small(6)] as Uint8Array[];
    const pull = new TransformPull(inputOf([encode("x")]), () => outputs, { as: "bytes" });
    const chunks: Chunk[] = [];
    for (let next = await pull.next(); next.done !== true; next = await pull.next()) chunks.push(next.value);
    expect(chunks.map((chunk) => [chunk[0], chunk.length])).toEqual([
      [3, 20],
      [1, 16_384],
      [5, 14],
      [2, 16_384],
      [6, 10],
    ]);
    expect([chunks[1], chunks[3]]).toEqual(large);
    expect(chunks[1]).toBe(large[0]);
  });

  test("a chunk that the function made is never filled again", async () => {
    const own = encode("own ".repeat(20_000)) as Chunk; // large enough to leave by itself
    const pieces = ["1", "x".repeat(60_000), "2"].map(encode);
    const fn = (piece: Uint8Array): Uint8Array | string => (piece.length === 1 ? own : "y".repeat(60_000));
    const pull = new TransformPull(inputOf(pieces), fn, { as: "bytes" });
    const chunks: Chunk[] = [];
    for (let next = await pull.next(); next.done !== true; next = await pull.next()) {
      chunks.push(next.value);
      pull.recycle(next.value);
    }
    expect(chunks).toHaveLength(3);
    expect(chunks[0]).toBe(own);
    expect(new TextDecoder().decode(own)).toBe("own ".repeat(20_000));
  });

  test("a function that drops everything lets the program have its turns", async () => {
    let turns = 0;
    const tick = (): void => {
      turns++;
      next = setImmediate(tick);
    };
    let next = setImmediate(tick);
    const chunk = new Uint8Array(1_048_576);
    await transformed(
      Array.from({ length: 40 }, () => chunk),
      () => undefined,
      { as: "bytes" },
    );
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(8);
  });
});
