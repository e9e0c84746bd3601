// Compressed replies over real sockets, read with decoders that hand out what they have as soon as they have it.

import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import zlib from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Encoding } from "../http/precompressed.ts";
import { file } from "../reply/file.ts";
import { openReplies } from "../reply/open-replies.ts";
import { pullOf } from "../reply/reply.ts";
import { ndjson, text } from "../reply/rows.ts";
import { sse } from "../reply/sse.ts";
import { compress } from "./compress.ts";
import { createListener, type Handler } from "./listener.ts";

const ENCODINGS = ["gzip", "br", "zstd"] as const;

let server: Server;
let handler: Handler;
let outgoing: ServerResponse | undefined;
let coders: { readonly destroyed: boolean }[];

beforeEach(async () => {
  coders = [];
  const { createGzip, createBrotliCompress, createZstdCompress } = zlib;
  const keep = <C extends { readonly destroyed: boolean }>(coder: C): C => {
    coders.push(coder);
    return coder;
  };
  vi.spyOn(zlib, "createGzip").mockImplementation((options) => keep(createGzip(options)));
  vi.spyOn(zlib, "createBrotliCompress").mockImplementation((options) => keep(createBrotliCompress(options)));
  vi.spyOn(zlib, "createZstdCompress").mockImplementation((options) => keep(createZstdCompress(options)));
  const listener = createListener(async (request) => compress(request, await handler(request)));
  server = createServer((incoming, response) => {
    outgoing = response;
    listener(incoming, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const live = (): number => coders.filter(({ destroyed }) => !destroyed).length;

async function quiet(): Promise<void> {
  await vi.waitFor(() => expect([openReplies().size, live()]).toEqual([0, 0]));
}

async function open(encoding: Encoding): Promise<IncomingMessage> {
  const request = get(url(), { headers: { "accept-encoding": encoding }, agent: false });
  const [incoming] = (await once(request, "response")) as [IncomingMessage];
  request.on("error", () => undefined);
  expect(incoming.headers["content-encoding"]).toBe(encoding);
  return incoming;
}

/** A reader that decodes as it reads. */
class Reader {
  seen = "";
  readonly incoming: IncomingMessage;
  /** Settles with how the decoder and the connection ended. */
  readonly end: Promise<"whole" | "cut">;
  #look: (() => void) | undefined;

  constructor(incoming: IncomingMessage, encoding: Encoding) {
    this.incoming = incoming;
    const decoder =
      encoding === "gzip"
        ? zlib.createGunzip()
        : encoding === "br"
          ? zlib.createBrotliDecompress()
          : zlib.createZstdDecompress();
    decoder.setEncoding("utf8");
    decoder.on("data", (part: string) => {
      this.seen += part;
      this.#look?.();
    });
    this.end = new Promise((resolve) => {
      decoder.once("end", () => resolve("whole"));
      decoder.once("error", () => resolve("cut")); // it ran out before the coding's end
      incoming.once("error", () => decoder.end());
    });
    incoming.on("data", (chunk: Buffer) => decoder.write(chunk));
    incoming.once("end", () => decoder.end());
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#look = resolve));
  }

  has(part: string): Promise<void> {
    return this.until(() => this.seen.includes(part));
  }
}

const read = async (encoding: Encoding): Promise<Reader> => new Reader(await open(encoding), encoding);

/** A source that gives one item each time it is told to. */
function told(): {
  readonly source: () => AsyncGenerator<string>;
  readonly give: (item: string | Error | undefined) => void;
} {
  const items: (string | Error | undefined)[] = [];
  let wake: (() => void) | undefined;
  return {
    give(item) {
      items.push(item);
      wake?.();
    },
    async *source() {
      for (;;) {
        while (items.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const item = items.shift();
        if (item === undefined) return;
        if (item instanceof Error) throw item;
        yield item;
      }
    },
  };
}

describe.each(ENCODINGS)("compress() over a socket, %s", (encoding) => {
  test("each event can be read before the next one exists", async () => {
    const { source, give } = told();
    handler = (request) => {
      const reply = compress(request, sse(request, source));
      expect(pullOf(reply)).toBeDefined(); // the listener writes it without a web stream
      return reply;
    };
    const reader = await read(encoding);
    await reader.has("retry:");
    for (let index = 0; index < 50; index++) {
      expect(reader.seen).not.toContain(`event ${index} of`);
      give(`event ${index} of all`);
      await reader.has(`data: event ${index} of all\n\n`);
    }
    give(undefined);
    expect(await reader.end).toBe("whole");
    expect(reader.seen).toContain("event: end");
    await quiet();
  });

  test("heartbeats pass", async () => {
    handler = (request) => sse(request, () => new Promise<never>(() => undefined), { heartbeatMs: 5 });
    const reader = await read(encoding);
    const beats = (): number => reader.seen.match(/^:/gm)?.length ?? 0;
    await reader.until(() => beats() >= 2);
    expect(reader.seen).toMatch(/^retry: \d+\n/);
    reader.incoming.destroy();
    await quiet();
  });

  test("fetch reads each row as it comes, and rows, text and files come whole", async () => {
    const { source, give } = told();
    handler = (request) => ndjson(request, source);
    const response = await fetch(url(), { headers: { "accept-encoding": encoding } });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (const row of ["one", "two", "three"]) {
      give(row);
      let seen = "";
      while (!seen.endsWith("\n")) seen += (await reader.read()).value ?? "";
      expect(seen).toBe(`"${row}"\n`);
    }
    give(undefined);
    expect((await reader.read()).done).toBe(true);

    const words = Array.from({ length: 30_000 }, (_, index) => `Wört ${index * 7_919} `);
    const whole = words.join("");
    const replies: readonly Handler[] = [
      (request) => text(request, words),
      (request) => file(request, new Blob([whole], { type: "text/plain" })),
      () => new Response(whole),
      () => new Response(new Blob([whole]).stream(), { headers: { "content-type": "text/plain" } }),
    ];
    for (const each of replies) {
      handler = each;
      const reply = await fetch(url(), { headers: { "accept-encoding": encoding } });
      expect(reply.headers.get("content-encoding")).toBe(encoding);
      expect(await reply.text()).toBe(whole);
    }
    await quiet();
  });

  test("a source that fails cuts the connection behind what it gave, without the coding's end", async () => {
    const { source, give } = told();
    const onError = vi.fn<(error: unknown) => void>();
    handler = (request) => text(request, source, { onError });
    const reader = await read(encoding);
    give("what was given");
    give(new Error("broken"));
    expect(await reader.end).toBe("cut");
    expect([reader.seen, onError.mock.calls.length]).toEqual(["what was given", 1]);
    await expect(fetchText(encoding)).rejects.toThrow("terminated");
    await quiet();

    async function fetchText(accept: string): Promise<string> {
      const again = told();
      again.give("a part");
      again.give(new Error("broken"));
      handler = (request) => text(request, again.source, { onError });
      return (await fetch(url(), { headers: { "accept-encoding": accept } })).text();
    }
  });

  test("a reader that leaves releases source and coder, silent or in full flow", async () => {
    for (const isSilent of [true, false]) {
      const released = vi.fn<() => void>();
      handler = (request) =>
        ndjson(request, async function* ({ signal }) {
          try {
            yield "first";
            if (isSilent) await new Promise((resolve) => signal.addEventListener("abort", resolve));
            for (;;) yield "more";
          } finally {
            released();
          }
        });
      const reader = await read(encoding);
      await reader.has("first");
      reader.incoming.destroy();
      await vi.waitFor(() => expect(released).toHaveBeenCalledOnce());
      await quiet();
    }
  });

  test("a reader that stalls stops the source", async () => {
    let given = 0;
    handler = (request) =>
      ndjson(request, function* () {
        // Noise, so that the coded body fills the sockets too.
        for (;;) yield { row: ++given, noise: Array.from({ length: 20 }, () => Math.random()) };
      });
    const incoming = await open(encoding);
    incoming.pause();
    // A slow machine takes its time to code what the sockets hold.
    await vi.waitFor(() => expect(outgoing!.writableNeedDrain).toBe(true), { timeout: 100_000 });
    // The coder works in the thread pool, and may be late with what it had begun.
    let before = -1;
    await vi.waitFor(() => expect(before).toBe((before = given)), { interval: 200, timeout: 100_000 });
    expect(outgoing!.writableLength).toBeLessThan(200_000);
    incoming.destroy();
    await quiet();
  });
});

describe("compress() over a socket", () => {
  test("1,000 readers that leave in the midst of it leave no coder behind", async () => {
    const released = vi.fn<() => void>();
    handler = (request) =>
      sse(request, async function* ({ signal }) {
        try {
          yield "one";
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          released();
        }
      });
    for (let round = 0; round < 20; round++) {
      const encoding = ENCODINGS[round % 3] ?? "gzip";
      const readers = await Promise.all(Array.from({ length: 50 }, () => open(encoding)));
      await Promise.all(readers.map((each) => once(each, "data")));
      for (const each of readers) each.destroy();
    }
    await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1_000));
    await quiet();
    expect(coders.length).toBe(1_000);
  });

  test("a part and a 304 pass as they are, with their lengths", async () => {
    const whole = "water over the wheel ".repeat(1_000);
    handler = (request) => file(request, new Blob([whole], { type: "text/plain" }), { etag: '"v1"' });
    const part = await fetch(url(), { headers: { "accept-encoding": "gzip", range: "bytes=5-14" } });
    expect([part.status, part.headers.get("content-encoding"), await part.text()]).toEqual([
      206,
      null,
      whole.slice(5, 15),
    ]);
    expect(part.headers.get("content-length")).toBe("10");
    const same = await fetch(url(), { headers: { "accept-encoding": "gzip", "if-none-match": 'W/"v1"' } });
    expect([same.status, same.headers.get("etag")]).toEqual([304, 'W/"v1"']);
    const head = await fetch(url(), { method: "HEAD", headers: { "accept-encoding": "gzip" } });
    expect([head.headers.get("content-encoding"), head.headers.has("content-length")]).toEqual(["gzip", false]);
    expect(coders.length).toBe(0);
    await quiet();
  });
});
