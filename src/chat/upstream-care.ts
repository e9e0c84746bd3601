// Care for whoever waits for a model: time limits, another attempt before the first token, and an end to the bill at a stop.

import { isPromiseLike, openSource, type Pull } from "../bytes/source.ts";
import { systemClock, type Clock } from "../clock.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { classifyModelError, modelError, type ModelError } from "./model-errors.ts";
import { isAbort } from "./upstream-events.ts";

/** Limits of {@link withCare}. */
export interface CareOptions {
  /** The longest wait for the first token of an attempt. @default 60000 */
  readonly firstChunkMs?: number | undefined;
  /** The longest silence between two chunks. @default 60000 */
  readonly betweenChunksMs?: number | undefined;
  /** How often the model is asked again, as long as no token has come. @default 2 */
  readonly maxRetryCount?: number | undefined;
  /** The first wait before another attempt is at most this, the next twice as much. @default 500 */
  readonly baseDelayMs?: number | undefined;
  /** The longest wait before another attempt. A provider that asks for more is not asked again. @default 30000 */
  readonly maxDelayMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to 1, for the back-off. @default Math.random */
  readonly random?: (() => number) | undefined;
  /** Told of each failed attempt that is followed by another. */
  readonly onRetry?:
    | ((error: ModelError, retry: { readonly retryCount: number; readonly delayMs: number }) => void)
    | undefined;
}

/** Chunks that may come before the model has said anything: held until it has, so that another attempt repeats nothing. */
const PREFACE: ReadonlySet<string> = new Set([
  "start",
  "start-step",
  "text-start",
  "reasoning-start",
  "message-metadata",
]);
/** The most chunks that are held. */
const MAX_HELD_COUNT = 64;

/**
 * Asks a model with care; the result fits where an `Answerer` does. `ask` gets the same context, with a signal of its own attempt
 * that aborts at once when the run stops, the reader of the chunks leaves, or a time limit passes: hand it on to the model's client.
 *
 * Another attempt is made only before the first token and only for errors that may pass, after a random wait ("full jitter") that
 * doubles, or the one that the provider asks for.
 *
 * @throws {TailraceError} from the generator: `upstream_slow` or `upstream_failed` with `details.kind`, a message that readers may
 *   see, and the original as its cause; the signal's reason when it aborts
 */
export function withCare<C extends { readonly signal: AbortSignal }>(
  ask: (context: C) => AsyncIterable<UiChunk> | PromiseLike<AsyncIterable<UiChunk>>,
  options: CareOptions = {},
): (context: C) => AsyncGenerator<UiChunk, void, undefined> {
  const { maxRetryCount = 2, baseDelayMs = 500, maxDelayMs = 30_000, clock = systemClock, onRetry } = options;
  const random = options.random ?? Math.random;
  assertLimits(options);

  return async function* cared(context) {
    for (let retryCount = 0; ; retryCount++) {
      const attempt = { hasBegun: false };
      try {
        yield* tryOnce(ask, context, attempt, options, clock);
        return;
      } catch (error) {
        if (context.signal.aborted) throw context.signal.reason;
        const failure = failureOf(error, clock);
        const found = classifyModelError(failure, clock.now());
        const delayMs =
          found.retryAfterMs ?? random() * Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(retryCount, 31));
        const mayRetry = !attempt.hasBegun && found.isTransient && retryCount < maxRetryCount;
        if (!mayRetry || delayMs > maxDelayMs) throw failure;
        onRetry?.(found, { retryCount: retryCount + 1, delayMs });
        await race(
          () => new Promise<void>(() => undefined),
          context.signal,
          clock,
          delayMs,
          () => "over",
        );
      }
    }
  };
}

function assertLimits(options: CareOptions): void {
  for (const name of ["firstChunkMs", "betweenChunksMs", "maxRetryCount", "baseDelayMs", "maxDelayMs"] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 0)) {
      throw new TailraceError("input_invalid", `${name} must be a number of at least 0, not ${String(value)}.`);
    }
  }
}

/** What Tailrace threw itself, and an abort, are told as they are. */
function failureOf(error: unknown, clock: Clock): unknown {
  if (isTailraceError(error) || isAbort(error)) return error;
  return modelError(error, clock.now());
}

async function* tryOnce<C extends { readonly signal: AbortSignal }>(
  ask: (context: C) => AsyncIterable<UiChunk> | PromiseLike<AsyncIterable<UiChunk>>,
  context: C,
  attempt: { hasBegun: boolean },
  { firstChunkMs = 60_000, betweenChunksMs = 60_000 }: CareOptions,
  clock: Clock,
): AsyncGenerator<UiChunk, void, undefined> {
  const { signal } = context;
  signal.throwIfAborted();
  const pull: Pull<UiChunk> = openSource<UiChunk>(({ signal }) => ask({ ...context, signal }));
  // At once, and not when this generator is asked for its next chunk: the bill ends with the stop.
  const stop = (): void => pull.close();
  signal.addEventListener("abort", stop, { once: true });
  const held: UiChunk[] = [];
  const startMs = clock.now();
  try {
    for (;;) {
      const hasBegun = attempt.hasBegun;
      const limitMs = hasBegun ? betweenChunksMs : Math.max(0, firstChunkMs - (clock.now() - startMs));
      const result = await race(
        () => pull.next(),
        signal,
        clock,
        limitMs,
        () => {
          throw slow(hasBegun, hasBegun ? betweenChunksMs : firstChunkMs);
        },
      );
      if (result === "over") return; // never: the limit throws
      if (result.done === true) {
        signal.throwIfAborted(); // a client that was aborted may end as if nothing had happened
        break;
      }
      if (!attempt.hasBegun && PREFACE.has(result.value.type) && held.length < MAX_HELD_COUNT) {
        held.push(result.value);
        continue;
      }
      attempt.hasBegun = true;
      yield* held.splice(0);
      yield result.value;
    }
    yield* held;
  } finally {
    signal.removeEventListener("abort", stop);
    pull.close();
  }
}

function slow(hasBegun: boolean, limitMs: number): TailraceError {
  const what = hasBegun ? "said nothing more for" : "said nothing within";
  return new TailraceError("upstream_slow", `The model ${what} ${limitMs} ms. Try again.`, {
    details: { kind: "timeout", isTransient: true, limitMs },
  });
}

/** Waits for `start()`, but no longer than `limitMs`, and not when `signal` aborts. A result that is there costs no timer. */
function race<T>(
  start: () => T | Promise<T>,
  signal: AbortSignal,
  clock: Clock,
  limitMs: number,
  onLimit: () => "over",
): Promise<T | "over"> | T {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  const made = start();
  if (!isPromiseLike(made)) return made;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    const cancel = clock.after(limitMs, () =>
      settle(() => {
        try {
          resolve(onLimit());
        } catch (error) {
          reject(error);
        }
      }),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    made.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
