// One attempt: a request, its response, and the body read to its last byte or until it is taken away.

import { isTailraceError, TailraceError } from "../errors.ts";
import { announcesEnd } from "../wire/ndjson-end.ts";
import { type BodyDecoder, createBodyDecoder, type Incoming } from "./body-decoder.ts";
import type { StreamRequest } from "./request.ts";
import { type BodyFormat, judgeResponse } from "./response.ts";
import type { Fetch } from "./stream-types.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** What an attempt needs to know, and whom it tells. */
export interface AttemptPlan {
  readonly fetch: Fetch;
  /** Builds the request; a rejection counts as a failure before any response. */
  readonly request: () => Promise<StreamRequest>;
  /** Takes the attempt away: nothing is told after it. */
  readonly signal: AbortSignal;
  readonly idleMs: number;
  readonly maxEventBytes: number | undefined;
  readonly lastEventId: string;
  onOpened(format: BodyFormat): void;
  /** Bytes have arrived. */
  onAlive(): void;
  /** One thing that the body said. A promise: wait for it before the next. */
  onIncoming(incoming: Incoming): Promise<void> | undefined;
  /** All of a chunk has been taken; the cursor as it stands now. */
  onCursor(lastEventId: string): void;
}

/** How an attempt ended by itself. */
export type Outcome =
  /** 204: the server has nothing (more) to say. */
  | { readonly type: "nothing" }
  /** The body closed cleanly. Whether that is an end depends on the format. */
  | { readonly type: "closed"; readonly format: BodyFormat }
  | {
      readonly type: "cut";
      readonly error: TailraceError;
      readonly retryAfterMs?: number | undefined;
      /** The status of a response that asked for another attempt; undefined for a broken connection. */
      readonly status?: number | undefined;
    }
  | { readonly type: "refused"; readonly error: TailraceError };

function idleError(idleMs: number): TailraceError {
  const message =
    `No byte arrived for ${idleMs} ms, so the connection counts as cut. ` +
    "Let the server send heartbeats more often than that, or raise idleMs.";
  return new TailraceError("connection_failed", message, { details: { idleMs } });
}

function cutError(cause: unknown): TailraceError {
  if (isTailraceError(cause)) return cause;
  return new TailraceError("connection_failed", "The connection to the server failed or was cut.", { cause });
}

/** Settles with `promise`, or rejects when the signal aborts first, for a `fetch` that does not mind the signal. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

async function readBody(
  plan: AttemptPlan,
  signal: AbortSignal,
  body: ReadableStream<Uint8Array>,
  decoder: BodyDecoder,
  watch: Watchdog,
): Promise<void> {
  const reader = body.getReader();
  const leave = (): void => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener("abort", leave, { once: true });
  try {
    for (let done = false; !done && !signal.aborted;) {
      const part = await reader.read();
      if (signal.aborted) return;
      watch.touch();
      plan.onAlive();
      done = part.done;
      for (const incoming of part.done ? decoder.end() : decoder.push(part.value)) {
        // The body closed before the end that it had announced: lost like any other, though the network saw nothing.
        if (incoming.type === "broken" && isTailraceError(incoming.error, "truncated")) throw incoming.error;
        const wait = plan.onIncoming(incoming);
        if (wait !== undefined) {
          // The reader is slow, not the server: no byte can arrive while none is asked for.
          watch.rest();
          await wait;
          watch.touch();
        }
        if (signal.aborted) return;
      }
      plan.onCursor(decoder.lastEventId);
    }
  } finally {
    signal.removeEventListener("abort", leave);
    leave();
  }
}

/** Runs one attempt. Never rejects; undefined when the signal took it away. */
export async function runAttempt(plan: AttemptPlan): Promise<Outcome | undefined> {
  const { signal } = plan;
  const idle = new AbortController();
  const both = AbortSignal.any([signal, idle.signal]);
  const watch = startWatchdog(plan.idleMs, () => idle.abort(idleError(plan.idleMs)));
  try {
    const request = await untilAborted(plan.request(), both);
    const fetching = plan.fetch(request.url, { ...request.init, signal: both });
    const response = await untilAborted(fetching, both).catch((error: unknown) => {
      // A response that comes after all is let go, not left open.
      if (both.aborted) fetching.then((late) => late.body?.cancel()).catch(() => undefined);
      throw error;
    });
    watch.touch();
    const verdict = await untilAborted(judgeResponse(response, Date.now()), both);
    if (verdict.kind === "nothing") return { type: "nothing" };
    if (verdict.kind === "refused") return { type: "refused", error: verdict.error };
    if (verdict.kind === "retry") {
      const { error, retryAfterMs } = verdict;
      return { type: "cut", error, retryAfterMs, status: response.status };
    }
    plan.onOpened(verdict.format);
    const needsEnd = verdict.format === "ndjson" && announcesEnd(response.headers);
    const decoder = createBodyDecoder(verdict.format, plan.lastEventId, plan.maxEventBytes, needsEnd);
    if (response.body !== null) await readBody(plan, both, response.body, decoder, watch);
    if (signal.aborted) return undefined;
    if (idle.signal.aborted) return { type: "cut", error: idle.signal.reason as TailraceError };
    return { type: "closed", format: verdict.format };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (idle.signal.aborted) return { type: "cut", error: idle.signal.reason as TailraceError };
    // A request that cannot even be made fails again on every attempt.
    if (isTailraceError(error, "cursor_invalid") || isTailraceError(error, "input_invalid")) {
      return { type: "refused", error };
    }
    return { type: "cut", error: cutError(error) };
  } finally {
    watch.stop();
  }
}
