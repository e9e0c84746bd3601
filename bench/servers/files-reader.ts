// The reader of the files benchmark: GETs over raw sockets that are kept, bytes counted and thrown away.

import { createHash } from "node:crypto";
import { connect } from "node:net";

const BUFFER_BYTES = 256 * 1_024;
const HEAD_END = "\r\n\r\n";

/** Reads `path` whole, `count` times one after the other on one connection. Every reply has to be a 200 of `bytes` bytes. */
export function readInTurn(port: number, path: string, bytes: number, count: number): Promise<void> {
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
  // One buffer for the life of the connection: the reader must cost less than any server it measures.
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  return new Promise((resolve, reject) => {
    let head = "";
    let left = 0;
    let done = 0;
    const socket = connect({
      host: "127.0.0.1",
      port,
      onread: {
        buffer,
        callback(length) {
          let at = 0;
          while (at < length) {
            if (left === 0) {
              head += buffer.toString("latin1", at, Math.min(length, at + 4_096));
              const end = head.indexOf(HEAD_END);
              if (end < 0) return true;
              const seen = head.length - (Math.min(length, at + 4_096) - at);
              at += end + HEAD_END.length - seen;
              if (!head.startsWith("HTTP/1.1 200 ") || !head.toLowerCase().includes(`content-length: ${bytes}\r\n`)) {
                reject(new Error(`A reply begins with ${JSON.stringify(head.slice(0, end))}.`));
                socket.destroy();
                return false;
              }
              head = "";
              left = bytes;
            }
            const taken = Math.min(left, length - at);
            at += taken;
            left -= taken;
            if (left === 0) {
              done += 1;
              if (done === count) {
                socket.destroy();
                resolve();
                return false;
              }
              socket.write(request);
            }
          }
          return true;
        },
      },
    });
    socket.on("connect", () => socket.write(request));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("The connection was closed before the last reply had ended.")));
  });
}

/** The SHA-256 of what stands at `path`, and the status. */
export async function digestOf(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  const hash = createHash("sha256");
  if (response.body !== null) for await (const chunk of response.body) hash.update(chunk as Uint8Array);
  return `${response.status} ${hash.digest("hex")}`;
}
