// The reader of the sending benchmark: one GET over a raw socket, bytes counted and thrown away, in its own process.

import { connect } from "node:net";
import { checkReply } from "./check.ts";
import { BLOCK_BYTES } from "./payload.ts";

/** What to read. With `check`, the whole reply is kept and every event compared; without, only bytes are counted. */
export interface ReadOrder {
  readonly port: number;
  readonly path: string;
  readonly count: number;
  readonly check: boolean;
}

/** How it went. `bytes` is what came over the socket, head and chunk framing included. */
export interface ReadResult {
  readonly ms: number;
  readonly bytes: number;
  readonly problem?: string | undefined;
}

const BUFFER_BYTES = 256 * 1024;
// Looking for the last chunk and not only for the socket's end: some servers insist on keep-alive.
const LAST_CHUNK = "\r\n0\r\n\r\n";

// One buffer for the life of the process: the reader must cost less than any server it measures.
const buffer = Buffer.allocUnsafe(BUFFER_BYTES);

function read(order: ReadOrder): Promise<ReadResult> {
  return new Promise((resolve) => {
    let bytes = 0;
    let tail = "";
    let begun = 0;
    let problem: string | undefined;
    const kept: Buffer[] = [];

    const socket = connect({
      host: "127.0.0.1",
      port: order.port,
      onread: {
        buffer,
        callback(length) {
          bytes += length;
          if (order.check) kept.push(Buffer.from(buffer.subarray(0, length)));
          tail = (tail + buffer.toString("latin1", Math.max(0, length - LAST_CHUNK.length), length)).slice(
            -LAST_CHUNK.length,
          );
          if (tail === LAST_CHUNK) finish();
          return true;
        },
      },
    });

    let ms = 0;
    const finish = (): void => {
      ms = performance.now() - begun;
      socket.destroy();
    };
    socket.on("connect", () => {
      begun = performance.now();
      socket.write(
        `GET ${order.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n`,
      );
    });
    socket.on("error", (error) => {
      problem = error.message;
    });
    socket.on("close", () => {
      if (tail !== LAST_CHUNK) problem ??= "the reply was cut before its last chunk";
      // One byte less per event: the space behind `data:` is optional, and better-sse leaves it out.
      if (bytes < order.count * (BLOCK_BYTES - 1)) problem ??= `only ${bytes} bytes for ${order.count} events`;
      if (order.check) problem ??= checkReply(Buffer.concat(kept), order.count);
      resolve({ ms, bytes, problem });
    });
  });
}

process.on("message", (message) => {
  if (typeof message !== "object") return;
  void read(message as ReadOrder).then((result) => process.send?.(result));
});
process.send?.("ready");
