// The stops of a transport: when an abort is one, how it reaches the server, and who has to wait for it.

import { isTailraceError, TailraceError } from "../errors.ts";
import { asError } from "./chat-outcome.ts";
import { type ChatPlace, postStop } from "./chat-requests.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** Delays between the attempts of one stop. */
const RETRY_LIMITS = { minDelayMs: 100, maxDelayMs: 2_000 } as const;

/** A stop that was asked for. */
interface Stop {
  /** Runs in the next turn; undefined once it has begun. */
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly begin: () => void;
  /** Nothing was asked for after all. */
  readonly drop: () => void;
  /** Settles when the server has taken it, or it was given up. Never rejects. */
  readonly done: Promise<void>;
}

/** How a stop is carried out. */
export interface StopPlan {
  readonly place: ChatPlace;
  /** Settles when the server has answered the message that began the answer; undefined if it has. */
  readonly answered: Promise<unknown> | undefined;
  /** Nothing is waited for any more, whatever became of it. */
  onDone(): void;
}

/** The stops of all chats of a transport, one per chat at a time. */
export class TransportStops {
  readonly #stops = new Map<string, Stop>();
  readonly #timeoutMs: number;
  readonly #onError: (error: TailraceError, chatId: string) => void;

  constructor(timeoutMs: number, onError: (error: TailraceError, chatId: string) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onError = onError;
  }

  /**
   * Asks for a stop in the next turn of the event loop. An unmounted hook and a disposed chat abort like a stop does, and
   * close the transport in the same turn, which {@link drop}s it.
   */
  ask(chatId: string, plan: StopPlan): void {
    this.#stops.get(chatId)?.begin();
    let resolve = (): void => undefined;
    const done = new Promise<void>((settle) => (resolve = settle));
    const end = (): void => {
      if (this.#stops.get(chatId) === stop) this.#stops.delete(chatId);
      plan.onDone();
      resolve();
    };
    const begin = (): void => {
      if (stop.timer === undefined) return;
      clearTimeout(stop.timer);
      stop.timer = undefined;
      void this.#carryOut(chatId, plan).finally(end);
    };
    const drop = (): void => {
      if (stop.timer === undefined) return;
      clearTimeout(stop.timer);
      stop.timer = undefined;
      end();
    };
    const stop: Stop = { timer: setTimeout(begin), begin, drop, done };
    this.#stops.set(chatId, stop);
  }

  /** Takes a stop back that has not begun. Without an id all of them. */
  drop(chatId?: string): void {
    const stops = chatId === undefined ? [...this.#stops.values()] : [this.#stops.get(chatId)];
    for (const stop of stops) stop?.drop();
  }

  /** Waits for the stop of a chat. A message that overtook it would be stopped in the place of the answer before. */
  async settled(chatId: string, signal: AbortSignal | undefined): Promise<void> {
    const stop = this.#stops.get(chatId);
    if (stop === undefined) return;
    stop.begin();
    await (signal === undefined ? stop.done : isKept(stop.done, signal));
  }

  async #carryOut(chatId: string, plan: StopPlan): Promise<void> {
    const { answered } = plan;
    // Whoever stops and closes the tab has stopped.
    const fetch: ChatPlace["fetch"] = (input, init) => plan.place.fetch(input, { ...init, keepalive: true });
    const place = { ...plan.place, fetch };
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(timeoutError(this.#timeoutMs)), this.#timeoutMs);
    try {
      await this.#send(place, limit.signal);
      // A stop that overtakes its message finds nothing, so it is said again once the server has begun to answer.
      if (answered !== undefined && (await isKept(answered, limit.signal))) await this.#send(place, limit.signal);
    } catch (error) {
      this.#onError(asError(error), chatId);
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(place: ChatPlace, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await postStop(place, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!isTailraceError(error, "connection_failed")) throw error;
        await wait(retryDelayMs(attempt, RETRY_LIMITS.minDelayMs, RETRY_LIMITS, Math.random()), signal);
      }
    }
  }
}

/** Whether `promise` was kept before the signal aborted. */
async function isKept(promise: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  let giveUp = (): void => undefined;
  const aborted = new Promise<boolean>((resolve) => (giveUp = () => resolve(false)));
  signal.addEventListener("abort", giveUp, { once: true });
  const kept = promise.then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([kept, aborted]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

function timeoutError(stopTimeoutMs: number): TailraceError {
  const message = `The server did not take the stop within ${stopTimeoutMs} ms, so it may still be writing. Stop again.`;
  return new TailraceError("connection_failed", message, { details: { stopTimeoutMs } });
}
