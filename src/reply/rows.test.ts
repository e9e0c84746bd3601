// ndjson() with an end record and with heartbeats, down to the socket.

import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createListener } from "../node/listener.ts";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { openStream } from "../client/open.ts";
import { createRowDecoder } from "../wire/ndjson.ts";
import { openReplies } from "./open-replies.ts";
import { ndjson, type RowsOptions } from "./rows.ts";

const get = (): Request => new Request("http://test/");
const quiet: RowsOptions = { endRecord: true, onError: () => undefined };

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(handler: (request: Request) => Response | Promise<Response>): Promise<number> {
  const server = createServer(createListener(handler));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** All that comes over the socket, until it closes. */
function raw(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () =>
      socket.write("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"),
    );
    socket.setEncoding("utf8").on("data", (part: string) => (text += part));
    socket.on("error", reject).on("close", () => resolve(text));
  });
}

async function readAll(response: Response): Promise<{ text: string; thrown: unknown }> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body as ReadableStream<Uint8Array>)
      text += decoder.decode(chunk, { stream: true });
    return { text, thrown: undefined };
  } catch (thrown) {
    return { text, thrown };
  }
}

function* failing(): Generator {
  yield { n: 1 };
  yield null;
  throw new Error("password=secret");
}

describe("ndjson() with endRecord", () => {
  test("writes the record and announces it, and neither without the option", async () => {
    const response = ndjson(get(), [{ n: 1 }, null], { endRecord: true, headers: { "x-mine": "1" } });
    expect(response.headers.get("tailrace-rows")).toBe("end-record");
    expect(response.headers.get("x-mine")).toBe("1");
    expect(await response.text()).toBe('{"n":1}\nnull\n{"$end":{"reason":"completed","rows":2}}\n');
    expect(await ndjson(get(), [], { endRecord: true }).text()).toBe('{"$end":{"reason":"completed","rows":0}}\n');
    const without = ndjson(get(), [{ $end: 1 }]);
    expect(without.headers.has("tailrace-rows")).toBe(false);
    expect(await without.text()).toBe('{"$end":1}\n');
  });

  test("tells of a source that fails, then cuts, and tells nothing of what was thrown", async () => {
    const onError = vi.fn();
    const { text, thrown } = await readAll(ndjson(get(), failing, { endRecord: true, onError }));
    expect(text).toBe('{"n":1}\nnull\n{"$end":{"reason":"failed","code":"source_failed","rows":2}}\n');
    expect(thrown).toMatchObject({ message: "password=secret" });
    expect(onError).toHaveBeenCalledTimes(1);
    expect(openReplies().size).toBe(0);
  });

  test("the record and the cut both arrive over node:http", async () => {
    const port = await serve((request) => ndjson(request, failing, quiet));
    const received = await raw(port);
    expect(received).toContain('{"$end":{"reason":"failed","code":"source_failed","rows":2}}\n');
    // RFC 9112, section 7.1: a chunked body without its last chunk is incomplete.
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(received).not.toContain("secret");
  });

  test("refuses a row that would be taken for the record, also one that toJSON makes", async () => {
    for (const row of [{ $end: {} }, { $end: null }, { toJSON: () => ({ $end: 1 }) }]) {
      const onError = vi.fn();
      const { text, thrown } = await readAll(ndjson(get(), [1, row], { endRecord: true, onError }));
      expect(text).toBe('1\n{"$end":{"reason":"failed","code":"encode_refused","rows":1}}\n');
      expect(thrown).toMatchObject({ code: "encode_refused" });
      expect(onError).toHaveBeenCalledTimes(1);
    }
    const others = [{ $end: 1, more: 2 }, [{ $end: 1 }], "$end"];
    const rows: unknown[] = [];
    const decoder = createRowDecoder({ onRow: (row) => rows.push(row), endRecord: "require" });
    decoder.push(new Uint8Array(await ndjson(get(), others, { endRecord: true }).arrayBuffer()));
    decoder.end();
    expect(rows).toEqual(others);
  });

  test("gives a named stream's own end, and cuts behind one that is no whole", async () => {
    const streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
    try {
      for (const reason of ["completed", "stopped", "failed", "interrupted"] as const) {
        await streams.append(reason, [{ n: 1 }, "\u2028", null], { end: { reason } });
        const { text, thrown } = await readAll(await ndjson(get(), streams.follow(reason), quiet));
        const isWhole = reason === "completed" || reason === "stopped";
        const code = isWhole ? "" : ',"code":"source_failed"';
        expect(text).toBe(`{"n":1}\n"\u2028"\nnull\n{"$end":{"reason":"${reason}"${code},"rows":3}}\n`);
        if (isWhole) expect(thrown).toBeUndefined();
        else expect(thrown).toMatchObject({ code: "source_failed", details: { reason } });
      }
      expect((await ndjson(get(), streams.follow("none"), quiet)).status).toBe(404);
      await streams.append("forged", [{ $end: { reason: "completed", rows: 0 } }], { end: { reason: "completed" } });
      const forged = await readAll(await ndjson(get(), streams.follow("forged"), quiet));
      expect(forged.text).toBe('{"$end":{"reason":"failed","code":"encode_refused","rows":0}}\n');
    } finally {
      await streams.close();
    }
  });

  test("our client follows it: whole, failed, and cut", async () => {
    const port = await serve((request) => {
      const source = new URL(request.url).pathname === "/failed" ? failing : [1, 2];
      return ndjson(request, source, quiet);
    });
    const rows: unknown[] = [];
    const stream = openStream(`http://127.0.0.1:${port}/whole`);
    for await (const { data } of stream) rows.push(data);
    expect(rows).toEqual([1, 2]);
    expect(stream.state.end).toEqual({ reason: "completed" });
    const failed = openStream(`http://127.0.0.1:${port}/failed`);
    const reading = async (): Promise<void> => {
      for await (const { data } of failed) rows.push(data);
    };
    await expect(reading()).rejects.toMatchObject({ code: "source_failed", details: { reason: "failed" } });
    expect(rows).toEqual([1, 2, { n: 1 }, null]);
  });
});

describe("ndjson() with heartbeatMs", () => {
  test("sends a blank line after each silence, between rows only", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    try {
      let release!: () => void;
      const later = new Promise<void>((resolve) => (release = resolve));
      const response = ndjson(
        get(),
        async function* () {
          yield 1;
          await later;
          yield 2;
        },
        { heartbeatMs: 5_000, endRecord: true },
      );
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
      expect(await next()).toBe("");
      expect(await next()).toBe("1\n");
      for (let beat = 0; beat < 2; beat++) {
        const waiting = next();
        await nextTurn();
        await vi.advanceTimersByTimeAsync(5_000);
        expect(await waiting).toBe("\n");
      }
      release();
      expect(await next()).toBe('2\n{"$end":{"reason":"completed","rows":2}}\n');
      expect((await reader.read()).done).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("refuses what is no time, and sends none for Infinity", async () => {
    for (const heartbeatMs of [0, -1, Number.NaN]) {
      expect(() => ndjson(get(), [], { heartbeatMs })).toThrow(expect.objectContaining({ code: "input_invalid" }));
    }
    expect(await ndjson(get(), [1], { heartbeatMs: Infinity }).text()).toBe("1\n");
  });
});
