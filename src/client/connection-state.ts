// The connection as a pure state machine: a full table of cells, effects as data, nothing that touches the network.
//
// Invariants, each tested by its number (connection-state.test.ts, with random walks over the table as well):
//   1. `done` and `failed` are final: no event changes them or has an effect.
//   2. `open` is an effect exactly when an event leads into `connecting`; no other effect starts a request.
//   3. A timer runs exactly in `waiting`: entering starts one, leaving cancels it unless it has just fired.
//   4. Leaving `connecting` or `open`, but for `connecting` to `open`, aborts: there are never two requests at once.
//   5. `attempt` rises by one with each cut and falls to 0 on progress alone: a 200 that closes at once backs off.
//   6. A delay lies between `minDelayMs` and `maxDelayMs`, or is the longer Retry-After; no wake-up goes below that one.
//   7. `release` is an effect exactly when an event leads into `done` or `failed`.
//   8. `failed` has an error and `done` has none; `retryAt` is set exactly in `waiting`.
//   9. `attempt` never passes `maxAttempts`: reaching it fails.
//  10. `paused` is left by a resume only once every hold (the caller's, the hidden page's) is gone, or by an ending.

import { TailraceError } from "../errors.ts";
import { type DelayLimits, retryDelayMs } from "./retry-delay.ts";
import type { ConnectionStatus, StreamEnd } from "./stream-types.ts";

/** Who asked for a pause. */
export type Hold = "caller" | "hidden";

/** Limits that a connection keeps to. */
export interface ConnectionLimits extends DelayLimits {
  readonly maxAttempts: number;
}

/** All that the machine knows. */
export interface Connection {
  readonly status: ConnectionStatus;
  readonly attempt: number;
  readonly retryAt: number | null;
  /** A Retry-After's own time: nothing starts an attempt before it. 0 when there is none. */
  readonly notBefore: number;
  /** Where the back-off starts: `minDelayMs`, or what the server's `retry:` says. */
  readonly baseMs: number;
  readonly error: TailraceError | null;
  readonly end: StreamEnd | null;
  readonly holds: readonly Hold[];
  readonly limits: ConnectionLimits;
}

/** What can happen to a connection. */
export type ConnectionEvent =
  | { readonly type: "opened" }
  /** An item was delivered (or the connection has lived long enough to count as sound). */
  | { readonly type: "progress" }
  /** The server's `retry:` field. */
  | { readonly type: "retry"; readonly ms: number }
  /** The server said that there is no more; null for a 204. */
  | { readonly type: "end"; readonly end: StreamEnd | null }
  /** The network, the watchdog or a passing status took the connection away; another attempt may help. */
  | { readonly type: "cut"; readonly error: TailraceError; readonly retryAfterMs?: number | undefined }
  /** No other attempt will help, or the caller's signal aborted. */
  | { readonly type: "refused"; readonly error: TailraceError }
  | { readonly type: "timer" }
  /** A sign that a new attempt may work now: online again, page shown. */
  | { readonly type: "wake" }
  /** The connection is dead though no error says so: the page comes out of the back/forward cache, or slept. */
  | { readonly type: "stale" }
  | { readonly type: "pause"; readonly by: Hold }
  | { readonly type: "resume"; readonly by: Hold }
  | { readonly type: "close" };

/** What the runner has to do, in this order. */
export type ConnectionEffect =
  | { readonly type: "cancelTimer" }
  | { readonly type: "abort" }
  | { readonly type: "open" }
  | { readonly type: "startTimer"; readonly ms: number }
  | { readonly type: "release" };

/** The outcome of one event. */
export interface Step {
  readonly state: Connection;
  readonly effects: readonly ConnectionEffect[];
}

type EventType = ConnectionEvent["type"];
type EventOf<E extends EventType> = Extract<ConnectionEvent, { readonly type: E }>;
type Cell<E extends EventType> = (state: Connection, event: EventOf<E>, now: number, random: number) => Step;

const NOTHING: readonly ConnectionEffect[] = [];
const OPEN: ConnectionEffect = { type: "open" };
const ABORT: ConnectionEffect = { type: "abort" };
const CANCEL: ConnectionEffect = { type: "cancelTimer" };
const RELEASE: ConnectionEffect = { type: "release" };

const ignore = (state: Connection): Step => ({ state, effects: NOTHING });

/** Frees what the present status holds: a request, or a timer. */
function free(state: Connection): readonly ConnectionEffect[] {
  if (state.status === "connecting" || state.status === "open") return [ABORT];
  return state.status === "waiting" ? [CANCEL] : NOTHING;
}

const opened = (state: Connection): Step => ({
  state: { ...state, status: "open", error: null, notBefore: 0 },
  effects: NOTHING,
});

const progress = (state: Connection): Step =>
  state.attempt === 0 ? ignore(state) : { state: { ...state, attempt: 0 }, effects: NOTHING };

/** A server cannot ask for less than `minDelayMs`, nor for more than `maxDelayMs`. */
const setBase = (state: Connection, event: EventOf<"retry">): Step => {
  const { minDelayMs, maxDelayMs } = state.limits;
  return { state: { ...state, baseMs: Math.min(maxDelayMs, Math.max(minDelayMs, event.ms)) }, effects: NOTHING };
};

const fail = (state: Connection, event: { readonly error: TailraceError }): Step => ({
  state: { ...state, status: "failed", error: event.error, retryAt: null, holds: [] },
  effects: [...free(state), RELEASE],
});

const close = (state: Connection): Step => ({
  state: { ...state, status: "done", error: null, retryAt: null, holds: [] },
  effects: [...free(state), RELEASE],
});

/** An end that is no success is a failure, so that a reader who looks at nothing else cannot take it for one. */
const finish = (state: Connection, { end }: EventOf<"end">): Step => {
  const ended = { ...state, end };
  if (end === null || end.reason === "completed" || end.reason === "stopped") return close(ended);
  const text =
    end.message ?? (end.reason === "interrupted" ? "The stream was interrupted." : "The stream failed before its end.");
  const details = { reason: end.reason, ...(end.code === undefined ? {} : { code: end.code }) };
  return fail(ended, { error: new TailraceError("source_failed", text, { details }) });
};

const lose = (state: Connection, event: EventOf<"cut">, now: number, random: number): Step => {
  const attempt = state.attempt + 1;
  const { limits } = state;
  if (attempt >= limits.maxAttempts) {
    const message =
      `The stream was lost after ${attempt} attempts in a row without one item; the last said: ` +
      `${event.error.message} Raise maxAttempts to keep trying.`;
    const details = { ...event.error.details, attempts: attempt };
    const error = new TailraceError("connection_failed", message, { cause: event.error, details });
    return fail({ ...state, attempt }, { error });
  }
  const ms = Math.max(retryDelayMs(attempt, state.baseMs, limits, random), event.retryAfterMs ?? 0);
  const notBefore = event.retryAfterMs === undefined ? 0 : now + event.retryAfterMs;
  return {
    state: { ...state, status: "waiting", attempt, retryAt: now + ms, notBefore, error: event.error },
    effects: [ABORT, { type: "startTimer", ms }],
  };
};

const connect = (state: Connection): Step => ({
  state: { ...state, status: "connecting", retryAt: null, holds: [] },
  effects: [...free(state), OPEN],
});

const fire = (state: Connection): Step => ({
  state: { ...state, status: "connecting", retryAt: null },
  effects: [OPEN],
});

const hurry = (state: Connection, _event: unknown, now: number): Step =>
  now < state.notBefore ? ignore(state) : connect(state);

const pause = (state: Connection, event: EventOf<"pause">): Step => ({
  state: { ...state, status: "paused", retryAt: null, holds: [event.by] },
  effects: free(state),
});

const addHold = (state: Connection, event: EventOf<"pause">): Step =>
  state.holds.includes(event.by)
    ? ignore(state)
    : { state: { ...state, holds: [...state.holds, event.by] }, effects: NOTHING };

const dropHold = (state: Connection, event: EventOf<"resume">, now: number): Step => {
  const holds = state.holds.filter((hold) => hold !== event.by);
  if (holds.length > 0) return { state: { ...state, holds }, effects: NOTHING };
  if (now >= state.notBefore) return connect(state);
  const ms = state.notBefore - now;
  return {
    state: { ...state, status: "waiting", holds, retryAt: state.notBefore },
    effects: [{ type: "startTimer", ms }],
  };
};

// Every event in every status: a cell that is missing does not compile.
type Row = { readonly [E in EventType]: Cell<E> };

const FINAL: Row = {
  opened: ignore,
  progress: ignore,
  retry: ignore,
  end: ignore,
  cut: ignore,
  refused: ignore,
  timer: ignore,
  wake: ignore,
  stale: ignore,
  pause: ignore,
  resume: ignore,
  close: ignore,
};

const TABLE: Readonly<Record<ConnectionStatus, Row>> = {
  connecting: {
    opened,
    progress: ignore,
    retry: ignore,
    end: finish,
    cut: lose,
    refused: fail,
    timer: ignore,
    wake: ignore,
    stale: connect,
    pause,
    resume: ignore,
    close,
  },
  open: {
    opened: ignore,
    progress,
    retry: setBase,
    end: finish,
    cut: lose,
    refused: fail,
    timer: ignore,
    wake: ignore,
    stale: connect,
    pause,
    resume: ignore,
    close,
  },
  waiting: {
    opened: ignore,
    progress: ignore,
    retry: ignore,
    end: ignore,
    cut: ignore,
    refused: fail,
    timer: fire,
    wake: hurry,
    stale: hurry,
    pause,
    resume: ignore,
    close,
  },
  paused: {
    opened: ignore,
    progress: ignore,
    retry: ignore,
    end: ignore,
    cut: ignore,
    refused: fail,
    timer: ignore,
    wake: ignore,
    stale: ignore,
    pause: addHold,
    resume: dropHold,
    close,
  },
  done: FINAL,
  failed: FINAL,
};

/** A new connection: connecting, with its request to be opened. */
export function begin(limits: ConnectionLimits): Step {
  const state: Connection = {
    status: "connecting",
    attempt: 0,
    retryAt: null,
    notBefore: 0,
    baseMs: limits.minDelayMs,
    error: null,
    end: null,
    holds: [],
    limits,
  };
  return { state, effects: [OPEN] };
}

/** What `event` makes of `state`. `now` is in milliseconds since 1970, `random` from 0 up to 1. */
export function next(state: Connection, event: ConnectionEvent, now: number, random: number): Step {
  // The table pairs each event's name with a cell of its type; TypeScript cannot follow that pairing through an index.
  const cell = TABLE[state.status][event.type] as unknown as Cell<EventType>;
  return cell(state, event, now, random);
}
