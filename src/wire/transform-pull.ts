// A transform as a pull: each demand for output asks the function, which asks for input. Nothing runs ahead, in either direction.

import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE, isPromiseLike, openSource, type Pull, type SourceValue } from "../bytes/source.ts";
import { afterTurn } from "../clock.ts";
import { TransformOutput } from "./transform-output.ts";
import { createCutter, type Cutter } from "./transform-pieces.ts";
import type { TransformAs, TransformCoreOptions, TransformFunction } from "./transform-types.ts";

type Result = IteratorResult<Chunk, undefined>;
type AnyFunction = (piece: unknown, context: { readonly signal: AbortSignal; readonly index: number }) => unknown;

/** After this much input the rest of the program gets its turn, in bytes. */
const TURN_BYTES = 4_194_304;
/** An array of more outputs than this is written as it is asked for. */
const SMALL_ARRAY_COUNT = 64;

/** Where the bytes come from. */
export interface TransformInput extends Pull<Uint8Array> {
  /** Takes back bytes that are used up: nobody looks at them any more. */
  recycle?(bytes: Uint8Array): void;
}

/** Runs `fn` over `input`. What is ready together leaves as one chunk. */
export class TransformPull<As extends TransformAs> implements BytePull {
  readonly #input: TransformInput;
  readonly #fn: AnyFunction;
  readonly #atEnd: ((context: { readonly signal: AbortSignal; readonly index: number }) => unknown) | undefined;
  readonly #cutter: Cutter;
  readonly #output: TransformOutput;
  readonly #controller = new AbortController();

  #pieces: unknown[] = [];
  #at = 0;
  #index = 0;
  /** What the function gives one by one. */
  #giver: Pull<unknown> | undefined;
  /** What the input's bytes could not be cut for; thrown once the pieces before have been dealt with. */
  #cutFailure: { readonly error: unknown } | undefined;
  #isInputOver = false;
  #isEndCalled = false;

  #turnBytes = 0;
  #cancelTurn: (() => void) | undefined;
  #cancelFlush: (() => void) | undefined;
  #isWaiting = false;
  #hasSent = false;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #waiter: { resolve(result: Result): void; reject(error: unknown): void } | undefined;

  constructor(input: TransformInput, fn: TransformFunction<As>, options: TransformCoreOptions<As>) {
    const as = options.as ?? "bytes";
    this.#input = input;
    this.#fn = fn as AnyFunction;
    this.#atEnd = options.end;
    this.#cutter = createCutter(as, options, (piece) => void this.#pieces.push(piece));
    this.#output = new TransformOutput(as);
  }

  next(): Result | Promise<Result> {
    this.#work();
    if (this.#isReady()) return this.#take();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      if (!this.#output.isEmpty) this.#flushAfterTurn();
    });
  }

  /** The reader has left: whoever waits gets an end that nobody reads. */
  close(): void {
    if (this.#isOver) return;
    this.#output.clear();
    this.#stop(new DOMException("The reader has left or the transform has ended.", "AbortError"));
    this.#settle();
  }

  /** Ends at once, with `error` for whoever waits or asks. */
  cut(error: unknown): void {
    if (this.#isOver) return;
    this.#fail(error);
    this.#settle();
  }

  recycle(chunk: Chunk): void {
    this.#output.recycle(chunk);
  }

  /** Goes on until there is a chunk, or something has to be waited for. */
  #work(): void {
    while (!this.#isWaiting && !this.#isReady()) {
      try {
        this.#step();
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #step(): void {
    if (this.#giver !== undefined) {
      this.#waitFor(this.#giver.next(), this.#onGiven);
    } else if (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at++];
      this.#answered(this.#fn(piece, { signal: this.#controller.signal, index: this.#index++ }));
    } else if (this.#cutFailure !== undefined) {
      throw this.#cutFailure.error;
    } else if (!this.#isInputOver) {
      this.#ask();
    } else if (!this.#isEndCalled) {
      this.#isEndCalled = true;
      this.#answered(this.#atEnd?.({ signal: this.#controller.signal, index: this.#index }));
    } else {
      this.#stop(undefined);
    }
  }

  #ask(): void {
    this.#pieces = [];
    this.#at = 0;
    if (this.#turnBytes < TURN_BYTES) {
      this.#waitFor(this.#input.next(), this.#onBytes);
      return;
    }
    this.#turnBytes = 0;
    const turn = new Promise<void>((resolve) => (this.#cancelTurn = afterTurn(resolve)));
    this.#waitFor(turn, () => (this.#cancelTurn = undefined));
  }

  readonly #onBytes = (result: IteratorResult<Uint8Array, undefined>): void => {
    try {
      if (result.done === true) {
        this.#isInputOver = true;
        this.#cutter.end();
        return;
      }
      this.#turnBytes += result.value.byteLength;
      this.#cutter.push(result.value);
      if (!this.#cutter.keepsBytes) this.#input.recycle?.(result.value);
    } catch (error) {
      this.#cutFailure = { error };
    }
  };

  readonly #onGiven = (result: IteratorResult<unknown, undefined>): void => {
    if (result.done === true) this.#giver = undefined;
    else if (result.value !== undefined) this.#output.add(result.value);
  };

  readonly #answered = (answer: unknown): void => {
    if (answer === undefined) return;
    if (typeof answer !== "object" || answer === null) {
      this.#output.add(answer);
    } else if (isPromiseLike(answer)) {
      this.#waitFor(answer, this.#answered);
    } else if (Array.isArray(answer) && answer.length <= SMALL_ARRAY_COUNT) {
      for (const each of answer as unknown[]) if (each !== undefined) this.#output.add(each);
    } else if (givesSeveral(answer)) {
      this.#giver = openSource(answer);
    } else {
      this.#output.add(answer);
    }
  };

  /** Hands `value` on, now or once it is there; only then the work goes on, and only if somebody wants what comes of it. */
  #waitFor<T>(value: T | PromiseLike<T>, then: (value: T) => void): void {
    if (!isPromiseLike<T>(value)) {
      then(value);
      return;
    }
    this.#isWaiting = true;
    value.then(
      (ready) => this.#resume(() => then(ready), ready),
      (error: unknown) => this.#resume(() => this.#fail(error), undefined),
    );
  }

  #resume(then: () => void, ready: unknown): void {
    this.#isWaiting = false;
    if (this.#isOver) {
      if (givesSeveral(ready)) openSource(ready).close(); // the reader left while it was being made
      return;
    }
    try {
      then();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#waiter === undefined) return;
    this.#work();
    if (this.#isReady()) this.#settle();
    else if (!this.#output.isEmpty) this.#flushAfterTurn();
  }

  #isReady(): boolean {
    return this.#isOver || this.#output.isFull;
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = { error };
    // As long as nothing has left, the whole can still be refused.
    if (!this.#hasSent) this.#output.clear();
    this.#stop(error);
  }

  /** Releases everything. What has been gathered still goes out. `reason` is undefined if all went well. */
  #stop(reason: unknown): void {
    this.#isOver = true;
    this.#cancelTurn?.();
    this.#cancelFlush?.();
    this.#cancelTurn = this.#cancelFlush = undefined;
    this.#pieces = [];
    // The signal first: a generator that waits can only run its `finally` once its wait is over.
    if (reason !== undefined) this.#controller.abort(reason);
    this.#giver?.close();
    this.#giver = undefined;
    this.#input.close();
  }

  #take(): Result {
    const chunk = this.#output.take(this.#isOver);
    if (chunk !== undefined) {
      this.#hasSent = true;
      return { done: false, value: chunk };
    }
    if (this.#failure === undefined) return DONE;
    throw this.#failure.error;
  }

  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#waiter = undefined;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    try {
      waiter.resolve(this.#take());
    } catch (error) {
      waiter.reject(error);
    }
  }

  /** Sends what there is at the end of this turn, with all that becomes ready in it. */
  #flushAfterTurn(): void {
    this.#cancelFlush ??= afterTurn(() => {
      this.#cancelFlush = undefined;
      if (!this.#output.isEmpty) this.#settle();
    });
  }
}

/** Arrays, what generators make, and streams. Strings, buffers and other collections are values. */
function givesSeveral(value: unknown): value is SourceValue<unknown> {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value) || Symbol.asyncIterator in value) return true;
  return Symbol.iterator in value && "next" in value && typeof value.next === "function";
}
