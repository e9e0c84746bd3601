import zlib from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openReplies } from "../reply/open-replies.ts";
import { pullOf } from "../reply/reply.ts";
import { ndjson } from "../reply/rows.ts";
import { sse } from "../reply/sse.ts";
import { shutdown } from "../reply/shutdown.ts";
import { compress } from "./compress.ts";
import { ask, decoded, encodingOf, plain } from "./compress.test-support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("compress() pulling", () => {
  test("asks the source for nothing before somebody reads, and for one chunk per demand", async () => {
    const create = vi.spyOn(zlib, "createGzip");
    let given = 0;
    const request = ask("gzip");
    const response = compress(
      request,
      ndjson(request, function* () {
        for (;;) yield { row: ++given };
      }),
    );
    expect([given, create.mock.calls.length]).toEqual([0, 0]);
    const reader = response.body!.getReader();
    expect((await reader.read()).value?.byteLength).toBe(0); // what makes a host send its headers
    expect([given, create.mock.calls.length]).toEqual([0, 0]);
    await reader.read();
    const afterOne = given;
    expect(afterOne).toBeGreaterThan(0);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBe(afterOne);
    await reader.read();
    expect(given).toBeGreaterThan(afterOne);
    await reader.cancel();
    expect(create.mock.results).toMatchObject([{ value: { destroyed: true } }]);
    expect(openReplies().size).toBe(0);
  });

  test("an aborted request ends the coder without a cancel", async () => {
    const create = vi.spyOn(zlib, "createGzip");
    const controller = new AbortController();
    const request = ask("gzip", { signal: controller.signal });
    const released = vi.fn<() => void>();
    const response = compress(
      request,
      sse(request, async function* ({ signal }) {
        yield "one";
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        released();
      }),
    );
    const reader = response.body!.getReader();
    await reader.read();
    await reader.read();
    controller.abort();
    expect((await reader.read()).done).toBe(true);
    expect(create.mock.results).toMatchObject([{ value: { destroyed: true } }]);
    await vi.waitFor(() => expect(released).toHaveBeenCalledOnce());
    expect(openReplies().size).toBe(0);
  });

  test("a request that was aborted before opens nothing", async () => {
    const source = vi.fn<() => string[]>(() => []);
    const request = ask("gzip", { signal: AbortSignal.abort() });
    const response = compress(request, ndjson(request, source));
    expect((await response.arrayBuffer()).byteLength).toBe(0);
    expect(source).not.toHaveBeenCalled();
    expect(openReplies().size).toBe(0);
  });

  test("an empty body is an empty body in every coding", async () => {
    for (const encoding of ["gzip", "br", "zstd"]) {
      const request = ask(encoding);
      const response = compress(request, ndjson(request, []));
      expect(encodingOf(response)).toBe(encoding);
      expect(await decoded(response)).toBe("");
    }
  });

  test("a coder that fails cuts the reply and is reported", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    vi.spyOn(zlib, "createGzip").mockImplementation(() => {
      throw new Error("no memory");
    });
    const released = vi.fn<() => void>();
    const request = ask("gzip");
    const response = compress(
      request,
      ndjson(request, function* () {
        try {
          for (;;) yield 1;
        } finally {
          released();
        }
      }),
    );
    await expect(response.text()).rejects.toThrow("no memory");
    expect([released.mock.calls.length, log.mock.calls.length, openReplies().size]).toEqual([1, 1, 0]);
  });

  test("a shutdown says the farewell through the coder, and cuts what has none", async () => {
    const waiting = (): Promise<never> => new Promise(() => undefined);
    const request = ask("gzip");
    const events = decoded(compress(request, sse(request, waiting, { retryMs: 5 })));
    const rows = compress(request, ndjson(request, waiting)).arrayBuffer();
    const how = rows.then(
      () => "whole",
      (error: unknown) => (error as Error).message,
    );
    await vi.waitFor(() => expect(openReplies().size).toBe(4)); // each reply and its coder
    await shutdown({ graceMs: 1 });
    expect(await how).toContain("The server shut down");
    expect(await events).toMatch(/^retry: 5\n\n(?:.|\n)*retry:/);
    expect(openReplies().size).toBe(0);
  });
});

describe("compress() in Next.js", () => {
  test("leaves the reply to Next's own compression, and lets that have it", async () => {
    vi.stubEnv("NEXT_RUNTIME", "nodejs");
    const request = ask("gzip, br");
    const reply = compress(request, sse(request, ["a"]));
    expect([encodingOf(reply), reply.headers.get("cache-control")]).toEqual([null, "no-cache"]);
    expect(pullOf(reply)).toBeDefined();
    expect(await reply.text()).toContain("data: a\n\n");
    const only = compress(request, plain({ "cache-control": "no-transform" }));
    expect(only.headers.has("cache-control")).toBe(false);
  });

  test("keeps no-transform where Next must not compress either", () => {
    vi.stubEnv("NEXT_RUNTIME", "nodejs");
    const part = plain({ "cache-control": "max-age=0, no-transform", "content-range": "bytes 0-1/2" }, 206);
    expect(compress(ask("gzip"), part)).toBe(part);
    const packed = plain({ "cache-control": "no-transform", "content-type": "image/png" });
    expect(compress(ask("gzip"), packed)).toBe(packed);
    const unwanted = plain({ "cache-control": "no-transform" });
    expect(compress(ask("gzip"), unwanted, { encodings: ["br"] })).toBe(unwanted);
  });
});
