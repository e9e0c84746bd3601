// node:zlib as a coder of single chunks: what goes in with one write can be decoded as soon as what came out has arrived.

import zlib from "node:zlib";
import type { Chunk } from "../bytes/byte-pull.ts";
import type { Encoding } from "../http/precompressed.ts";

/** How hard each coding tries. */
export type EncodingLevels = Readonly<Partial<Record<Encoding, number | undefined>>>;

/**
 * `idle`: a stream that is open for long, in great numbers, with little to say. `busy`: a body that comes to its end. They
 * differ in the memory that one stream takes.
 */
export type CoderLoad = "idle" | "busy";

/** What a coding allows: the levels of its library. */
export const LEVEL_LIMITS: Readonly<Record<Encoding, readonly [least: number, most: number]>> = {
  gzip: [1, 9],
  br: [0, 11],
  zstd: [1, 19],
};

const DEFAULT_LEVELS: Readonly<Record<CoderLoad, Readonly<Record<Encoding, number>>>> = {
  // Brotli's table takes 256 KiB at 3 and 512 KiB at 4, for 1 % of size where every event is flushed.
  idle: { gzip: 6, br: 3, zstd: 3 },
  busy: { gzip: 6, br: 4, zstd: 3 },
};

/** Whether this Node has `encoding`: zstd came with 22.15 and 23.8. */
export function hasEncoding(encoding: Encoding): boolean {
  return encoding !== "zstd" || typeof zlib.createZstdCompress === "function";
}

/** Gets what a write or the end gave; undefined when the coder failed or was destroyed meanwhile. */
type OnCoded = (error: Error | undefined, coded: Chunk) => void;

/** One stream being coded. There is never more than one `write` or `end` under way. */
export class Coder {
  readonly #stream: zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress;
  #parts: Buffer[] = [];

  constructor(encoding: Encoding, load: CoderLoad, levels: EncodingLevels) {
    this.#stream = makeStream(encoding, load, levels[encoding] ?? DEFAULT_LEVELS[load][encoding]);
    this.#stream.on("data", (part: Buffer) => this.#parts.push(part));
    this.#stream.on("error", () => undefined); // whoever waits gets it from the callback
  }

  /** Codes `chunk` and flushes. `chunk` is in use until `onCoded` was called without an error. */
  write(chunk: Chunk, onCoded: OnCoded): void {
    this.#stream.write(chunk, (error) => onCoded(error ?? undefined, this.#take()));
  }

  /** Writes what tells a decoder that this was the whole. */
  end(onCoded: OnCoded): void {
    // Not the callback of `end`, which comes before the last bytes.
    this.#stream.once("end", () => onCoded(undefined, this.#take()));
    this.#stream.once("error", (error) => onCoded(error, this.#take()));
    this.#stream.end();
  }

  /** Frees the memory outside of JavaScript at once, or after the write that is under way. */
  destroy(): void {
    this.#stream.destroy();
    this.#parts = [];
  }

  #take(): Chunk {
    // What was pushed before the stream flowed lies in its buffer; reading it out emits it.
    while (this.#stream.read() !== null);
    const parts = this.#parts;
    this.#parts = [];
    const [first] = parts;
    const { buffer, byteOffset, byteLength } = first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  }
}

function makeStream(
  encoding: Encoding,
  load: CoderLoad,
  level: number,
): zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress {
  const { constants: c } = zlib;
  const isIdle = load === "idle";
  switch (encoding) {
    case "gzip":
      // Z_PARTIAL_FLUSH is 4 bytes shorter, but decoders that hand out at the empty stored block only (Go's is one) would
      // hold each event back until the next.
      return zlib.createGzip({
        level,
        flush: c.Z_SYNC_FLUSH,
        ...(isIdle ? { windowBits: 13, memLevel: 6 } : { windowBits: 15, memLevel: 8 }),
      });
    case "br":
      return zlib.createBrotliCompress({
        flush: c.BROTLI_OPERATION_FLUSH,
        params: {
          [c.BROTLI_PARAM_QUALITY]: level,
          // The window is filled in the course of time, so an open stream grows to it.
          [c.BROTLI_PARAM_LGWIN]: isIdle ? 16 : 18,
        },
      });
    case "zstd":
      return zlib.createZstdCompress({
        flush: c.ZSTD_e_flush,
        params: {
          [c.ZSTD_c_compressionLevel]: level,
          ...(isIdle
            ? { [c.ZSTD_c_windowLog]: 15, [c.ZSTD_c_hashLog]: 13, [c.ZSTD_c_chainLog]: 13 }
            : { [c.ZSTD_c_windowLog]: 18 }),
        },
      });
  }
}
