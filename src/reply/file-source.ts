// What a file reply can be made from: anything with a size that gives the bytes between two places.

import { type BytePull, type Chunk } from "../bytes/byte-pull.ts";
import { DONE, isPromiseLike, openSource, type SourceValue } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";

/** A file, wherever it is kept. One source serves one reply, which closes it. */
export interface FileSource {
  /** In bytes. What is read is this much, or an error. */
  readonly size: number;
  /** The media type. */
  readonly type?: string | undefined;
  /** The name to save it under. */
  readonly name?: string | undefined;
  /** A strong entity tag with its quotes, as in `"v1"`: it changes whenever a byte does. */
  readonly etag?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastModifiedMs?: number | undefined;
  /** The bytes from `start` up to but without `end`. Nothing is opened before the first `next`. */
  read(start: number, end: number): BytePull;
  /** Releases what the source holds. Called once per reply, on every way out, and never while `read` is to go on. */
  close(): void;
}

/** Something with a size whose parts can be asked for, such as an object in a bucket. */
export interface Sliceable {
  /** In bytes. */
  readonly size: number;
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  /** A strong entity tag with its quotes. */
  readonly etag?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastModifiedMs?: number | undefined;
  /** The bytes from `start` up to but without `end`. Called once per range that is sent. */
  slice(start: number, end: number): SlicePart | PromiseLike<SlicePart>;
}

/** The part that a {@link Sliceable} gives. */
export type SlicePart = Blob | SourceValue<Uint8Array>;

/** What `file` takes. */
export type FileLike = FileSource | Sliceable | Blob | Uint8Array | ArrayBuffer;

/** Bytes that are in memory already leave in pieces of this size, so that a slow reader is not sent all at once. */
const PIECE_BYTES = 262_144;

/**
 * One shape for all of them.
 *
 * @throws {TailraceError} `source_invalid` for what is none of them, or has no size.
 */
export function toFileSource(value: FileLike): FileSource {
  if (value instanceof ArrayBuffer) return fromBytes(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) return fromBytes(value as Chunk);
  if (typeof value === "object" && value !== null && Number.isSafeInteger(value.size) && value.size >= 0) {
    if ("read" in value && typeof value.read === "function") return value;
    if ("slice" in value && typeof value.slice === "function") return fromSliceable(value);
  }
  throw new TailraceError(
    "source_invalid",
    "A file is a Blob, bytes, what diskFile() gives, or an object with a size in bytes and slice(start, end).",
  );
}

function fromBytes(bytes: Chunk): FileSource {
  return {
    size: bytes.byteLength,
    read(start, end) {
      let at = start;
      return {
        next() {
          if (at >= end) return DONE;
          const value = bytes.subarray(at, Math.min(at + PIECE_BYTES, end));
          at += value.byteLength;
          return { done: false, value };
        },
        close() {
          at = end;
        },
      };
    },
    close: () => undefined,
  };
}

function fromSliceable(value: Sliceable | Blob): FileSource {
  // A File has a time of its own, under the name that the web gave it.
  const lastModifiedMs = "lastModified" in value ? value.lastModified : undefined;
  return {
    size: value.size,
    type: value.type === "" ? undefined : value.type, // an empty type says that it is not known
    name: "name" in value ? value.name : undefined,
    etag: "etag" in value ? value.etag : undefined,
    lastModifiedMs:
      "lastModifiedMs" in value
        ? value.lastModifiedMs
        : typeof lastModifiedMs === "number"
          ? lastModifiedMs
          : undefined,
    read: (start, end) =>
      openSource<Chunk>(() => {
        const part: SlicePart | PromiseLike<SlicePart> = value.slice(start, end);
        return isPromiseLike(part) ? part.then(toValue) : toValue(part);
      }),
    close: () => undefined,
  };
}

function toValue(part: SlicePart): SourceValue<Chunk> {
  return (part instanceof Blob ? part.stream() : part) as SourceValue<Chunk>;
}
