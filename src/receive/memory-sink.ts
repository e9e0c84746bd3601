// A sink that keeps uploads in memory: for tests, and for small files that go on to somewhere else.

import { TailraceError } from "../errors.ts";
import type { Sink, SinkFileInfo } from "./sink.ts";

/** A file that a {@link MemorySink} keeps. */
export interface MemoryFile extends SinkFileInfo {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface MemorySink extends Sink {
  /** What was committed, by id. */
  readonly files: ReadonlyMap<string, MemoryFile>;
}

/**
 * @param options.maxBytes the most that all files, those under way too, may hold together; default 16,777,216 (16 MiB). What goes
 *   beyond is `limit_exceeded`.
 */
export function memorySink(options: { readonly maxBytes?: number | undefined } = {}): MemorySink {
  const maxBytes = options.maxBytes ?? 16_777_216;
  const files = new Map<string, MemoryFile>();
  let heldBytes = 0;
  return {
    files,
    open(info) {
      let chunks: Uint8Array[] = [];
      let bytes = 0;
      return Promise.resolve({
        write(chunk) {
          if (heldBytes + chunk.byteLength > maxBytes) {
            const message = `The memory for uploads is full at ${maxBytes.toLocaleString("en")} bytes; send less.`;
            throw new TailraceError("limit_exceeded", message, { details: { maxBytes } });
          }
          chunks.push(chunk);
          bytes += chunk.byteLength;
          heldBytes += chunk.byteLength;
        },
        commit() {
          const whole = new Uint8Array(bytes);
          let at = 0;
          for (const chunk of chunks) {
            whole.set(chunk, at);
            at += chunk.byteLength;
          }
          chunks = [];
          files.set(info.id, { ...info, bytes: whole });
          return Promise.resolve({ key: info.id });
        },
        abort() {
          files.delete(info.id);
          chunks = [];
          heldBytes -= bytes;
          bytes = 0;
          return Promise.resolve();
        },
      });
    },
  };
}
