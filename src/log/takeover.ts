// Carrying runs on whose process has died or gone: which handlers this process has, and the looks for what they can take.

import { assertSource, type Source } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import { report } from "../trace.ts";
import type { End } from "../wire/format.ts";
import type { Keeper } from "./keeper.ts";
import type { Offset } from "./offset.ts";
import { readStream, type ReadOptions, type ReadStream } from "./read.ts";
import { checkKind } from "./run-rules.ts";
import { MAX_ORPHANS, type Claim, type Store } from "./store.ts";

/** A run that has lost its process, as the handler that may carry it on is given it. */
export interface InterruptedRun {
  readonly name: string;
  /** The offset of the last item that was written; the place before the first if there was none. */
  readonly from: Offset;
  /** Reads what was written, as `Streams.read` does. */
  read<T>(options?: ReadOptions): Promise<ReadStream<T>>;
  /** Aborts when the run is stopped meanwhile, lost, or given up because this process shuts down. */
  readonly signal: AbortSignal;
}

/** Gives the source that goes on with the run, or undefined if it cannot be gone on with: it ends as `interrupted` then. */
export type InterruptedHandler = (
  run: InterruptedRun,
) => Source<unknown> | undefined | Promise<Source<unknown> | undefined>;

/** Options of a handler. */
export interface InterruptedOptions {
  /** Gets what the handler or its source threw. Default: see `ReplyOptions.onError`. */
  readonly onError?: ((error: unknown, name: string) => void) | undefined;
}

/** What a run that was taken over is written with. */
export interface CarriedRun {
  readonly producer: Source<unknown>;
  readonly onError: (error: unknown) => void;
  readonly failureEnd: () => End;
}

/** Starts to write the run that was claimed. */
export type StartRun = (claim: Claim, run: CarriedRun) => Promise<void>;

interface Registration {
  readonly handler: InterruptedHandler;
  readonly onError: (error: unknown, name: string) => void;
}

export class Takeover {
  readonly #store: Store;
  readonly #keeper: Keeper;
  readonly #start: StartRun;
  readonly #handlers = new Map<string, Registration>();
  #isOver = false;

  constructor(store: Store, keeper: Keeper, start: StartRun) {
    this.#store = store;
    this.#keeper = keeper;
    this.#start = start;
  }

  register(kind: string, handler: InterruptedHandler, options: InterruptedOptions): () => void {
    checkKind(kind);
    const { onError = (error, name) => report(`run ${name}`, error) } = options;
    const registration = { handler, onError };
    this.#handlers.set(kind, registration);
    if (!this.#isOver && this.#handlers.size === 1) this.#keeper.setLook(() => this.#look());
    this.hint();
    return () => {
      if (this.#handlers.get(kind) !== registration) return;
      this.#handlers.delete(kind);
      if (this.#handlers.size === 0) this.#keeper.setLook(undefined);
    };
  }

  /** There may be something to take. */
  hint(): void {
    if (this.#handlers.size > 0 && !this.#isOver) void this.#keeper.tick();
  }

  /** Takes nothing any more. Resolves when no look is under way. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#keeper.setLook(undefined);
    await this.#keeper.idle();
  }

  async #look(): Promise<void> {
    if (this.#isOver || this.#handlers.size === 0) return;
    const names = await this.#store.orphans([...this.#handlers.keys()]);
    const outcomes = await Promise.allSettled(names.map((name) => this.#take(name)));
    for (const outcome of outcomes) if (outcome.status === "rejected") report("takeover", outcome.reason);
    // There may be more than one answer holds. Not, if nothing could be taken: that is for the next beat.
    const hasTaken = outcomes.some((outcome) => outcome.status === "fulfilled" && outcome.value);
    if (names.length >= MAX_ORPHANS && hasTaken) this.hint();
  }

  /** @returns whether this process writes the run now */
  async #take(name: string): Promise<boolean> {
    if (this.#isOver) return false;
    const arrived = this.#keeper.await(name);
    try {
      return await this.#takeOver(name);
    } finally {
      arrived();
    }
  }

  async #takeOver(name: string): Promise<boolean> {
    const claim = await this.#store.takeOver(name, this.#keeper.owner, this.#keeper.leaseMs);
    if (!claim.claimed) return false; // another process was first, or the run has ended meanwhile
    const registration = this.#handlers.get(claim.head.run?.carryOn ?? "");
    if (this.#isOver || registration === undefined) {
      // This process shuts down, or the handler was unregistered, since the look began.
      await this.#store.append(name, [], { epoch: claim.epoch, release: true });
      return false;
    }
    await this.#start(claim, this.#carriedRun(claim, registration));
    return true;
  }

  /** The handler is called as a part of its source, so that a stop, a loss or a shutdown while it thinks is dealt with there. */
  #carriedRun({ head: { name, tail } }: Claim, { handler, onError }: Registration): CarriedRun {
    let isRefused = false;
    let hasFailed = true;
    const open = async (signal: AbortSignal): Promise<Source<unknown>> => {
      const read = <T>(options: ReadOptions = {}): Promise<ReadStream<T>> => readStream<T>(this.#store, name, options);
      isRefused = true;
      const source = await handler({ name, from: tail, read, signal });
      hasFailed = source !== undefined;
      if (source === undefined) throw new TailraceError("source_failed", `The run ${name} is not carried on.`);
      assertSource(source);
      isRefused = false;
      return source;
    };
    return {
      producer: async (context) => {
        const source = await open(context.signal);
        return typeof source === "function" ? source(context) : source;
      },
      onError: (error) => {
        if (hasFailed) onError(error, name);
      },
      failureEnd: () => ({ reason: isRefused ? "interrupted" : "failed" }),
    };
  }
}
