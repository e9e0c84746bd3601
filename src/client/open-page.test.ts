// openStream over a scripted fetch: a slow reader, replays, and what the page tells.

import { afterEach, describe, expect, test, vi } from "vitest";
import { openStream } from "./open.ts";
import { bodyOf, scriptedFetch, sseResponse, toBytes } from "./scripted-fetch.test-support.ts";
import type { OpenOptions, StreamConnection } from "./stream-types.ts";

const END = 'event: end\ndata: {"reason":"completed"}\n\n';
const FAST: OpenOptions<never> = { minDelayMs: 1, maxDelayMs: 2 };

async function data<T>(stream: StreamConnection<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const item of stream) seen.push(item.data);
  return seen;
}

const status = (stream: StreamConnection<unknown>, wanted: string): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (stream.state.status !== wanted) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = stream.subscribe(look);
    look();
  });

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("openStream() and a slow reader", () => {
  test("the network is not read while maxQueuedItems wait, and the watchdog rests", async () => {
    vi.useFakeTimers();
    let pulled = 0;
    const { fetch, calls } = scriptedFetch(() =>
      sseResponse(
        new ReadableStream<Uint8Array<ArrayBuffer>>(
          { pull: (controller) => controller.enqueue(toBytes(`id: ${pulled}\ndata: ${pulled++}\n\n`)) },
          { highWaterMark: 0 },
        ),
      ),
    );
    const stream = openStream<number>("/s", { fetch, maxQueuedItems: 10, idleMs: 1000 });
    await vi.advanceTimersByTimeAsync(5000);
    expect(pulled).toBe(10);
    const seen: number[] = [];
    for await (const item of stream) {
      seen.push(item.data);
      if (seen.length === 5) await vi.advanceTimersByTimeAsync(5000);
      if (seen.length === 50) break;
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(pulled).toBeLessThanOrEqual(61);
    expect(calls.length).toBe(1);
  });

  test("a chunk with more events than maxQueuedItems loses none", async () => {
    const text = Array.from({ length: 100 }, (_, index) => `data: ${index}\n\n`).join("");
    const { fetch } = scriptedFetch(() => sseResponse(text + END));
    expect(await data(openStream("/s", { fetch, maxQueuedItems: 3 }))).toHaveLength(100);
  });
});

describe("openStream() and a replay", () => {
  const items = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, index) => `id: ${from + index}\ndata: ${from + index}\n\n`).join("");
  const sizes = async (stream: StreamConnection<unknown>): Promise<number[]> => {
    const seen: number[] = [];
    for await (const batch of stream.batches()) seen.push(batch.length);
    return seen;
  };

  test("batches() gives the whole replay as one, however it is cut", async () => {
    const text = `: replay\n\n${items(0, 40)}: live\n\n`;
    const { fetch } = scriptedFetch(() => sseResponse(bodyOf([...text.split(/(?:)/u), END], "close")));
    const stream = openStream("/s", { fetch });
    const replaying: boolean[] = [];
    stream.subscribe(() => replaying.push(stream.state.replaying));
    expect(await sizes(stream)).toEqual([40]);
    expect(replaying).toContain(true);
    expect(stream.state.replaying).toBe(false);
  });

  test("batches() gives a replay of maxQueuedItems or more in parts", async () => {
    const parts = ["replay", ...Array.from({ length: 25 }, (_, index) => index), "live"].map((part) =>
      typeof part === "string" ? `: ${part}\n\n` : items(part, part + 1),
    );
    const { fetch } = scriptedFetch(() => sseResponse(bodyOf([...parts, END], "close")));
    expect(await sizes(openStream("/s", { fetch, maxQueuedItems: 10 }))).toEqual([10, 10, 5]);
  });

  test("batches() delivers what a replay held when the connection is cut", async () => {
    const { fetch } = scriptedFetch((_, attempt) =>
      sseResponse(
        attempt === 1 ? bodyOf([": replay\n\n", items(0, 3)], "break") : `: replay\n\n${items(3, 5)}: live\n\n${END}`,
      ),
    );
    expect((await sizes(openStream("/s", { ...FAST, fetch }))).reduce((sum, size) => sum + size, 0)).toBe(5);
  });
});

describe("openStream() and the page", () => {
  /** A window and a document that count their listeners. */
  function page(): { window: EventTarget; document: EventTarget & { visibilityState: string }; count: () => number } {
    let listeners = 0;
    class Counted extends EventTarget {
      override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
        listeners += 1;
        super.addEventListener(...args);
      }
      override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
        listeners -= 1;
        super.removeEventListener(...args);
      }
    }
    const window = new Counted();
    const document = Object.assign(new Counted(), { visibilityState: "visible" });
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
    vi.stubGlobal("document", document);
    return { window, document, count: () => listeners };
  }

  test("online retries now, and every listener is gone at the end", async () => {
    const { window, count } = page();
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      attempt === 1 ? new Response(null, { status: 500 }) : sseResponse(END),
    );
    const stream = openStream("/s", { fetch, minDelayMs: 60_000 });
    const items = data(stream);
    await status(stream, "waiting");
    expect(count()).toBe(3);
    window.dispatchEvent(new Event("online"));
    await items;
    expect([calls.length, count()]).toEqual([2, 0]);
  });

  test("pageshow from the back/forward cache reconnects a body that is dead without an error", async () => {
    const { window } = page();
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      sseResponse(attempt === 1 ? bodyOf(["id: 3\ndata: 1\n\n"], "open") : END),
    );
    const stream = openStream("/s", { fetch });
    const seen: unknown[] = [];
    for await (const item of stream) {
      seen.push(item.data);
      window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
      expect(stream.state.status).toBe("open");
      window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    }
    expect(calls.map((call) => call.cursor)).toEqual([null, "3"]);
    expect(calls[0]?.signal?.aborted).toBe(true);
  });

  test("a page that is shown after a long sleep reconnects, after a short one it does not", async () => {
    vi.useFakeTimers();
    const { document } = page();
    const { fetch, calls } = scriptedFetch(() => sseResponse(bodyOf([": hi\n\n"], "open")));
    const stream = openStream("/s", { fetch, idleMs: 10_000 });
    await vi.advanceTimersByTimeAsync(0);
    vi.setSystemTime(Date.now() + 9000);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(calls.length).toBe(1);
    vi.setSystemTime(Date.now() + 2000);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(0);
    expect(calls.length).toBe(2);
    stream.close();
  });

  test("pauseWhenHidden closes while hidden and comes back from the cursor", async () => {
    const { document } = page();
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      sseResponse(attempt === 1 ? bodyOf(["id: 9\ndata: 1\n\n"], "open") : END),
    );
    const stream = openStream<number>("/s", { fetch, pauseWhenHidden: true });
    const first = await stream[Symbol.asyncIterator]().next();
    expect(first.value).toMatchObject({ data: 1, id: "9" });
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    expect(stream.state.status).toBe("paused");
    document.visibilityState = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    await data(stream);
    expect(calls.map((call) => call.cursor)).toEqual([null, "9"]);
  });

  test("pause() and resume() leave and come back", async () => {
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      sseResponse(attempt === 1 ? bodyOf(["id: 1\ndata: 1\n\n"], "open") : END),
    );
    const stream = openStream("/s", { fetch });
    const seen: unknown[] = [];
    for await (const item of stream) {
      seen.push(item.data);
      stream.pause();
      expect(stream.state.status).toBe("paused");
      expect(calls[0]?.signal?.aborted).toBe(true);
      stream.resume();
    }
    expect(calls.map((call) => call.cursor)).toEqual([null, "1"]);
  });
});
