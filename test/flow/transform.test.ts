// Transforms on the wire: both ends of real connections that come, go, stall and break.

import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { serve } from "srvx/node";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { transform } from "../../src/flow/transform.ts";
import { createListener, type Handler } from "../../src/node/listener.ts";
import { openReplies } from "../../src/reply/open-replies.ts";
import type { TransformContext } from "../../src/wire/transform-types.ts";

const TEXT = "aé\r\n水😀z";
const BODY: Buffer = Buffer.from(TEXT);

interface Host {
  readonly port: number;
  close(): Promise<unknown>;
}

async function nodeHost(handler: Handler): Promise<Host> {
  const server: Server = createServer(createListener(handler));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function srvxHost(handler: Handler): Promise<Host> {
  const server = serve({ fetch: handler, port: 0, hostname: "127.0.0.1", silent: true, gracefulShutdown: false });
  await server.ready();
  return { port: Number(new URL(server.url ?? "").port), close: () => server.close(true) };
}

let handler: Handler;
let host: Host | undefined;
const sockets: Socket[] = [];
const onError = vi.fn<(error: unknown) => void>();

async function start(open: typeof nodeHost = nodeHost): Promise<Host> {
  host = await open((request) => handler(request));
  return host;
}

/** A connection on which a chunked POST has been begun. */
function begin(port: number): { socket: Socket; got: () => string; send: (bytes: Uint8Array) => void } {
  const socket = connect({ port, host: "127.0.0.1" });
  sockets.push(socket);
  let got = "";
  socket.on("data", (data: Buffer) => (got += data.toString("latin1")));
  socket.on("error", () => undefined);
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  return { socket, got: () => got, send: (bytes) => void socket.write(framed(bytes)) };
}

function framed(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

beforeEach(() => {
  onError.mockReset();
  handler = (request) => transform(request, (text) => text.toUpperCase(), { as: "text", onError });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await host?.close();
  host = undefined;
  if (openReplies().size > 0) throw new Error("A reply is still counted as open.");
});

describe.each([
  ["node:http", nodeHost],
  ["srvx", srvxHost],
] as const)("transform() on %s", (_name, open) => {
  test("the first part comes back while the sender still sends", async () => {
    const { port } = await start(open);
    const { socket, got, send } = begin(port);
    for (const text of ["one", "two", "three"]) {
      send(Buffer.from(text));
      await vi.waitFor(() => expect(got()).toContain(text.toUpperCase()));
    }
    socket.end("0\r\n\r\n");
    await once(socket, "close");
    expect(got()).toMatch(/0\r\n\r\n$/);
  });

  test("a refusal reaches a sender that goes on sending", async () => {
    handler = (request) => transform(request, (text) => text, { as: "text", maxBytes: 100_000 });
    const { port } = await start(open);
    const body = new Uint8Array(2_000_000).fill(0x61);
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: new Blob([body]).stream(),
      duplex: "half",
    } as RequestInit);
    // 64 KiB may have come out before the limit was reached: only then there is no status left to tell it by.
    if (answer.status === 200) await expect(answer.text()).rejects.toThrow(/./);
    else expect(answer.status).toBe(413);
    handler = (request) => transform(request, () => undefined, { as: "text", maxBytes: 100_000 });
    const silent = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
    expect(silent.status).toBe(413);
    expect(await silent.json()).toMatchObject({ code: "limit_exceeded", maxBytes: 100_000 });
  });

  test("a reader that leaves ends the function, the signal and the body, at every point", async () => {
    for (const point of ["before any output", "behind the first output", "while it sends"]) {
      let signal: AbortSignal | undefined;
      let running = 0;
      async function* fn(text: string, context: TransformContext): AsyncGenerator<string> {
        ({ signal } = context);
        running++;
        try {
          if (point !== "before any output") yield text;
          await new Promise((_, reject) =>
            context.signal.addEventListener("abort", () => reject(context.signal.reason as Error)),
          );
        } finally {
          running--;
        }
      }
      handler = (request) => transform(request, fn, { as: "text", onError });
      const { port } = await (host ?? start(open));
      const { socket, got, send } = begin(port);
      send(Buffer.from("hello"));
      if (point !== "before any output") await vi.waitFor(() => expect(got()).toContain("hello"));
      await vi.waitFor(() => expect(running).toBe(1));
      if (point === "while it sends") send(Buffer.from("more"));
      socket.destroy();
      await vi.waitFor(() => expect(running).toBe(0));
      expect(signal?.aborted).toBe(true);
    }
  });
});

describe("transform() and broken senders", () => {
  test("a sender that is cut at any byte gives its reader no end", async () => {
    const { port } = await start();
    const whole = Buffer.concat([framed(BODY.subarray(0, 2)), framed(BODY.subarray(2)), Buffer.from("0\r\n\r\n")]);
    for (let cut = 0; cut <= whole.length; cut++) {
      const { socket, got } = begin(port);
      // Node takes a half-closed connection for one that is given up: only a sender that dies closes its half.
      if (cut === whole.length) socket.write(whole);
      else socket.end(whole.subarray(0, cut));
      await once(socket, "close");
      const end = got().endsWith("0\r\n\r\n");
      expect([cut, end && got().startsWith("HTTP/1.1 200")]).toEqual([cut, cut === whole.length]);
    }
  });

  test("bytes that are no UTF-8 are refused at the start, and cut the answer later", async () => {
    const { port } = await start();
    const first = begin(port);
    first.send(Uint8Array.of(0xff, 0x61));
    await vi.waitFor(() => expect(first.got()).toContain("decode_failed"));
    expect(first.got()).toMatch(/^HTTP\/1.1 400 /);
    expect(first.got()).toContain("application/problem+json");
    const later = begin(port);
    later.send(Buffer.from("fine"));
    await vi.waitFor(() => expect(later.got()).toContain("FINE"));
    later.send(Uint8Array.of(0xff, 0x61));
    await once(later.socket, "close");
    expect(later.got()).not.toMatch(/0\r\n\r\n$/);
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ code: "decode_failed" })]]);
  });
});

describe("transform() and slow readers", () => {
  test("a reader that does not read holds the sender, and gets all once it does", async () => {
    const CHUNK = Buffer.alloc(65_536, "a");
    const CHUNKS = 1_024;
    let taken = 0;
    handler = (request) =>
      transform(
        request,
        (bytes) => {
          taken += bytes.length;
          return bytes;
        },
        { onError },
      );
    const { port } = await start();
    const outgoing = httpRequest({ port, host: "127.0.0.1", method: "POST" });
    const answer = once(outgoing, "response") as Promise<[IncomingMessage]>;
    let sent = 0;
    const sending = (async () => {
      for (; sent < CHUNKS; sent++) if (!outgoing.write(CHUNK)) await once(outgoing, "drain");
      outgoing.end();
    })();
    const [incoming] = await answer;
    // Nothing moves any more: what both kernels hold is full.
    for (let before = -1; before !== taken;) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(taken).toBeLessThan(32 * 1_048_576);
    expect(sent).toBeLessThan(CHUNKS);
    let got = 0;
    for await (const chunk of incoming) got += (chunk as Buffer).length;
    await sending;
    expect([got, taken]).toEqual([CHUNKS * CHUNK.length, CHUNKS * CHUNK.length]);
  });
});
