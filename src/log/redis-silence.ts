// A connection that has gone without a word: nothing is closed, and nothing comes any more. Commands that wait for too long are
// compared with a connection of the moment: if Redis answers there, the silent one is replaced. So a Redis that is only
// slow, or a network that is down, is waited for, and not made worse.

import { systemClock } from "../clock.ts";
import type { RedisArgument, RedisPort } from "./redis-client.ts";

/** How long nothing may come while something is asked for, before another connection is tried, in milliseconds. */
export const SILENT_MS = 1_000;
/** Each connection that was replaced in vain is given twice the time of the one before it, up to this many milliseconds. */
export const MAX_SILENT_MS = 32_000;
/** How long the other connection may take to be made and answered, and the pause before the next, in milliseconds. */
const PROBE_MS = 1_000;
const PAUSE_MS = 250;

export interface RedisSilenceOptions {
  readonly port: RedisPort;
  /** How long a command may take that waits for replicas, in milliseconds. */
  readonly allowanceMs: number;
  /** The connection was replaced. */
  readonly onReplaced: () => void;
}

export class RedisSilence {
  readonly #options: RedisSilenceOptions;
  #openCount = 0;
  #answerCount = 0;
  #sinceMs = 0;
  #limitMs = SILENT_MS;
  #isProbing = false;
  #isClosed = false;
  #cancel: (() => void) | undefined;

  constructor(options: RedisSilenceOptions) {
    this.#options = options;
  }

  /** Sends one command and minds how long it takes. */
  async send(key: string, args: readonly RedisArgument[]): Promise<unknown> {
    const { port } = this.#options;
    if (port.probe === undefined) return port.send(key, args);
    if (this.#openCount++ === 0) this.#sinceMs = performance.now();
    if (this.#cancel === undefined) this.#arm(this.#limit);
    try {
      return await port.send(key, args);
    } finally {
      this.#openCount--;
      this.#answerCount++;
      this.#sinceMs = performance.now();
      this.#limitMs = SILENT_MS;
      if (this.#openCount === 0) this.#disarm();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#disarm();
  }

  get #limit(): number {
    return this.#limitMs + this.#options.allowanceMs;
  }

  #arm(ms: number): void {
    if (this.#isClosed || this.#isProbing) return;
    this.#cancel = systemClock.after(ms, () => {
      this.#cancel = undefined;
      void this.#look();
    });
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #look(): Promise<void> {
    const leftMs = this.#sinceMs + this.#limit - performance.now();
    if (leftMs > 0) {
      this.#arm(leftMs);
      return;
    }
    const { port, onReplaced } = this.#options;
    const before = this.#answerCount;
    this.#isProbing = true;
    const isAnswered = await port.probe!(PROBE_MS);
    this.#isProbing = false;
    if (this.#isClosed || this.#openCount === 0) return;
    if (isAnswered && this.#answerCount === before) {
      this.#limitMs = Math.min(2 * this.#limitMs, MAX_SILENT_MS);
      this.#sinceMs = performance.now();
      port.replace?.();
      onReplaced();
    }
    this.#arm(PAUSE_MS);
  }
}
