// A body of NDJSON as an iteration: what `for await` needs around the decoder, in browsers and on servers.

import { DONE, isPromiseLike, openSource, type Pull } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { announcesEnd, failureOf, type RowsEnd } from "./ndjson-end.ts";
import { createRowDecoder, type RowOptions } from "./ndjson.ts";

/** What rows are read from. */
export type RowBody =
  | Response
  | Request
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** Options of {@link readNdjson}. */
export interface ReadNdjsonOptions<T = unknown> extends RowOptions<T> {
  /** Ends the reading: the body is cancelled, and the iteration throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The rows of one body. They can be read once, one by one or in batches. */
export interface Rows<T> extends AsyncIterable<T> {
  /** All rows that were in one chunk of the body, at once: much faster than one by one. No batch is empty. */
  batches(): AsyncIterable<readonly T[]>;
}

/**
 * Reads NDJSON from a body, as far as the loop asks for it. Leaving the loop cancels the body. Rows before an error are given before it is
 * thrown. `endRecord` is `require` for a Response that announces a record, and else as in the decoder.
 *
 * The iteration throws, beside what the decoder throws: `connection_failed` for a body that breaks off, `source_failed` behind an end record that
 * says so, `input_invalid` for a body that is no bytes, was read already, or is read twice; and the reason of `signal`.
 */
export function readNdjson<T = unknown>(body: RowBody, options: ReadNdjsonOptions<T> = {}): Rows<T> {
  let isRead = false;
  const batches = (): AsyncGenerator<readonly T[], void, undefined> => {
    if (isRead) throw new TailraceError("input_invalid", "These rows are being read already; a body can be read once.");
    isRead = true;
    return readBatches(body, options);
  };
  return {
    batches,
    async *[Symbol.asyncIterator]() {
      // Not yield*, which makes two more promises for each row.
      for await (const batch of batches()) for (const row of batch) yield row;
    },
  };
}

async function* readBatches<T>(
  body: RowBody,
  options: ReadNdjsonOptions<T>,
): AsyncGenerator<readonly T[], void, undefined> {
  const { signal, onEnd } = options;
  let batch: T[] = [];
  let end: RowsEnd | undefined;
  let rowCount = 0;
  let isBroken = false;
  const isAnnounced = body instanceof Response && announcesEnd(body.headers);
  const endRecord = options.endRecord ?? (isAnnounced ? "require" : onEnd === undefined ? "ignore" : "accept");
  const decoder = createRowDecoder<T>({
    ...options,
    endRecord,
    onRow: (row) => batch.push(row),
    onEnd: (found) => {
      end = found;
      onEnd?.(found);
    },
  });
  signal?.throwIfAborted();
  const pull = openBody(body);
  try {
    for (let isDone = false; !isDone;) {
      const result = await nextChunk(pull, signal).catch((cause: unknown): IteratorReturnResult<undefined> => {
        if (signal?.aborted === true) throw cause;
        isBroken = true;
        // What breaks behind the end takes nothing away.
        if (end !== undefined) return DONE;
        throw isTailraceError(cause) ? cause : brokenOff(cause, rowCount);
      });
      isDone = result.done === true;
      let failure: { readonly error: unknown } | undefined;
      try {
        if (result.done === true) decoder.end();
        else decoder.push(toBytes(result.value));
        // Behind such a record the connection is cut: its own word is the better one.
        if (end !== undefined) throwIfFailed(end);
      } catch (error) {
        failure = { error };
      }
      if (batch.length > 0) {
        const full = batch;
        batch = [];
        rowCount += full.length;
        yield full;
        signal?.throwIfAborted();
      }
      if (failure !== undefined) throw failure.error;
    }
  } finally {
    if (!isBroken) pull.close();
  }
}

function throwIfFailed(end: RowsEnd): void {
  const error = failureOf(end);
  if (error !== undefined) throw error;
}

function openBody(body: RowBody): Pull<Uint8Array> {
  if (body instanceof Blob) return openSource(body.stream());
  if (!(body instanceof Response) && !(body instanceof Request)) {
    if (body instanceof ReadableStream && body.locked) throw alreadyRead();
    return openSource(body);
  }
  if (body.bodyUsed || body.body?.locked === true) throw alreadyRead();
  return openSource<Uint8Array>(body.body ?? []);
}

function alreadyRead(): TailraceError {
  return new TailraceError("input_invalid", "The body has been read already, or is being read by somebody else.");
}

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TailraceError(
    "input_invalid",
    `Rows are read from chunks of bytes (Uint8Array), not from ${typeof chunk}s.`,
  );
}

/** The next chunk, or the signal's reason, whichever is first: not every body ends when it is cancelled. */
async function nextChunk(
  pull: Pull<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Uint8Array, undefined>> {
  let stop: (() => void) | undefined;
  try {
    const next = pull.next();
    if (!isPromiseLike(next) || signal === undefined) return await next;
    const aborted = new Promise<never>((_resolve, reject) => {
      stop = () => reject(signal.reason as Error);
      signal.addEventListener("abort", stop, { once: true });
    });
    return await Promise.race([next, aborted]);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
  }
}

function brokenOff(cause: unknown, rows: number): TailraceError {
  const message = `The body broke off after ${rows} rows: what arrived is not the whole. Ask again.`;
  return new TailraceError("connection_failed", message, { cause, details: { rows } });
}
