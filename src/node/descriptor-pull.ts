// Reads a descriptor by pull: large pieces, into buffers that are used again where the host allows.

import { read } from "node:fs";
import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";

/** An open file. */
export interface Descriptor {
  readonly fd: number;
  readonly isClosed: boolean;
  /** A read is under way until `end`; the descriptor is not closed before. */
  begin(): void;
  end(): void;
  close(): void;
}

/** How much is read at first, in bytes: a player that seeks takes no more and leaves. */
export const READ_BYTES = 262_144;

/**
 * How much is read at a time by a host that keeps its buffers and goes on reading, in bytes. Smaller pieces cost more trips to the thread
 * pool and through the web stream.
 */
export const FRESH_READ_BYTES = 1_048_576;

/** So many pieces are small before they are large. */
const SMALL_PIECE_COUNT = 2;

/** How much is read at a time once the host has given a buffer back, in bytes. */
export const REUSED_READ_BYTES = 524_288;

/** How many buffers of each of the two sizes the process keeps for the next reads: 12 MiB at most. */
export const MAX_SPARE_BUFFERS = 16;

/** Below this a fresh buffer of the right size is cheaper than a large one, in bytes. */
const MIN_SPARE_USE_BYTES = 65_537;

const spares: ReadonlyMap<number, ArrayBuffer[]> = new Map([
  [READ_BYTES, []],
  [REUSED_READ_BYTES, []],
]);

/** How many buffers wait for the next reads. */
export function spareBufferCount(): number {
  return [...spares.values()].reduce((sum, { length }) => sum + length, 0);
}

/** At least `bytes` long. Never out of Node's own pool: whoever reads the web stream may transfer what he gets. */
function takeBuffer(bytes: number): Chunk {
  if (bytes >= MIN_SPARE_USE_BYTES && bytes <= REUSED_READ_BYTES) {
    const spare = spares.get(bytes > READ_BYTES ? REUSED_READ_BYTES : READ_BYTES)?.pop();
    if (spare !== undefined) return new Uint8Array(spare);
  }
  return Buffer.allocUnsafeSlow(bytes);
}

type Result = IteratorResult<Chunk, undefined>;

/** The bytes of `descriptor` from `start` up to but without `end`, or an error. */
export class DescriptorPull implements BytePull {
  /** Kept alive with the pull, so that its descriptor is not taken for forgotten while somebody reads. */
  readonly owner: object;
  readonly #descriptor: Descriptor;
  readonly #end: number;
  #at: number;
  #isClosed = false;
  #pieceBytes: number = READ_BYTES;
  #pieceCount = 0;

  constructor(owner: object, descriptor: Descriptor, start: number, end: number) {
    this.owner = owner;
    this.#descriptor = descriptor;
    this.#at = start;
    this.#end = end;
  }

  next(): Result | Promise<Result> {
    if (this.#isClosed || this.#at >= this.#end) return DONE;
    return this.#read();
  }

  close(): void {
    this.#isClosed = true;
  }

  recycle({ buffer }: Chunk): void {
    this.#pieceBytes = REUSED_READ_BYTES;
    const kept = spares.get(buffer.byteLength);
    if (kept !== undefined && kept.length < MAX_SPARE_BUFFERS) kept.push(buffer);
  }

  #read(): Promise<Result> {
    const descriptor = this.#descriptor;
    if (descriptor.isClosed) {
      return Promise.reject(closedFile());
    }
    if (this.#pieceCount++ === SMALL_PIECE_COUNT && this.#pieceBytes === READ_BYTES)
      this.#pieceBytes = FRESH_READ_BYTES;
    const bytes = Math.min(this.#pieceBytes, this.#end - this.#at);
    const buffer = takeBuffer(bytes);
    descriptor.begin();
    return new Promise((resolve, reject) => {
      read(descriptor.fd, buffer, 0, bytes, this.#at, (error, count) => {
        descriptor.end();
        if (error !== null) {
          reject(error);
          return;
        }
        this.#at += count;
        if (count === 0) resolve(DONE); // it became shorter; whoever knows what was announced tells
        else resolve({ done: false, value: count === buffer.byteLength ? buffer : buffer.subarray(0, count) });
      });
    });
  }
}

/** For who reads what was closed. */
export function closedFile(): TailraceError {
  return new TailraceError("closed", "The file was closed: open it anew for each reply.");
}
