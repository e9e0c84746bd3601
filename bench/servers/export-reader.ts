// The reader of the export benchmark: one GET over a raw socket, bytes counted and thrown away.

import { connect } from "node:net";
import { get } from "node:http";

const BUFFER_BYTES = 262_144;

export interface ExportRead {
  readonly ms: number;
  /** From the request to the first byte behind the head. */
  readonly firstByteMs: number;
  readonly bytes: number;
}

/** Reads the reply whole. The server closes the connection behind it. */
export function readExport(port: number, path: string): Promise<ExportRead> {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  return new Promise((resolve, reject) => {
    let begun = 0;
    let firstByteMs = 0;
    let bytes = 0;
    let tail = "";
    const socket = connect({
      host: "127.0.0.1",
      port,
      onread: {
        buffer,
        callback(length) {
          if (firstByteMs === 0) {
            const text = buffer.toString("latin1", 0, length);
            if (bytes === 0 && !text.startsWith("HTTP/1.1 200 "))
              reject(new Error(`A reply begins ${text.slice(0, 80)}`));
            const end = text.indexOf("\r\n\r\n");
            if (end < 0 || end + 4 < length) firstByteMs = performance.now() - begun;
          }
          bytes += length;
          tail = buffer.toString("latin1", Math.max(0, length - 5), length);
          return true;
        },
      },
    });
    socket.on("connect", () => {
      begun = performance.now();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    });
    socket.on("error", reject);
    socket.on("close", () => {
      if (!tail.endsWith("0\r\n\r\n")) reject(new Error("A reply was cut."));
      else resolve({ ms: performance.now() - begun, firstByteMs, bytes });
    });
  });
}

/** The count of records: line feeds that are not in quotes. Not timed. */
export function countRecords(port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ port, host: "127.0.0.1", path, agent: false }, (reply) => {
      let count = 0;
      let isQuoted = false;
      let last = 0;
      reply.on("data", (chunk: Buffer) => {
        for (const byte of chunk) {
          if (byte === 0x22) isQuoted = !isQuoted;
          else if (byte === 0x0a && !isQuoted) count++;
          last = byte;
        }
      });
      reply.on("error", reject);
      // One of the peers leaves the end of the last record out.
      reply.on("end", () => resolve(last === 0x0a ? count : count + 1));
    }).on("error", reject);
  });
}
