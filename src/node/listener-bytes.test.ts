import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE } from "../bytes/source.ts";
import { makeByteReply } from "../reply/byte-reply.ts";
import { openReplies } from "../reply/open-replies.ts";
import { createListener } from "./listener.ts";

/** More than the kernel holds for both ends of a connection. */
const LARGE_BYTES = 32_000_000;

let server: Server;
let chunks: Chunk[];
let announced: number;
const recycle = vi.fn<(chunk: Chunk) => void>();
const close = vi.fn<() => void>();

beforeEach(async () => {
  recycle.mockReset();
  close.mockReset();
  server = createServer(
    createListener((request) => {
      let index = 0;
      const pull: BytePull = {
        next() {
          const value = chunks[index++];
          return value === undefined ? DONE : { done: false, value };
        },
        close,
        recycle,
      };
      const headers = new Headers({ "content-length": String(announced) });
      return makeByteReply(request, { open: () => pull, release: () => undefined }, { status: 200, headers });
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const port = (): number => (server.address() as AddressInfo).port;
const sizes = (...bytes: number[]): void => {
  chunks = bytes.map((each) => new Uint8Array(each));
  announced = bytes.reduce((sum, each) => sum + each, 0);
};

describe("createListener() writing bytes", () => {
  test("gives each chunk back once, after it has left", async () => {
    sizes(LARGE_BYTES, 10, LARGE_BYTES);
    const body = await (await fetch(`http://127.0.0.1:${port()}/`)).arrayBuffer();
    expect(body.byteLength).toBe(announced);
    await vi.waitFor(() => expect(openReplies().size).toBe(0));
    expect(recycle.mock.calls.map(([chunk]) => chunks.indexOf(chunk))).toEqual([0, 1, 2]);
  });

  test.each([
    ["with more behind it", [LARGE_BYTES, 10]],
    ["that is the last", [LARGE_BYTES]],
  ])("does not give back a chunk %s that still waits for the reader", async (_name, bytes) => {
    sizes(...bytes);
    const socket = connect(port(), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "readable"); // and reads no further
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(recycle).not.toHaveBeenCalled();
    expect(openReplies().size).toBe(1); // a shutdown waits for it
    socket.destroy();
    await vi.waitFor(() => expect(openReplies().size).toBe(0));
    expect(recycle).not.toHaveBeenCalled(); // it may still be in the kernel's hands
    expect(close).toHaveBeenCalled();
  });

  test("the last chunk leaves with the head: one write for a small reply", async () => {
    sizes(100);
    const socket = connect(port(), "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(first.length - first.indexOf("\r\n\r\n") - 4).toBe(100);
    socket.destroy();
  });
});
