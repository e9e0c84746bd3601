// Any source becomes one pull iterator: the only shape that the upper floors read from.

import { TailraceError } from "../errors.ts";
import { report } from "../trace.ts";

/** What a source function is given. */
export interface SourceContext {
  /** Aborts when the reader leaves, the run is stopped or the reply fails. Hand it on to whatever the source waits for. */
  readonly signal: AbortSignal;
  /** The `Last-Event-ID` of a reader that comes back; undefined on a first visit. */
  readonly lastEventId: string | undefined;
}

/** A Node.js `Readable`, by its shape. */
export interface NodeReadable<T> extends AsyncIterable<T> {
  destroy(error?: Error): unknown;
  readonly readable: boolean;
}

/** A source that is there already: it can be pulled once. */
export type SourceValue<T> = AsyncIterable<T> | Iterable<T> | ReadableStream<T> | NodeReadable<T>;

/** Anything that gives items over time. A function is called once per reply or run, when the first item is asked for. */
export type Source<T> = SourceValue<T> | ((context: SourceContext) => SourceValue<T> | PromiseLike<SourceValue<T>>);

/**
 * A source being read, one item per demand. `next` answers at once when the item is ready, so that ready items cost no
 * promise each. There is never more than one `next` under way.
 */
export interface Pull<T> {
  next(): IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>>;
  /** Releases the source: its signal aborts and its `finally` blocks run. Calling it again does nothing. Never throws. */
  close(): void;
}

/** The answer of a pull that has ended. */
export const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/**
 * Opens `source` for reading. Nothing is called or read before the first `next`.
 *
 * @throws {TailraceError} `source_invalid`, from here or from the first `next`, if the value cannot be pulled from.
 */
export function openSource<T>(source: Source<T>, lastEventId?: string): Pull<T> {
  return typeof source === "function" ? pullFunction(source, lastEventId) : pullValue(source);
}

function pullFunction<T>(
  source: Extract<Source<T>, (...args: never) => unknown>,
  lastEventId: string | undefined,
): Pull<T> {
  const controller = new AbortController();
  let inner: Pull<T> | undefined;
  let closed = false;

  function adopt(value: SourceValue<T>): IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>> {
    inner = pullValue(value);
    if (!closed) return inner.next();
    inner.close(); // the reader left while the function was still making its source
    return DONE;
  }

  return {
    next() {
      if (inner !== undefined) return inner.next();
      if (closed) return DONE;
      const made = source({ signal: controller.signal, lastEventId });
      return isPromiseLike(made) ? Promise.resolve(made).then(adopt) : adopt(made);
    },
    close() {
      if (closed) return;
      closed = true;
      // The signal first: a generator that waits can only run its `finally` once its wait is over.
      controller.abort(new DOMException("The reader has left or the run has ended.", "AbortError"));
      inner?.close();
    },
  };
}

/**
 * Refuses what can never be a source, without opening it, so that the mistake shows before a reply has begun.
 *
 * @throws {TailraceError} `source_invalid`
 */
export function assertSource(source: unknown): void {
  if (typeof source === "function") return;
  if (typeof source === "object" && source !== null) {
    if ("getReader" in source || Symbol.asyncIterator in source || Symbol.iterator in source) return;
  }
  throw invalid(source);
}

function pullValue<T>(source: SourceValue<T>): Pull<T> {
  if (typeof source === "object" && source !== null) {
    if ("getReader" in source) return pullReadableStream(source);
    if (Symbol.asyncIterator in source) return pullAsyncIterable(source);
    if (Symbol.iterator in source) return pullIterable(source);
  }
  throw invalid(source);
}

function invalid(source: unknown): TailraceError {
  return new TailraceError(
    "source_invalid",
    `A source must be iterable, a stream or a function; this is ${describe(source)}.`,
  );
}

function describe(value: unknown): string {
  if (isPromiseLike(value)) return "a promise: await it before, or pass a function that returns it";
  if (typeof value === "string") return "a string: wrap it in an array, as in [text]";
  return value === null ? "null" : `of type ${typeof value}`;
}

function pullReadableStream<T>(stream: ReadableStream<T>): Pull<T> {
  const reader = stream.getReader();
  let closed = false;
  return {
    // A stream's own done result may carry a value of any kind; ours never does.
    next: () => reader.read().then((result) => (result.done ? DONE : { done: false, value: result.value })),
    close() {
      if (closed) return;
      closed = true;
      release(reader.cancel());
    },
  };
}

function pullAsyncIterable<T>(iterable: AsyncIterable<T> | NodeReadable<T>): Pull<T> {
  const iterator: AsyncIterator<T, undefined> = iterable[Symbol.asyncIterator]();
  let closed = false;
  return {
    next: () => (closed ? DONE : iterator.next()),
    close() {
      if (closed) return;
      closed = true;
      // A Readable's iterator would queue `return` behind a read that may never come; `destroy` acts at once.
      if ("destroy" in iterable && typeof iterable.destroy === "function") iterable.destroy();
      release(iterator.return?.());
    },
  };
}

function pullIterable<T>(iterable: Iterable<T>): Pull<T> {
  const iterator: Iterator<T, undefined> = iterable[Symbol.iterator]();
  let closed = false;
  return {
    next: () => (closed ? DONE : iterator.next()), // an array's iterator cannot be closed and would go on
    close() {
      if (closed) return;
      closed = true;
      try {
        iterator.return?.();
      } catch (error) {
        report("source", error);
      }
    },
  };
}

/** Lets a clean-up run on its own; the reader that it could be reported to has gone. An abort is no error. */
function release(cleanup: PromiseLike<unknown> | undefined): void {
  if (cleanup === undefined) return;
  void Promise.resolve(cleanup).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === "AbortError")) report("source", error);
  });
}

export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
