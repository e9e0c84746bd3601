// The life of one transfer: begun, paused and resumed at will, and settled exactly once.

import { isTailraceError, TailraceError } from "../errors.ts";

/** Where a transfer stands, whatever it transfers. */
export type TransferPhase = "idle" | "running" | "paused" | "done" | "failed";

/**
 * Runs `body` until it resolves. A pause aborts its signal, a resume calls it again: it has to go on from where it was.
 * There are never two bodies at once.
 */
export class TransferControl<R> {
  /** Settles with the transfer. A rejection that nobody looks at is no unhandled one. */
  readonly done: Promise<R>;
  phase: TransferPhase = "idle";
  error: TailraceError | null = null;
  result: R | null = null;
  readonly #body: (signal: AbortSignal) => Promise<R>;
  readonly #changed: () => void;
  readonly #onSettled: () => void;
  readonly #resolve: (result: R) => void;
  readonly #reject: (error: TailraceError) => void;
  #turn: AbortController | undefined;
  #started = false;
  #resumed: (() => void) | undefined;
  #detach: (() => void) | undefined;

  constructor(
    body: (signal: AbortSignal) => Promise<R>,
    hooks: { readonly changed: () => void; readonly settled: () => void },
    signal: AbortSignal | undefined,
  ) {
    this.#body = body;
    this.#changed = hooks.changed;
    this.#onSettled = hooks.settled;
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    this.done = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    promise.catch(() => undefined);
    if (signal === undefined) return;
    const abort = (): void => this.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#detach = () => signal.removeEventListener("abort", abort);
    if (signal.aborted) abort();
  }

  get isOver(): boolean {
    return this.phase === "done" || this.phase === "failed";
  }

  start(): void {
    if (this.#started || this.isOver) return;
    this.#started = true;
    if (this.phase === "idle") this.phase = "running";
    void this.#loop();
  }

  pause(): void {
    if (this.isOver || this.phase === "paused") return;
    this.phase = "paused";
    this.#turn?.abort(new TailraceError("aborted", "The transfer was paused."));
    this.#changed();
  }

  resume(): void {
    if (this.phase !== "paused") return;
    this.phase = this.#started ? "running" : "idle";
    this.#resumed?.();
    this.#changed();
  }

  abort(cause?: unknown): void {
    if (this.isOver) return;
    const error = isTailraceError(cause) ? cause : new TailraceError("aborted", "The transfer was aborted.", { cause });
    this.#fail(error);
    this.#turn?.abort(error);
    this.#resumed?.();
  }

  async #loop(): Promise<void> {
    while (!this.isOver) {
      if (this.phase === "paused") {
        await new Promise<void>((resolve) => {
          this.#resumed = resolve;
        });
        this.#resumed = undefined;
        continue;
      }
      const turn = new AbortController();
      this.#turn = turn;
      try {
        this.#succeed(await this.#body(turn.signal));
      } catch (error) {
        if (!turn.signal.aborted) this.#fail(error as TailraceError);
      }
      this.#turn = undefined;
    }
  }

  #succeed(result: R): void {
    // A result that comes with a pause is a result all the same; after an abort nobody wants it.
    if (this.isOver) return;
    this.phase = "done";
    this.result = result;
    this.#settled();
    this.#resolve(result);
  }

  #fail(error: TailraceError): void {
    if (this.isOver) return;
    this.phase = "failed";
    this.error = error;
    this.#settled();
    this.#reject(error);
  }

  #settled(): void {
    this.#detach?.();
    this.#onSettled();
    this.#changed();
  }
}
