// A stop that was asked for: sent to the server, waited for, and given up on after a stated time.

import { TailraceError } from "../errors.ts";
import { type ChatPlace, postStop } from "./chat-requests.ts";
import { asError } from "./chat-outcome.ts";

const DEFAULT_STOP_TIMEOUT_MS = 10_000;

/** The stop of one answer at a time. */
export class StopRequest {
  readonly #place: ChatPlace;
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pending = false;

  constructor(place: ChatPlace, timeoutMs: number = DEFAULT_STOP_TIMEOUT_MS) {
    this.#place = place;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether a stop was asked for and the answer has not ended yet. */
  get pending(): boolean {
    return this.#pending;
  }

  begin(): void {
    this.#pending = true;
  }

  /** Calls `giveUp` when the answer has not ended in time. */
  limit(giveUp: (error: TailraceError) => void): void {
    this.#timer = setTimeout(() => {
      const message = `The server did not confirm the stop within ${this.#timeoutMs} ms, so it may still be writing.`;
      giveUp(new TailraceError("connection_failed", message, { details: { stopTimeoutMs: this.#timeoutMs } }));
    }, this.#timeoutMs);
  }

  /** Tells the server. Gives what went wrong; after a refusal, which is final, nothing is pending any more. */
  async send(signal: AbortSignal): Promise<TailraceError | undefined> {
    try {
      await postStop(this.#place, signal);
      return undefined;
    } catch (reason) {
      const error = asError(reason);
      if (error.code === "response_refused" && !signal.aborted) this.clear();
      return error;
    }
  }

  /** The answer has ended, or is left. */
  clear(): void {
    this.#pending = false;
    clearTimeout(this.#timer);
  }
}
