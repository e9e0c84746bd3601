import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { CHUNK_CHARS, Chunks, type ChunkWriter } from "./chunks.ts";
import { openSource, type Source } from "./source.ts";

const decoder = new TextDecoder();
const writer: ChunkWriter<string> = {
  open: "<",
  encode: (item) => item,
  close: () => ">",
  fail: () => "!",
  heartbeat: undefined,
  heartbeatMs: 0,
};

function chunksOf(source: Source<string>, changes: Partial<ChunkWriter<string>> = {}, clock = createManualClock()) {
  const onFinish = vi.fn();
  return { chunks: new Chunks(openSource(source), { ...writer, ...changes }, clock, onFinish), clock, onFinish };
}

async function all(chunks: Chunks<string>): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const result = await chunks.next();
    if (result.done === true) return texts;
    texts.push(decoder.decode(result.value));
  }
}

const textOf = async (chunks: Chunks<string>): Promise<string | undefined> => {
  const { value } = await chunks.next();
  return value && decoder.decode(value);
};

describe("Chunks", () => {
  test("sends the opening before the source is touched", async () => {
    const source = vi.fn(() => ["a"]);
    const { chunks } = chunksOf(source);
    expect(await textOf(chunks)).toBe("<");
    expect(source).not.toHaveBeenCalled();
    expect(await all(chunks)).toEqual(["a>"]);
  });

  test("joins what is ready in one turn, and does not hold it for the next", async () => {
    let release!: () => void;
    const later = new Promise<void>((resolve) => (release = resolve));
    const { chunks } = chunksOf(async function* () {
      yield "a";
      await Promise.resolve();
      yield "b";
      await later;
      yield "c";
    });
    expect(await textOf(chunks)).toBe("<");
    expect(await textOf(chunks)).toBe("ab");
    release();
    expect(await textOf(chunks)).toBe("c>");
  });

  test("sends a chunk at CHUNK_CHARS and not before", async () => {
    const { chunks } = chunksOf(["x".repeat(CHUNK_CHARS - 1), "y", "z"]);
    const texts = await all(chunks);
    expect(texts.map((text) => text.length)).toEqual([1, CHUNK_CHARS, 2]);
  });

  test("lets others have a turn between two full chunks of an endless source", async () => {
    const { chunks } = chunksOf(function* () {
      for (;;) yield "x".repeat(CHUNK_CHARS);
    });
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    for (let index = 0; index < 50; index++) await chunks.next();
    await nextTurn();
    clearInterval(count);
    expect(turns).toBeGreaterThan(0);
    chunks.close();
  });

  test("holds at most one item that nobody has asked for", async () => {
    let pulled = 0;
    const { chunks } = chunksOf(async function* () {
      for (;;) {
        await nextTurn();
        pulled++;
        yield "x";
      }
    });
    await chunks.next();
    expect(pulled).toBe(0);
    let given = 0;
    for (let demand = 1; demand <= 10; demand++) {
      given += (await textOf(chunks))!.length;
      for (let turn = 0; turn < 5; turn++) await nextTurn();
      expect(pulled).toBeLessThanOrEqual(given + 1);
    }
    chunks.close();
  });

  test("writes the failure in band where the format can, after what came before it", async () => {
    const { chunks, onFinish } = chunksOf(function* () {
      yield "a";
      throw new Error("secret");
    });
    expect(await all(chunks)).toEqual(["<", "a!"]);
    expect(onFinish).toHaveBeenCalledTimes(1);
  });

  test("rejects where the format cannot tell, after what came before it", async () => {
    const fault = new Error("x");
    const { chunks } = chunksOf(
      async function* () {
        yield "a";
        throw fault;
      },
      { fail: () => undefined },
    );
    expect([await textOf(chunks), await textOf(chunks)]).toEqual(["<", "a"]);
    await expect(async () => chunks.next()).rejects.toBe(fault);
    expect((await chunks.next()).done).toBe(true);
  });

  test("an item that cannot be encoded fails the reply and closes the source", async () => {
    const closed = vi.fn();
    const { chunks } = chunksOf(
      function* () {
        try {
          yield "a";
          yield "bad";
          yield "c";
        } finally {
          closed();
        }
      },
      {
        encode: (item) => {
          if (item === "bad") throw new Error("no");
          return item;
        },
      },
    );
    expect(await all(chunks)).toEqual(["<", "a!"]);
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test("a source that cannot even be called fails in band", async () => {
    const { chunks } = chunksOf(() => {
      throw new Error("x");
    });
    expect(await all(chunks)).toEqual(["<", "!"]);
  });

  describe("heartbeat", () => {
    const silent = async function* (): AsyncGenerator<string> {
      yield "a";
      await new Promise(() => undefined);
    };
    const beating = { heartbeat: "~", heartbeatMs: 1_000 };

    test("is sent after heartbeatMs of silence and not a millisecond before", async () => {
      const { chunks, clock } = chunksOf(silent, beating);
      await chunks.next();
      expect(await textOf(chunks)).toBe("a");
      const waiting = textOf(chunks);
      let isSent = false;
      void waiting.then(() => (isSent = true));
      clock.advance(999);
      await nextTurn();
      expect(isSent).toBe(false);
      clock.advance(1);
      expect(await waiting).toBe("~");
      chunks.close();
      expect(clock.timerCount).toBe(0);
    });

    test("is put off by every chunk", async () => {
      let give!: (item: string) => void;
      const { chunks, clock } = chunksOf(async function* () {
        for (;;) yield await new Promise<string>((resolve) => (give = resolve));
      }, beating);
      await chunks.next();
      for (let round = 0; round < 5; round++) {
        const waiting = textOf(chunks);
        await nextTurn();
        clock.advance(900);
        give("a");
        expect(await waiting).toBe("a");
      }
      const waiting = textOf(chunks);
      clock.advance(1_000);
      expect(await waiting).toBe("~");
      chunks.close();
    });

    test("is not sent to a reader that asks for nothing, and survives a clock that is set back", async () => {
      const { chunks, clock } = chunksOf(silent, beating);
      await chunks.next();
      clock.advance(10_000);
      expect(await textOf(chunks)).toBe("a");
      clock.jump(-3_600_000);
      const waiting = textOf(chunks);
      clock.advance(2_000);
      expect(await waiting).toBe("~");
      chunks.close();
    });
  });

  test.each(["close", "finish", "cut"] as const)(
    "%s() at every point releases the source and the timers",
    async (way) => {
      for (let point = 0; point <= 6; point++) {
        const released = vi.fn();
        const { chunks, clock, onFinish } = chunksOf(
          async function* ({ signal }) {
            try {
              yield "a";
              await nextTurn();
              yield "b";
              await new Promise((resolve) => signal.addEventListener("abort", resolve));
            } finally {
              released();
            }
          },
          { heartbeat: "~", heartbeatMs: 1_000 },
        );
        const seen: string[] = [];
        const waiting: Promise<unknown>[] = [];
        for (let step = 0; step < Math.min(point, 4); step++) {
          const next = textOf(chunks).then((text) => text !== undefined && seen.push(text));
          waiting.push(next.catch(() => undefined));
          if (step < 3) await next;
          if (step === 1) await nextTurn();
        }
        if (point > 4) await nextTurn();
        if (way === "close") chunks.close();
        else if (way === "finish") chunks.finish("bye");
        else chunks.cut(new Error("cut"));
        await Promise.all(waiting);
        await nextTurn();
        expect(onFinish).toHaveBeenCalledTimes(1);
        expect(clock.timerCount).toBe(0);
        if (point > 1) expect(released).toHaveBeenCalledTimes(1);
        if (way === "finish") {
          const rest = await all(chunks);
          expect([...seen, ...rest].join("")).toMatch(/^<(ab?)?bye$/);
        } else if (way === "cut") {
          const rest = await all(chunks).catch((error: Error) => error.message);
          expect(point >= 4 ? [] : "cut").toEqual(rest);
        } else expect((await chunks.next()).done).toBe(true);
      }
    },
  );

  test("writes the failure and cuts behind it, a turn later, when the writer says so", async () => {
    const { chunks } = chunksOf(
      function* () {
        yield "a";
        throw new Error("x");
      },
      { fail: () => "!", cutsAfterFail: true },
    );
    expect(await textOf(chunks)).toBe("<");
    expect(await textOf(chunks)).toBe("a!");
    const seen: string[] = [];
    setImmediate(() => seen.push("turn"));
    const cut = Promise.resolve(chunks.next()).catch((error: Error) => seen.push(error.message));
    await cut;
    expect(seen).toEqual(["turn", "x"]);
    expect((await chunks.next()).done).toBe(true);
  });

  test("does not cut any more when it is closed in the turn before", async () => {
    const { chunks, onFinish } = chunksOf(
      () => {
        throw new Error("x");
      },
      { fail: () => "!", cutsAfterFail: true },
    );
    await chunks.next();
    expect(await textOf(chunks)).toBe("!");
    const waiting = chunks.next();
    chunks.close();
    expect((await waiting).done).toBe(true);
    expect(onFinish).toHaveBeenCalledTimes(1);
  });
});
