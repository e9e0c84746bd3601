import { describe, expect, test, vi } from "vitest";
import { oneAndTwoCuts, TEXT_CORPUS } from "../wire/transform.test-support.ts";
import { transformFile } from "./transform-file.ts";

const upper = (text: string): string => text.toUpperCase();
const blob = (...parts: BlobPart[]): Blob => new Blob(parts);

/** A stream of `chunks` that counts what was asked of it. */
function watched(chunks: readonly Uint8Array[]): {
  stream: ReadableStream<Uint8Array>;
  pulled: () => number;
  cancelled: () => number;
} {
  let at = 0;
  const cancel = vi.fn<() => void>();
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[at++];
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
  return { stream, pulled: () => at, cancelled: () => cancel.mock.calls.length };
}

const kilobytes = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => new Uint8Array(65_536).fill(0x61));

describe("transformFile()", () => {
  test("transformFile() runs the same functions as a server does", async () => {
    expect(await new Response(transformFile(blob("héllo"), upper, { as: "text" })).text()).toBe("HÉLLO");
    const lines = transformFile(blob("a\nERROR b\nc\n"), (line) => (line.includes("ERROR") ? line : undefined), {
      as: "lines",
      end: ({ index }) => `${index} lines`,
    });
    expect(await new Response(lines).text()).toBe("ERROR b\n3 lines\n");
    const rows = transformFile(blob('{"n":1}\nnull\n'), (row) => [row, row], { as: "rows" });
    expect(await new Response(rows).text()).toBe('{"n":1}\n{"n":1}\nnull\nnull\n');
    expect(await new Response(transformFile(blob("ab"), (bytes) => bytes.toReversed())).text()).toBe("ba");
  });

  test("transformFile() gives the same for every one and two cuts", async () => {
    for (const chunks of oneAndTwoCuts(new TextEncoder().encode(TEXT_CORPUS))) {
      const out = transformFile(watched(chunks).stream, upper, { as: "text" });
      expect(await new Response(out).text()).toBe(TEXT_CORPUS.slice(1).toUpperCase());
    }
  });

  test("transformFile() reads nothing ahead, and can be iterated over and left", async () => {
    const file = watched(kilobytes(10));
    const out = transformFile(file.stream, upper, { as: "text" });
    expect(file.pulled()).toBe(0);
    let chunks = 0;
    for await (const chunk of out) {
      expect(chunk.length).toBe(65_536);
      if (++chunks === 3) break;
    }
    expect(file.pulled()).toBe(3);
    expect(file.cancelled()).toBe(1);
  });

  test("transformFile() can be iterated over where streams cannot", async () => {
    const prototype = ReadableStream.prototype as { [Symbol.asyncIterator]?: unknown };
    const iterate = Object.getOwnPropertyDescriptor(prototype, Symbol.asyncIterator);
    delete prototype[Symbol.asyncIterator];
    try {
      const file = watched(kilobytes(4));
      let chunks = 0;
      for await (const chunk of transformFile(file.stream, upper, { as: "text" })) chunks += chunk.length / 65_536;
      expect(chunks).toBe(4);
      const left = watched(kilobytes(4));
      for await (const chunk of transformFile(left.stream, upper, { as: "text" })) if (chunk.length > 0) break;
      expect(left.cancelled()).toBe(1);
    } finally {
      if (iterate !== undefined) Object.defineProperty(prototype, Symbol.asyncIterator, iterate);
    }
  });

  test("transformFile() fails with what goes wrong, and lets go of the file", async () => {
    const bad = transformFile(blob(Uint8Array.of(0xff, 0x61)), upper, { as: "text" });
    await expect(new Response(bad).text()).rejects.toMatchObject({ code: "decode_failed" });
    const file = watched(kilobytes(4));
    const fn = (): string => {
      throw new Error("mine");
    };
    await expect(new Response(transformFile(file.stream, fn, { as: "text" })).text()).rejects.toThrow("mine");
    expect(file.cancelled()).toBe(1);
    expect(() => transformFile(blob(""), upper, { as: "lines", maxLineBytes: 0 })).toThrow(/maxLineBytes/);
  });

  test("transformFile() stops when its signal aborts, before it and while it runs", async () => {
    const aborted = transformFile(blob("a"), upper, { as: "text", signal: AbortSignal.abort() });
    await expect(new Response(aborted).text()).rejects.toMatchObject({ code: "aborted" });
    const stop = new AbortController();
    const file = watched(kilobytes(4));
    const reader = transformFile(file.stream, upper, { as: "text", signal: stop.signal }).getReader();
    await reader.read();
    stop.abort();
    await expect(reader.read()).rejects.toMatchObject({ code: "aborted" });
    expect(file.cancelled()).toBe(1);
  });
});
