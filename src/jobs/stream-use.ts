// A stream goes some time after its last access; one whose job still waits or runs silently must not.

import type { Clock } from "../clock.ts";
import { report } from "../trace.ts";
import type { Streams } from "../log/streams.ts";

/** Timers do not reach further than 24 days: looked at each day at least. */
const MAX_INTERVAL_MS = 86_400_000;

/** Touches the streams that are in use, a few times within their time. No timer runs while there are none. */
export class StreamUse {
  readonly keepMs: number;
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #names = new Set<string>();
  #cancelTick: (() => void) | undefined;

  constructor(streams: Streams, keepMs: number, clock: Clock) {
    this.#streams = streams;
    this.keepMs = keepMs;
    this.#clock = clock;
  }

  /** `name` is in use until the returned function is called. */
  begin(name: string): () => void {
    this.#names.add(name);
    this.#arm();
    return () => {
      this.#names.delete(name);
      if (this.#names.size > 0) return;
      this.#cancelTick?.();
      this.#cancelTick = undefined;
    };
  }

  #arm(): void {
    this.#cancelTick ??= this.#clock.after(Math.min(MAX_INTERVAL_MS, this.keepMs / 4), () => {
      this.#cancelTick = undefined;
      void this.#touch();
    });
  }

  async #touch(): Promise<void> {
    for (const name of [...this.#names]) {
      if (!this.#names.has(name)) continue;
      await this.#streams.read(name, { maxItems: 1 }).catch((error: unknown) => report(name, error));
    }
    if (this.#names.size > 0) this.#arm();
  }
}
