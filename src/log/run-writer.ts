// The owner's side of a run: pulls the producer and writes the log. What comes while a write is under way is the next
// write, so that the producer is never slowed to one commit per item.

import { Pump, type Sink } from "../bytes/pump.ts";
import { openSource, type Pull, type Source } from "../bytes/source.ts";
import { isTailraceError } from "../errors.ts";
import { report } from "../trace.ts";
import type { End } from "../wire/format.ts";
import type { Channel, Hub } from "./hub.ts";
import { toPayload } from "./payload.ts";
import type { AppendOptions, Payload } from "./store.ts";

/** How much may wait to be written before the producer is made to wait, in characters or bytes: 1 MiB. */
export const MAX_UNWRITTEN_BYTES = 1_048_576;

export interface RunWriterOptions<T> {
  readonly hub: Hub;
  readonly name: string;
  readonly epoch: number;
  readonly contentType: string;
  readonly producer: Source<T>;
  readonly onError: ((error: unknown) => void) | undefined;
  /** The end of a run whose producer threw. Default: `failed`. */
  readonly failureEnd?: (() => End) | undefined;
  /** Whether another process may carry the run on. */
  readonly canBeReleased: boolean;
  /** Called once, when nothing more will be written: `forsaken` if the store still takes us for the owner. */
  readonly onSettled: (how: "ended" | "forsaken") => void;
}

export class RunWriter<T> implements Sink<T> {
  readonly #options: RunWriterOptions<T>;
  readonly #channel: Channel;
  readonly #source: Pull<T>;
  readonly #pump: Pump<T>;
  #unwritten: Payload[] = [];
  #unwrittenBytes = 0;
  #isWriting = false;
  /** What the last write carries besides items, once there will be no more of them. */
  #last: Pick<AppendOptions, "end" | "release"> | undefined;
  #isSettled = false;
  readonly #settled: Promise<void>;
  #resolveSettled!: () => void;

  constructor(options: RunWriterOptions<T>) {
    this.#options = options;
    this.#source = openSource(options.producer); // first: it may throw, and then nothing is held
    this.#channel = options.hub.join(options.name);
    this.#pump = new Pump(this.#source, this);
    this.#settled = new Promise((resolve) => {
      this.#resolveSettled = resolve;
    });
  }

  /** Resolves when the end is written or the run given up, or when the run has been lost to another owner. Never rejects. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  get canBeReleased(): boolean {
    return this.#options.canBeReleased;
  }

  start(): void {
    this.#pump.run();
  }

  /** Ends the run now: what the producer has given so far is written, what it gives later is not. */
  finish(end: End): void {
    this.#conclude({ end });
  }

  /** Gives the run up for another process to carry on: what the producer has given so far is written first. */
  release(): void {
    this.#conclude({ release: true });
  }

  /** The run belongs to somebody else now, or its stream is gone: nothing more is written. */
  lose(): void {
    if (this.#isSettled) return;
    this.#unwritten = [];
    this.#source.close();
    this.#settle("ended");
  }

  wants(): boolean {
    return this.#last === undefined && !this.#isSettled && this.#unwrittenBytes < MAX_UNWRITTEN_BYTES;
  }

  arrived(): void {
    // Nothing to do: each item is on its way to the log already.
  }

  take(result: IteratorResult<T, undefined>): void {
    if (this.#last !== undefined || this.#isSettled) return; // it came after the stop
    if (result.done === true) {
      this.finish({ reason: "completed" });
      return;
    }
    try {
      const payload = toPayload(result.value, this.#options.contentType);
      this.#unwritten.push(payload);
      this.#unwrittenBytes += payload.length;
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#write();
  }

  fail(error: unknown): void {
    if (this.#last !== undefined || this.#isSettled) return; // a producer that was told to stop may well throw
    if (this.#options.onError === undefined) report(`run ${this.#options.name}`, error);
    else this.#options.onError(error);
    this.finish(this.#options.failureEnd?.() ?? { reason: "failed" });
  }

  #conclude(last: Pick<AppendOptions, "end" | "release">): void {
    if (this.#last !== undefined || this.#isSettled) return;
    this.#last = last;
    this.#source.close();
    this.#write();
  }

  #write(): void {
    if (this.#isWriting || this.#isSettled) return;
    const payloads = this.#unwritten;
    const last = this.#last;
    if (payloads.length === 0 && last === undefined) return;
    const { hub, name, epoch } = this.#options;
    this.#isWriting = true;
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    hub.store.append(name, payloads, { epoch, ...last }).then(
      (result) => {
        this.#isWriting = false;
        hub.appended(name, result);
        if (last !== undefined) this.#settle("ended");
        else {
          this.#write();
          this.#pump.run();
        }
      },
      (error: unknown) => {
        this.#isWriting = false;
        const isLost = isTailraceError(error) && ["fenced", "stream_closed", "stream_unknown"].includes(error.code);
        if (isLost) {
          this.lose();
          return;
        }
        // With the store out of reach the end cannot be written either: the run is given up when the store answers again.
        report(`run ${name}`, error);
        this.#unwritten = [];
        this.#source.close();
        this.#settle("forsaken");
      },
    );
  }

  #settle(how: "ended" | "forsaken"): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.hub.leave(this.#channel);
    this.#options.onSettled(how);
    this.#resolveSettled();
  }
}
