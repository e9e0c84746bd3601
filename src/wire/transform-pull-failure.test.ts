import { describe, expect, test, vi } from "vitest";
import { TransformPull } from "./transform-pull.ts";
import { inputOf, textOf } from "./transform.test-support.ts";
import type { TransformContext } from "./transform-types.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const upper = (text: string): string => text.toUpperCase();

/** What comes of `pull` up to its failure, and the failure. */
async function untilFailure(pull: TransformPull<never>): Promise<{ chunks: number; error: unknown }> {
  for (let chunks = 0; ; chunks++) {
    try {
      if ((await pull.next()).done === true) return { chunks, error: undefined };
    } catch (error) {
      return { chunks, error };
    }
  }
}

describe("TransformPull and failures", () => {
  test("a failure before anything has left is all that comes", async () => {
    const rows = new TransformPull(inputOf([encode("1\n2\nno\n")]), (row: unknown) => row, { as: "rows" });
    expect(await untilFailure(rows as never)).toMatchObject({ chunks: 0, error: { code: "decode_failed" } });
  });

  test("a failure after the first chunk comes behind what was written", async () => {
    const first = "a".repeat(65_536);
    const input = inputOf([encode(first), encode("b"), Uint8Array.of(0xff)]);
    const pull = new TransformPull(input, upper, { as: "text" });
    expect(await untilFailure(pull as never)).toMatchObject({ chunks: 2, error: { code: "decode_failed" } });
    expect(input.closed).toBe(1);
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
    [
      "makes and throws",
      function* () {
        yield "x";
        throw new Error("mine");
      },
    ],
    [
      "makes and rejects",
      async function* () {
        yield "x";
        throw new Error("mine");
      },
    ],
  ])("a function that %s fails the transform, aborts its signal and closes the input", async (_how, fn) => {
    const input = inputOf([encode("a")]);
    let signal: AbortSignal | undefined;
    const pull = new TransformPull(
      input,
      (_piece: string, context) => {
        ({ signal } = context);
        return fn() as AsyncGenerator<string>;
      },
      { as: "text" },
    );
    expect(await untilFailure(pull as never)).toMatchObject({ error: { message: "mine" } });
    expect(input.closed).toBe(1);
    expect(signal?.aborted).toBe(true);
    await expect(async () => pull.next()).rejects.toThrow("mine"); // never an end
  });

  test("the input's own failure comes through", async () => {
    const pull = new TransformPull(inputOf([encode("a")], { error: new Error("cut") }), upper, { as: "text" });
    expect(await untilFailure(pull as never)).toMatchObject({ chunks: 0, error: { message: "cut" } });
  });

  test("close() aborts the signal, runs the generator's finally and closes the input, at every point", async () => {
    for (let steps = 0; steps < 12; steps++) {
      const input = inputOf([encode("a\n"), encode("b\n")], { later: true });
      const log: string[] = [];
      let aborted = 0;
      let open = 0;
      const pull = new TransformPull(
        input,
        async function* (line: string, { signal }: TransformContext) {
          open++;
          signal.addEventListener("abort", () => void aborted++);
          try {
            yield line;
            await nextTurn();
            yield `${line}2`;
          } finally {
            open--;
          }
        },
        { as: "lines" },
      );
      const reading = textOf(pull).then((text) => log.push(text));
      for (let turn = 0; turn < steps; turn++) await (turn % 2 === 0 ? Promise.resolve() : nextTurn());
      const wasOver = log.length > 0;
      pull.close();
      pull.close();
      await reading; // whoever waits is told
      await nextTurn();
      await nextTurn();
      expect(open).toBe(0);
      expect(input.closed).toBe(1);
      if (!wasOver && aborted > 0) expect(aborted).toBeLessThanOrEqual(2);
    }
  });

  test("cut() tells whoever waits, although the function never answers", async () => {
    const input = inputOf([encode("a")]);
    const pull = new TransformPull(input, () => new Promise<string>(() => undefined), { as: "text" });
    const waiting = pull.next();
    pull.cut(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
    expect(input.closed).toBe(1);
  });

  test("what a function makes too late is closed", async () => {
    const cancel = vi.fn<() => void>();
    let answer: ((stream: ReadableStream<string>) => void) | undefined;
    const fn = (): Promise<ReadableStream<string>> => new Promise((resolve) => (answer = resolve));
    const pull = new TransformPull(inputOf([encode("a")]), fn, { as: "text" });
    const waiting = pull.next();
    pull.close();
    expect(await waiting).toMatchObject({ done: true });
    answer?.(new ReadableStream({ cancel }));
    await nextTurn();
    expect(cancel).toHaveBeenCalledOnce();
  });
});
