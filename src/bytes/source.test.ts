import { Readable } from "node:stream";
import { describe, expect, test, vi } from "vitest";
import { isTailraceError } from "../errors.ts";
import { assertSource, openSource, type Pull, type Source } from "./source.ts";

async function drain<T>(pull: Pull<T>): Promise<T[]> {
  const items: T[] = [];
  for (;;) {
    const result = await pull.next();
    if (result.done === true) return items;
    items.push(result.value);
  }
}

async function* generate(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}

function streamOf(...items: readonly number[]): ReadableStream<number> {
  return new ReadableStream({
    start(controller) {
      for (const item of items) controller.enqueue(item);
      controller.close();
    },
  });
}

const kinds: Record<string, () => Source<number>> = {
  array: () => [1, 2],
  "sync generator": () =>
    (function* () {
      yield 1;
      yield 2;
    })(),
  "async generator": () => generate(),
  "async generator function": () => generate,
  "function of an array": () => () => [1, 2],
  "async function of a stream": () => async () => streamOf(1, 2),
  ReadableStream: () => streamOf(1, 2),
  "Node Readable": () => Readable.from([1, 2]),
};

describe("openSource()", () => {
  test.each(Object.entries(kinds))("pulls a %s to its end", async (_kind, make) => {
    expect(await drain(openSource(make()))).toEqual([1, 2]);
  });

  test.each(Object.entries(kinds))("close() ends a %s, before and after its first item", async (_kind, make) => {
    const unread = openSource(make());
    unread.close();
    unread.close();
    const read = openSource(make());
    expect(await read.next()).toEqual({ done: false, value: 1 });
    read.close();
    read.close();
    expect((await read.next()).done).toBe(true);
  });

  test("answers at once when an iterable has an item ready", () => {
    expect(openSource([1]).next()).toEqual({ done: false, value: 1 });
  });

  test("calls a source function at the first demand only, with the last event id", async () => {
    const source = vi.fn<(context: { lastEventId: string | undefined }) => number[]>(() => [1]);
    const pull = openSource(source, "7");
    expect(source).not.toHaveBeenCalled();
    await pull.next();
    await pull.next();
    expect(source).toHaveBeenCalledTimes(1);
    expect(source.mock.calls[0]![0].lastEventId).toBe("7");
  });

  test("close() before the first demand never calls a source function", async () => {
    const source = vi.fn(() => [1]);
    const pull = openSource(source);
    pull.close();
    expect((await pull.next()).done).toBe(true);
    expect(source).not.toHaveBeenCalled();
  });

  test("close() aborts the signal and runs `finally` at once while the source is silent", async () => {
    const steps: string[] = [];
    let released!: () => void;
    const isReleased = new Promise<void>((resolve) => (released = resolve));
    const pull = openSource(async function* ({ signal }): AsyncGenerator<number> {
      try {
        yield 1;
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      } finally {
        steps.push("finally");
        released();
      }
    });
    await pull.next();
    const waiting = Promise.resolve(pull.next()).catch((error: Error) => error.name);
    pull.close();
    await isReleased;
    expect(steps).toEqual(["finally"]);
    expect(await waiting).toBe("AbortError");
  });

  test("close() while a function still makes its source closes what it makes", async () => {
    const close = vi.fn();
    let make!: (source: AsyncIterable<number>) => void;
    const pull = openSource<number>(() => new Promise((resolve) => (make = resolve)));
    const waiting = pull.next();
    pull.close();
    make({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => (close(), { done: true, value: undefined }),
      }),
    });
    expect((await waiting).done).toBe(true);
    expect(close).toHaveBeenCalledTimes(1);
  });

  test("close() destroys a Node Readable that never gives anything", async () => {
    const readable = new Readable({ read: () => undefined });
    const pull = openSource(readable);
    const waiting = Promise.resolve(pull.next()).catch(() => "cut");
    pull.close();
    expect(readable.destroyed).toBe(true);
    await waiting;
  });

  test("close() cancels a ReadableStream that never gives anything", async () => {
    const cancel = vi.fn();
    const pull = openSource(new ReadableStream<number>({ cancel }));
    const waiting = pull.next();
    pull.close();
    expect((await waiting).done).toBe(true);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test("close() survives a `finally` that throws", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const sync = openSource(
      (function* () {
        try {
          yield 1;
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- the fault under test
          throw new Error("clean-up failed");
        }
      })(),
    );
    await sync.next();
    sync.close();
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
  });

  test.each([
    ["a promise of rows", Promise.resolve([1]), "await it"],
    ["a string", "text", "wrap it"],
    ["null", null, "null"],
    ["a number", 7, "number"],
  ])("refuses %s and says what to do", (_what, value, hint) => {
    for (const refuse of [() => openSource(value as never), () => assertSource(value)]) {
      try {
        refuse();
        expect.unreachable();
      } catch (error) {
        expect(isTailraceError(error, "source_invalid")).toBe(true);
        expect((error as Error).message).toContain(hint);
      }
    }
  });

  test("refuses what a function gives if it is no source", async () => {
    await expect(async () => openSource((() => 7) as never).next()).rejects.toMatchObject({ code: "source_invalid" });
    await expect(async () => openSource((async () => 7) as never).next()).rejects.toMatchObject({
      code: "source_invalid",
    });
  });
});
