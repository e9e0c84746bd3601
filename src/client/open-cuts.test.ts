// openStream over a scripted fetch: cuts, POST, and time.

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

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("openStream() and cuts", () => {
  const events = ["a", "é", "日本", "multi"].map((text, index) => ({ id: `i${index}`, text }));
  const whole = (after: string | null): string => {
    const from = events.findIndex((event) => event.id === after) + 1;
    const items = events.slice(from).map(({ id, text }) => `id: ${id}\r\ndata: "${text}"\r\n\r\n`);
    return `: replay\nid: ${after ?? "start"}\n\n${items.join("")}: live\n${END}`;
  };

  test.each(["break", "close"] as const)("a stream cut at any byte (%s) gives every item once", async (how) => {
    const full = toBytes(whole(null));
    for (let cut = 0; cut < full.length; cut += 1) {
      const { fetch, calls } = scriptedFetch((call, attempt) => {
        if (attempt > 1) return sseResponse(whole(call.cursor === "start" ? null : call.cursor));
        let sent = false;
        return sseResponse(
          new ReadableStream({
            pull(controller) {
              if (!sent) controller.enqueue(full.slice(0, cut));
              else if (how === "close") controller.close();
              else controller.error(new TypeError("terminated"));
              sent = true;
            },
          }),
        );
      });
      const items = await data(openStream<string>("/s", { ...FAST, fetch }));
      expect(items, `cut at ${cut}`).toEqual(events.map((event) => event.text));
      expect(calls.length).toBeLessThanOrEqual(2);
    }
  });

  test("a failed fetch is tried again", async () => {
    const { fetch, calls } = scriptedFetch((_, attempt) => {
      if (attempt < 3) throw new TypeError("fetch failed");
      return sseResponse(END);
    });
    await data(openStream("/s", { ...FAST, fetch }));
    expect(calls.length).toBe(3);
  });

  test("headers that fail are tried again, a header that cannot be sent is not", async () => {
    const { fetch, calls } = scriptedFetch(() => sseResponse(END));
    let tries = 0;
    const headers = (): HeadersInit => {
      tries += 1;
      if (tries === 1) throw new Error("no token yet");
      return {};
    };
    await data(openStream("/s", { ...FAST, fetch, headers }));
    expect([tries, calls.length]).toEqual([2, 1]);
    const bad = data(openStream("/s", { ...FAST, fetch, headers: { "x-bad": "日本" } }));
    await expect(bad).rejects.toMatchObject({ code: "input_invalid" });
  });

  test("an address that cannot exist fails at once", async () => {
    await expect(data(openStream("/relative", FAST))).rejects.toMatchObject({ code: "input_invalid" });
  });
});

describe("openStream() and POST", () => {
  const post = { ...FAST, method: "POST", body: { text: "hi" } } satisfies OpenOptions<never>;

  test("a POST that was answered and cut goes on as a GET of resumeUrl", async () => {
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      sseResponse(attempt === 1 ? bodyOf(["id: 5\ndata: 1\n\n"], "break") : `data: 2\n\n${END}`),
    );
    expect(await data(openStream("/post", { ...post, fetch, resumeUrl: "/resume" }))).toEqual([1, 2]);
    expect(calls.map(({ method, url, cursor }) => [method, url, cursor])).toEqual([
      ["POST", "/post", null],
      ["GET", "/resume", "5"],
    ]);
  });

  test("a POST without resumeUrl is never sent twice", async () => {
    const { fetch, calls } = scriptedFetch(() => sseResponse(bodyOf(["data: 1\n\n"], "break")));
    const stream = openStream("/post", { ...post, fetch });
    await expect(data(stream)).rejects.toMatchObject({ code: "connection_failed" });
    expect(stream.state.error?.message).toContain("resumeUrl");
    expect(calls.length).toBe(1);
  });

  test.each([
    ["a broken connection", undefined, undefined, 1],
    ["500", 500, "1", 1],
    ["503 without Retry-After", 503, undefined, 1],
    ["503 with Retry-After", 503, "0", 2],
    ["429 with Retry-After", 429, "0", 2],
  ])(
    "a POST that failed before any response is repeated only when that is safe: %s",
    async (_, code, after, requests) => {
      const { fetch, calls } = scriptedFetch((_call, attempt) => {
        if (attempt > 1) return sseResponse(END);
        if (code === undefined) throw new TypeError("fetch failed");
        return new Response(null, { status: code, headers: after === undefined ? {} : { "retry-after": after } });
      });
      await data(openStream("/post", { ...post, fetch, resumeUrl: "/resume" })).catch(() => undefined);
      expect(calls.map((call) => call.method)).toEqual(Array.from({ length: requests }, () => "POST"));
    },
  );
});

describe("openStream() and time", () => {
  test("Retry-After is a lower bound", async () => {
    vi.useFakeTimers();
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      attempt === 1 ? new Response(null, { status: 503, headers: { "retry-after": "20" } }) : sseResponse(END),
    );
    const items = data(openStream("/s", { fetch }));
    await vi.advanceTimersByTimeAsync(19_999);
    expect(calls.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls.length).toBe(2);
    await items;
  });

  test("silence of idleMs is a cut; a comment a moment earlier is not", async () => {
    vi.useFakeTimers();
    let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
    let cancelled = 0;
    const { fetch, calls } = scriptedFetch((_, attempt) => {
      if (attempt > 1) return sseResponse(END);
      return sseResponse(
        new ReadableStream({
          start: (own) => void (controller = own),
          cancel: () => void (cancelled += 1),
        }),
      );
    });
    const stream = openStream("/s", { fetch, idleMs: 1000 });
    const items = data(stream);
    await vi.advanceTimersByTimeAsync(999);
    controller?.enqueue(toBytes(": heartbeat\n\n"));
    await vi.advanceTimersByTimeAsync(999);
    expect(stream.state.status).toBe("open");
    await vi.advanceTimersByTimeAsync(1);
    expect(stream.state).toMatchObject({ status: "waiting", error: { details: { idleMs: 1000 } } });
    expect([calls.length, cancelled]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(30_000);
    await items;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a request without an answer is cut by the watchdog too, and a late answer is let go", async () => {
    vi.useFakeTimers();
    let late = (_response: Response): void => undefined;
    let cancelled = 0;
    const { fetch } = scriptedFetch((_, attempt) =>
      attempt > 1 ? sseResponse(END) : new Promise((resolve) => (late = resolve)),
    );
    const items = data(openStream("/s", { fetch, idleMs: 1000 }));
    await vi.advanceTimersByTimeAsync(40_000);
    await items;
    late(sseResponse(new ReadableStream({ cancel: () => void (cancelled += 1) })));
    await vi.advanceTimersByTimeAsync(0);
    expect(cancelled).toBe(1);
  });

  test("close() while waiting leaves no timer", async () => {
    vi.useFakeTimers();
    const { fetch } = scriptedFetch(() => new Response(null, { status: 500 }));
    const stream = openStream("/s", { fetch });
    await vi.advanceTimersByTimeAsync(0);
    expect(stream.state.status).toBe("waiting");
    stream.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(await data(stream)).toEqual([]);
  });
});
