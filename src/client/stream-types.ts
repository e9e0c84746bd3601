// The words of the client's public surface: what `openStream` takes, what it gives, and what a reader sees of it.

import type { TailraceError } from "../errors.ts";
import type { StandardSchema } from "../wire/standard-schema.ts";

export type { SchemaResult, StandardSchema } from "../wire/standard-schema.ts";

/** Why a stream ended (PROTOCOL.md, section 1.5). */
export type EndReason = "completed" | "stopped" | "failed" | "interrupted";

/** The end that a server wrote into the stream. */
export interface StreamEnd {
  readonly reason: EndReason;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** True: the event that carried the end is handed to the reader too, as the last item. Default false. */
  readonly deliver?: boolean | undefined;
}

/** History that was asked for and is no longer kept (PROTOCOL.md, section 1.4). */
export interface StreamGap {
  readonly asked?: string | undefined;
  readonly earliest?: string | undefined;
  readonly latest?: string | undefined;
}

/**
 * One item. Rows and text have the event `message` and an empty id. An item whose event is `gap` says that history is
 * missing before the items that follow: its data is a {@link StreamGap}, whatever `T` says.
 */
export interface StreamItem<T> {
  readonly event: string;
  readonly data: T;
  readonly id: string;
}

/** An event as it stood on the wire. */
export interface RawEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/**
 * `connecting` a request is on its way · `open` bytes may come · `waiting` cut, and a timer runs until the next attempt ·
 * `paused` closed on request · `done` ended or closed · `failed` will not come back.
 */
export type ConnectionStatus = "connecting" | "open" | "waiting" | "paused" | "done" | "failed";

/** A snapshot of a connection. Never changed: each change gives a new object. */
export interface StreamState {
  readonly status: ConnectionStatus;
  /** Attempts lost in a row without one delivered item; 0 while all is well. */
  readonly attempt: number;
  /** When the next attempt is due, in milliseconds since 1970; set only while `waiting`. */
  readonly retryAt: number | null;
  /** Why the connection waits or has failed. */
  readonly error: TailraceError | null;
  /** The end that the server sent; null as long as there is none, after `close()`, and after a 204. */
  readonly end: StreamEnd | null;
  /** The cursor that the next attempt would send; after `close()` the one that follows the last item handed out. */
  readonly lastEventId: string;
  /** Whether what arrives was written before this reader came. */
  readonly replaying: boolean;
  /** The last gap that was reported. */
  readonly gap: StreamGap | null;
}

/** What is known when the headers of an attempt are asked for. */
export interface AttemptInfo {
  /** Attempts lost in a row before this one. */
  readonly attempt: number;
  readonly lastEventId: string;
}

/** Headers, or a function that makes them anew for each attempt (a fresh token, say). */
export type HeadersSource = HeadersInit | ((attempt: AttemptInfo) => HeadersInit | Promise<HeadersInit>);

/** A body that can be sent more than once. A plain object or an array is sent as JSON. */
export type RequestBody = string | FormData | Blob | URLSearchParams | ArrayBuffer | ArrayBufferView | object;

/** The function that fetches: the platform's by default. */
export type Fetch = (input: string | URL, init: RequestInit) => Promise<Response>;

/** Options of `openStream`. */
export interface OpenOptions<T = unknown> {
  /** Default: `POST` when there is a body, else `GET`. */
  readonly method?: string | undefined;
  readonly body?: RequestBody | undefined;
  readonly headers?: HeadersSource | undefined;
  readonly credentials?: RequestCredentials | undefined;
  /** Aborting it ends the connection; the iteration then throws the signal's reason, as `fetch` does. */
  readonly signal?: AbortSignal | undefined;
  /** The cursor to start after. */
  readonly lastEventId?: string | undefined;
  /**
   * Where a stream that was begun by a POST is picked up: once the POST was answered with a stream, each later attempt is
   * a GET of this address with `Last-Event-ID`. Without it a POST that was answered and then cut has failed: it is
   * never sent twice.
   */
  readonly resumeUrl?: string | URL | undefined;
  readonly fetch?: Fetch | undefined;
  /**
   * How `data` becomes a value. `"json"` (default): JSON is parsed, and text that is not JSON stays a string, as servers
   * send strings bare. `"text"`: always the string. A function: what it returns; if it throws, the stream fails
   * with `decode_failed`. NDJSON rows are JSON always; `text/plain` is text always, unless there is a function.
   */
  readonly decode?: "json" | "text" | ((data: string, event: string) => T) | undefined;
  /** Checks each decoded value; a value that it refuses fails the stream with `decode_failed`. */
  readonly schema?: StandardSchema<T> | undefined;
  /** Tells which event is the end. Default: the events `end` and `error` with a JSON `reason` (PROTOCOL.md, 1.5). */
  readonly isEnd?: ((event: RawEvent) => StreamEnd | undefined) | undefined;
  /**
   * Whether a body that closes without an end marker is complete. Default: false for SSE, true for NDJSON and text. NDJSON that announces an
   * end record (PROTOCOL.md, section 3.1) is never complete without it.
   */
  readonly endsOnClose?: boolean | undefined;
  /** @default 500 */
  readonly minDelayMs?: number | undefined;
  /** @default 30000 */
  readonly maxDelayMs?: number | undefined;
  /**
   * Attempts lost in a row, without one item in between, after which the stream has failed.
   * @default Infinity (a live page should come back whenever the server does; `state.attempt` shows how it goes)
   */
  readonly maxAttempts?: number | undefined;
  /**
   * A connection without one byte for so long counts as cut; heartbeats and other comments are bytes. It covers the wait
   * for the response too. `Infinity` switches it off.
   * @default 45000
   */
  readonly idleMs?: number | undefined;
  /** The largest single event or row. Default: the decoder's own. */
  readonly maxEventBytes?: number | undefined;
  /** Items that may wait for the reader; at this number the network is no longer read. @default 1000 */
  readonly maxQueuedItems?: number | undefined;
  /** Close the connection while the page is hidden, and come back when it is shown. @default false */
  readonly pauseWhenHidden?: boolean | undefined;
}

/** A stream that is being followed. Read it once, by items or by batches. */
export interface StreamConnection<T> extends AsyncIterable<StreamItem<T>>, AsyncDisposable {
  /** All that is queued, at once. What stands between `: replay` and `: live` comes as one batch. */
  batches(): AsyncIterable<readonly StreamItem<T>[]>;
  readonly state: StreamState;
  /** Calls `listener` after each change of {@link state}, except of `lastEventId` alone. Returns the unsubscribe. */
  subscribe(listener: () => void): () => void;
  /** Closes the connection until `resume()`. Without effect on one that could not come back (a POST without `resumeUrl`). */
  pause(): void;
  resume(): void;
  /** Leaves the stream: the iteration ends, and what is queued is dropped. What the server runs goes on. */
  close(): void;
}
