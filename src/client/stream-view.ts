// A stream as something to look at: a window of items, the connection's state, at most one change per frame.

import { TailraceError } from "../errors.ts";
import { createAttachment } from "./attachment.ts";
import { createFrameScheduler, type FrameScheduler } from "./frame.ts";
import { openStream } from "./open.ts";
import { requestHeaders } from "./request.ts";
import { discard, responseError } from "./response.ts";
import { Store } from "./store.ts";
import type { ConnectionStatus, OpenOptions, StreamConnection, StreamItem, StreamState } from "./stream-types.ts";

const DEFAULT_MAX_ITEMS = 1000;

/** Options of a view. They are read when a connection is opened; `headers` anew for each attempt. */
export interface StreamViewOptions<T, S = undefined> extends Omit<OpenOptions<T>, "signal"> {
  /** How many items are kept; the oldest go first and are counted in `dropped`. 0 with a `reduce`. @default 1000 */
  readonly maxItems?: number | undefined;
  /** Folds each item into `value`, beside the window of items or instead of it (`maxItems: 0`). */
  readonly reduce?: ((value: S, item: StreamItem<T>) => S) | undefined;
  /** The value before the first item. */
  readonly initial?: S | undefined;
  /** Where `stop()` goes. Default: the stream's own address. */
  readonly stopUrl?: string | URL | undefined;
  /** @default "DELETE" */
  readonly stopMethod?: string | undefined;
}

/** What a view shows. Never changed: each change gives a new object. */
export interface StreamSnapshot<T, S = undefined> extends Omit<StreamState, "status"> {
  /** `idle`: there is no address. */
  readonly status: ConnectionStatus | "idle";
  /** The data of the items in the window, oldest first. */
  readonly items: readonly T[];
  /** The same items with their event and id. */
  readonly events: readonly StreamItem<T>[];
  readonly last: StreamItem<T> | null;
  /** Items that were in the window and are not any more. */
  readonly dropped: number;
  /** What `reduce` made; `initial` before the first item. */
  readonly value: S;
}

const IDLE = {
  status: "idle",
  attempt: 0,
  retryAt: null,
  error: null,
  end: null,
  lastEventId: "",
  replaying: false,
  gap: null,
} as const;

/** A view of one address. It connects while it is attached. */
export class StreamView<T, S = undefined> {
  readonly url: string | null;
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => StreamSnapshot<T, S>;
  /** What there is before anything was attached: on a server, and while a page wakes up. */
  readonly getServerSnapshot: () => StreamSnapshot<T, S>;
  /** Connects. Returns the leave, which closes the connection and never stops what the server runs. */
  readonly attach: () => () => void;
  readonly #store: Store<StreamSnapshot<T, S>>;
  readonly #frame: FrameScheduler;
  #options: StreamViewOptions<T, S>;
  #connection: StreamConnection<T> | undefined;
  /** The last state of a connection that is gone. */
  #state: Omit<StreamSnapshot<T, S>, "items" | "events" | "last" | "dropped" | "value">;
  #life: AbortSignal | undefined;
  #closed = false;
  #window: StreamItem<T>[] = [];
  #last: StreamItem<T> | null = null;
  #dropped = 0;
  #value: S;
  #stopError: TailraceError | null = null;

  constructor(url: string | null, options: StreamViewOptions<T, S> = {}) {
    this.url = url;
    this.#options = options;
    this.#value = options.initial as S;
    this.#state = { ...IDLE, status: url === null ? "idle" : "connecting", lastEventId: options.lastEventId ?? "" };
    const first = this.#view();
    this.#store = new Store(first);
    this.subscribe = this.#store.subscribe;
    this.getSnapshot = this.#store.getSnapshot;
    this.getServerSnapshot = () => first;
    this.#frame = createFrameScheduler(() => this.#store.set(this.#view()));
    this.attach = createAttachment(
      (life) => {
        this.#life = life;
        // What has ended or was closed stays so when the page is shown again.
        const over = this.#closed || this.#state.status === "done" || this.#state.status === "failed";
        if (!over) this.#connect();
      },
      () => {
        this.#life = undefined;
        if (this.#connection === undefined) return;
        this.#disconnect();
        this.#state = { ...this.#state, status: "connecting" };
      },
    );
  }

  /** Sets the options as they are now. */
  setOptions(options: StreamViewOptions<T, S>): void {
    this.#options = options;
  }

  /** Leaves the stream. What the server runs goes on. */
  close(): void {
    this.#closed = true;
    if (this.#connection === undefined) return;
    this.#disconnect();
    this.#commit();
  }

  /** Follows again from the last cursor, whatever the state is; the items stay. */
  reconnect(): void {
    this.#closed = false;
    this.#disconnect();
    if (this.#life !== undefined) this.#connect();
  }

  /**
   * Ends what the server runs, by a DELETE of the stream. True once the server has agreed; false, with the reason in
   * `error`, when it has not. Never rejects.
   */
  async stop(): Promise<boolean> {
    const { stopUrl, stopMethod = "DELETE", headers: source, credentials = "same-origin", fetch } = this.#options;
    const url = stopUrl ?? this.url;
    if (url === null) return false;
    try {
      const headers = await requestHeaders(source, { attempt: 0, lastEventId: "" });
      const send = fetch ?? ((input, init) => globalThis.fetch(input, init));
      const response = await send(url, { method: stopMethod, headers, credentials });
      if (!response.ok) throw await responseError(response, "response_refused");
      await discard(response);
      this.#stopError = null;
    } catch (cause) {
      const text = "The stop did not reach the server. Check the connection and try again.";
      this.#stopError =
        cause instanceof TailraceError ? cause : new TailraceError("connection_failed", text, { cause });
    }
    this.#commit();
    return this.#stopError === null;
  }

  #connect(): void {
    if (this.url === null) return;
    const options = this.#options;
    const connection = openStream<T>(this.url, {
      ...options,
      lastEventId: this.#state.lastEventId,
      headers: async (info) => requestHeaders(this.#options.headers, info),
    });
    this.#connection = connection;
    this.#stopError = null;
    this.#commit();
    void this.#read(connection);
  }

  #disconnect(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    connection.close();
    this.#state = connection.state;
    this.#frame.cancel();
  }

  async #read(connection: StreamConnection<T>): Promise<void> {
    const unsubscribe = connection.subscribe(() => this.#connectionChanged(connection));
    try {
      for await (const batch of connection.batches()) {
        if (this.#connection !== connection) return;
        this.#take(batch);
        if (!connection.state.replaying) this.#frame.schedule();
      }
    } catch {
      // The reason is in the connection's state.
    } finally {
      unsubscribe();
    }
    if (this.#connection !== connection) return;
    this.#disconnect();
    this.#commit();
  }

  #take(batch: readonly StreamItem<T>[]): void {
    const { maxItems = DEFAULT_MAX_ITEMS, reduce } = this.#options;
    for (const item of batch) {
      // A gap is told apart from the items (PROTOCOL.md, section 1.4).
      if (item.event === "gap") continue;
      this.#last = item;
      this.#window.push(item);
      if (reduce !== undefined) this.#value = reduce(this.#value, item);
    }
    const over = this.#window.length - maxItems;
    if (over <= 0) return;
    this.#dropped += over;
    this.#window = this.#window.slice(over);
  }

  #connectionChanged(connection: StreamConnection<T>): void {
    if (this.#connection !== connection) return;
    const { status, replaying } = connection.state;
    // The ends are shown once the items before them have been taken.
    if (status === "done" || status === "failed") return;
    if (status !== this.getSnapshot().status) this.#commit();
    else if (!replaying) this.#frame.schedule();
  }

  #view(): StreamSnapshot<T, S> {
    const state = this.#connection?.state ?? this.#state;
    const events = this.#window.slice();
    return {
      ...state,
      error: state.error ?? this.#stopError,
      items: events.map((item) => item.data),
      events,
      last: this.#last,
      dropped: this.#dropped,
      value: this.#value,
    };
  }

  #commit(): void {
    this.#frame.cancel();
    this.#store.set(this.#view());
  }
}
