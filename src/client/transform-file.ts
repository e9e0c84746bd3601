// The browser's side of transforms: the same functions over a file that is there, or over any stream of bytes.

import { toReadableStream } from "../bytes/bridge.ts";
import type { Chunk } from "../bytes/byte-pull.ts";
import { isPromiseLike, openSource } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import { TransformPull } from "../wire/transform-pull.ts";
import type { TransformAs, TransformCoreOptions, TransformFunction } from "../wire/transform-types.ts";

export interface TransformFileOptions<As extends TransformAs> extends TransformCoreOptions<As> {
  /** Ends the transform when it aborts: the stream fails with `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `fn` over a file, as `transform` does over a request's body, and gives what it gives. Nothing is read before the stream is, and
 * never more than is asked for; `cancel()`, or leaving the loop, ends the reading.
 *
 * ```ts
 * const lines = transformFile(file, (line) => (line.includes("ERROR") ? line : undefined), { as: "lines" });
 * await lines.pipeTo(await handle.createWritable());
 * ```
 *
 * The stream fails with what `fn` throws; with `decode_failed` for bytes that are not what `as` says, `limit_exceeded` past a limit, and
 * with what the file's own stream fails with.
 *
 * @throws {TailraceError} `input_invalid` for options that are none
 */
export function transformFile<As extends TransformAs = "bytes">(
  file: Blob | ReadableStream<Uint8Array>,
  fn: TransformFunction<As>,
  options: TransformFileOptions<As> = {},
): ReadableStream<Chunk> {
  const { signal } = options;
  const source = openSource<Uint8Array>("getReader" in file ? file : () => file.stream());
  const onAbort = (): void => {
    pull.cut(new TailraceError("aborted", "The transform was stopped.", { cause: signal?.reason }));
  };
  const input = {
    next: () => source.next(),
    close() {
      signal?.removeEventListener("abort", onAbort);
      source.close();
    },
  };
  const pull = new TransformPull(input, fn, options);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return iterable(toReadableStream(pull));
}

/** Safari's streams cannot be iterated over. */
function iterable(stream: ReadableStream<Chunk>): ReadableStream<Chunk> {
  if (Symbol.asyncIterator in stream) return stream;
  const values = async function* (): AsyncGenerator<Chunk> {
    const source = openSource<Chunk>(stream);
    try {
      for (;;) {
        const next = source.next();
        const result = isPromiseLike(next) ? await next : next;
        if (result.done === true) return;
        yield result.value;
      }
    } finally {
      source.close();
    }
  };
  return Object.defineProperty(stream, Symbol.asyncIterator, { value: values });
}
