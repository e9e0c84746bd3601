// The upstream's body as it is passed on: each chunk as it comes, within its limits, and whole or visibly not.

import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE, isPromiseLike, type Pull } from "../bytes/source.ts";
import type { Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { Pace } from "../receive/pace.ts";
import { upstreamError } from "./relay-errors.ts";

/** What a body must keep to. */
export interface RelayBodyLimits {
  /** What `Content-Length` says, where it holds. */
  readonly announcedBytes: number | undefined;
  readonly maxBytes: number;
  /** `Infinity` for none. */
  readonly idleMs: number;
  readonly clock: Clock;
}

type Result = IteratorResult<Chunk, undefined>;

/**
 * How long the end of a body may follow its last announced byte, in milliseconds. A fetch that knows the length ends at
 * once; a body of another making might stay open for ever, and its connection with it.
 */
const END_WITHIN_MS = 1_000;

/** Makes a host send the headers, although no byte is there yet. */
const NOTHING: Result = { done: false, value: new Uint8Array(0) };

export class RelayBody implements BytePull {
  readonly #inner: BytePull;
  readonly #limits: RelayBodyLimits;
  readonly #pace: Pace | undefined;
  #bytes = 0;
  #ahead: Result | Promise<Result> | undefined;
  #isHeadDue = false;
  /** The upstream's body has come to its end, good or bad: there is nothing to close. */
  #isOver = false;
  #isClosed = false;
  #rejectWait: ((error: unknown) => void) | undefined;

  constructor(inner: Pull<Uint8Array>, limits: RelayBodyLimits) {
    this.#inner = inner as BytePull;
    this.#limits = limits;
    const { idleMs, clock } = limits;
    if (idleMs === Infinity) return;
    this.#pace = new Pace({ clock, idleMs, minBytesPerSecond: 0, onTooSlow: () => this.#onIdle() });
  }

  /** Waits for the first chunk, but for no longer than `ms`. Without a wait the headers leave at once. */
  async begin(ms: number): Promise<void> {
    const { announcedBytes, maxBytes, clock } = this.#limits;
    if (announcedBytes !== undefined && announcedBytes > maxBytes) throw tooLong(maxBytes);
    if (ms <= 0) {
      this.#isHeadDue = true;
      return;
    }
    const first = this.#pull();
    this.#ahead = first;
    if (!isPromiseLike(first)) return;
    let cancel: (() => void) | undefined;
    const late = new Promise<"late">((resolve) => (cancel = clock.after(ms, () => resolve("late"))));
    try {
      this.#isHeadDue = (await Promise.race([first, late])) === "late";
    } finally {
      cancel?.();
    }
    first.catch(() => undefined); // who asks for it next gets the failure
  }

  next(): Result | Promise<Result> {
    if (this.#isHeadDue) {
      this.#isHeadDue = false;
      return NOTHING;
    }
    const ahead = this.#ahead;
    if (ahead === undefined) return this.#pull();
    this.#ahead = undefined;
    return ahead;
  }

  recycle(chunk: Chunk): void {
    this.#inner.recycle?.(chunk);
  }

  /** Whether the upstream has given all that it had. */
  get isOver(): boolean {
    return this.#isOver;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pace?.close();
    this.#rejectWait?.(new TailraceError("aborted", "The reader left before the upstream's body had ended."));
    if (!this.#isOver) this.#inner.close();
  }

  #pull(): Result | Promise<Result> {
    if (this.#isOver) return DONE;
    let result: Result | Promise<Result>;
    try {
      result = this.#inner.next();
    } catch (error) {
      return this.#broken(error);
    }
    if (!isPromiseLike(result)) return this.#take(result);
    const pace = this.#pace;
    if (pace === undefined) return result.then(this.#take, this.#broken);
    pace.wait();
    return new Promise((resolve, reject) => {
      this.#rejectWait = reject;
      result.then(this.#take, this.#broken).then(resolve, reject);
    });
  }

  readonly #take = (result: Result): Result => {
    this.#rejectWait = undefined;
    const { announcedBytes, maxBytes } = this.#limits;
    if (result.done === true) {
      this.#over();
      if (announcedBytes !== undefined && this.#bytes < announcedBytes) throw wrongLength(this.#bytes, announcedBytes);
      return DONE;
    }
    const { byteLength } = result.value;
    this.#pace?.arrived(byteLength);
    this.#bytes += byteLength;
    if (this.#bytes > maxBytes) throw tooLong(maxBytes);
    if (announcedBytes !== undefined && this.#bytes >= announcedBytes) {
      if (this.#bytes > announcedBytes) throw wrongLength(this.#bytes, announcedBytes);
      this.#seeTheEnd();
    }
    return result;
  };

  readonly #broken = (error: unknown): never => {
    this.#over();
    const failure = upstreamError(error);
    if (failure.code !== "upstream_failed" || failure === error) throw failure;
    const message = `The upstream broke off after ${this.#bytes.toLocaleString("en")} bytes of its body.`;
    throw new TailraceError("upstream_failed", message, { cause: error });
  };

  /** A reader that knows the length asks for no more. The end is still to be read, or the connection could not be used again. */
  #seeTheEnd(): void {
    this.#over();
    try {
      const end = this.#inner.next();
      if (!isPromiseLike(end)) return;
      const cancel = this.#limits.clock.after(END_WITHIN_MS, () => this.#inner.close());
      end
        .then(
          (result) => void (result.done === true || this.#inner.close()),
          () => undefined,
        )
        .finally(cancel);
    } catch {
      // All that was announced is here: how the connection ends is nobody's concern.
    }
  }

  #over(): void {
    this.#isOver = true;
    this.#pace?.close();
  }

  #onIdle(): void {
    const { idleMs } = this.#limits;
    const message = `The upstream was silent for ${idleMs.toLocaleString("en")} ms in its body; raise idleMs if it may be.`;
    this.#rejectWait?.(new TailraceError("upstream_slow", message));
  }
}

function tooLong(maxBytes: number): TailraceError {
  const message = `The upstream's body is longer than ${maxBytes.toLocaleString("en")} bytes; raise maxBytes if it may be.`;
  return new TailraceError("limit_exceeded", message, { status: 502 });
}

function wrongLength(cameBytes: number, announcedBytes: number): TailraceError {
  const [came, announced] = [cameBytes, announcedBytes].map((bytes) => bytes.toLocaleString("en"));
  return new TailraceError("upstream_failed", `The upstream announced ${announced} bytes and sent ${came}.`);
}
