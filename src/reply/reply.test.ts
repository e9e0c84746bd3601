import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { Source } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import { openReplies } from "./open-replies.ts";
import type { ReplyOptions } from "./reply.ts";
import { ndjson, text } from "./rows.ts";
import { shutdown } from "./shutdown.ts";
import { sse } from "./sse.ts";

const get = (headers: HeadersInit = {}, init: RequestInit = {}): Request =>
  new Request("http://test/", { headers, ...init });

const replies: Record<string, (request: Request, source: Source<string>) => Response> = {
  sse: (request, source) => sse(request, source),
  ndjson: (request, source) => ndjson(request, source),
  text: (request, source) => text(request, source),
};

describe.each(Object.entries(replies))("%s()", (_name, reply) => {
  test("carries the headers that stop buffering and none that HTTP/2 forbids", () => {
    const { headers, status } = reply(get(), []);
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(headers.get("x-accel-buffering")).toBe("no");
    expect(headers.get("content-type")).toMatch(/; charset=utf-8$/);
    for (const name of ["connection", "keep-alive", "transfer-encoding"]) expect(headers.has(name)).toBe(false);
  });

  test("answers HEAD with the headers and never opens its source", async () => {
    const source = vi.fn(() => []);
    const response = reply(get({}, { method: "HEAD" }), source);
    expect(response.body).toBeNull();
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    await nextTurn();
    expect(source).not.toHaveBeenCalled();
  });

  test("opens nothing when its body is never read", async () => {
    const source = vi.fn(() => []);
    reply(get(), source);
    await nextTurn();
    expect(source).not.toHaveBeenCalled();
    expect(openReplies().size).toBe(0);
  });

  test("opens nothing when the reader had gone before the body is read", async () => {
    const source = vi.fn(() => []);
    const controller = new AbortController();
    const response = reply(get({}, { signal: controller.signal }), source);
    controller.abort();
    expect(await response.text()).toBe("");
    expect(source).not.toHaveBeenCalled();
    expect(openReplies().size).toBe(0);
  });

  test("gives its first chunk before its source gives anything", async () => {
    const source = async function* (): AsyncGenerator<string> {
      await new Promise(() => undefined);
      yield "never";
    };
    const reader = reply(get(), source).body!.getReader();
    const first = await reader.read();
    expect(first.done).toBe(false);
    await reader.cancel();
    expect(openReplies().size).toBe(0);
  });

  test.each(["cancel", "abort"])("releases a silent source when the reader leaves by %s", async (way) => {
    const released = Promise.withResolvers<void>();
    const controller = new AbortController();
    const source = async function* ({ signal }: { signal: AbortSignal }): AsyncGenerator<string> {
      try {
        yield "a";
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      } finally {
        released.resolve();
      }
    };
    const response = reply(get({}, { signal: controller.signal }), source);
    const reader = response.body!.getReader();
    await reader.read();
    await reader.read();
    const waiting = reader.read();
    expect(openReplies().size).toBe(1);
    if (way === "cancel") await reader.cancel();
    else controller.abort();
    await released.promise;
    expect((await waiting).done).toBe(true);
    expect(openReplies().size).toBe(0);
  });

  test("refuses what is no source before it replies", () => {
    expect(() => reply(get(), "text" as never)).toThrow(TailraceError);
    expect(() => reply(get(), Promise.resolve([]) as never)).toThrow(/await it/);
  });

  test("drops connection-level headers, keeps the others", () => {
    const options = { status: 201, headers: { connection: "keep-alive", "x-mine": "1", "cache-control": "no-store" } };
    const make = {
      sse: () => sse(get(), [], options),
      ndjson: () => ndjson(get(), [], options),
      text: () => text(get(), [], options),
    };
    const { status, headers } = make[_name as keyof typeof make]();
    expect(status).toBe(201);
    expect(headers.has("connection")).toBe(false);
    expect(headers.get("x-mine")).toBe("1");
    expect(headers.get("cache-control")).toBe("no-store");
  });
});

describe("sse() of a plain source", () => {
  test("writes the opening, the events and the end", async () => {
    const events = [{ event: "a", id: "1", data: { n: 1 } }, "two\nlines", { comment: "c" }];
    const response = sse(get(), events, { retryMs: 250, first: [{ event: "hello", data: "x" }] });
    expect(await response.text()).toBe(
      'retry: 250\n\nevent: hello\ndata: x\n\nevent: a\nid: 1\ndata: {"n":1}\n\ndata: two\ndata: lines\n\n: c\n\nevent: end\ndata: {"reason":"completed"}\n\n',
    );
  });

  test("gives the source the Last-Event-ID as UTF-8, and ignores a malformed one", async () => {
    const seen: (string | undefined)[] = [];
    const source: Source<string> = ({ lastEventId }) => {
      seen.push(lastEventId);
      return [];
    };
    const asBytes = (id: string): string => String.fromCharCode(...new TextEncoder().encode(id));
    for (const id of ["7", asBytes("ä…"), "x".repeat(1_024), "x".repeat(1_025), "\u00ff", ""]) {
      await sse(get({ "last-event-id": id }), source).text();
    }
    expect(seen).toEqual(["7", "ä…", "x".repeat(1_024), undefined, undefined, undefined]);
  });

  test("ends with an error event that tells nothing of what was thrown", async () => {
    const onError = vi.fn();
    const fault = new Error("password=secret at /srv/app");
    const response = sse(
      get(),
      async function* () {
        yield { data: 1 };
        throw fault;
      },
      { onError },
    );
    const body = await response.text();
    expect(body).toContain("event: error\n");
    expect(body).not.toContain("secret");
    expect(body).not.toContain("event: end");
    expect(onError).toHaveBeenCalledExactlyOnceWith(fault);
  });

  test("an item that would inject a field fails the reply instead", async () => {
    const onError = vi.fn();
    const body = await sse(get(), [{ event: "x\ndata: forged", data: 1 }], { onError }).text();
    expect(body).not.toContain("forged");
    expect(body).toContain("event: error\n");
    expect(onError.mock.calls[0]![0]).toMatchObject({ code: "encode_refused" });
  });

  test("heartbeatEvent sends heartbeats that JavaScript sees", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    try {
      const silent = async function* (): AsyncGenerator<string> {
        await new Promise(() => undefined);
        yield "";
      };
      for (const [heartbeatEvent, wanted] of [
        [true, "event: heartbeat\ndata: {}\n\n"],
        [false, ": heartbeat\n\n"],
      ] as const) {
        const reader = sse(get(), silent, { heartbeatEvent, heartbeatMs: 5_000 }).body!.getReader();
        await reader.read();
        const beat = reader.read();
        await vi.advanceTimersByTimeAsync(5_000);
        expect(new TextDecoder().decode((await beat).value)).toBe(wanted);
        await reader.cancel();
      }
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("ndjson() and text()", () => {
  test("write rows and texts as they are", async () => {
    expect(await ndjson(get(), [1, null, { a: "\u2028" }]).text()).toBe('1\nnull\n{"a":"\u2028"}\n');
    expect(await text(get(), ["a", "", "é\n"]).text()).toBe("aé\n");
  });

  test("cut the connection when the source fails", async () => {
    const failing = function* (): Generator<string> {
      yield "a";
      throw new Error("x");
    };
    const both: readonly ((request: Request, source: Source<string>, options: ReplyOptions) => Response)[] = [
      ndjson,
      text,
    ];
    for (const reply of both) {
      const reader = reply(get(), failing, { onError: () => undefined }).body!.getReader();
      await reader.read();
      expect(new TextDecoder().decode((await reader.read()).value)).toContain("a");
      await expect(reader.read()).rejects.toThrow("x");
    }
  });

  test("refuse items that they cannot write", async () => {
    await expect(text(get(), [1] as unknown as string[], { onError: () => undefined }).text()).rejects.toMatchObject({
      code: "encode_refused",
    });
    await expect(ndjson(get(), [1n], { onError: () => undefined }).text()).rejects.toMatchObject({
      code: "encode_refused",
    });
  });
});

describe("shutdown()", () => {
  const silent = async function* (): AsyncGenerator<string> {
    yield "a";
    await new Promise(() => undefined);
  };

  test("sends event streams away without an end, cuts what cannot come back", async () => {
    const events = sse(get(), silent).text();
    const rows = ndjson(get(), silent)
      .text()
      .catch((error: unknown) => error);
    await nextTurn();
    await nextTurn();
    expect(openReplies().size).toBe(2);
    await shutdown({ graceMs: 30 });
    expect(await events).toBe("retry: 1000\n\ndata: a\n\nretry: 1000\n\n");
    expect(await rows).toMatchObject({ code: "closed" });
    expect(openReplies().size).toBe(0);
  });

  test("lets a reply that cannot come back finish within graceMs", async () => {
    let release!: () => void;
    const later = new Promise<void>((resolve) => (release = resolve));
    const body = text(get(), async function* () {
      yield "a";
      await later;
      yield "b";
    }).text();
    await nextTurn();
    await nextTurn();
    const ending = shutdown({ graceMs: 5_000 });
    release();
    await ending;
    expect(await body).toBe("ab");
  });
});
