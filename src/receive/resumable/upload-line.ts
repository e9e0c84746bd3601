// Who may change an upload, among several processes: the newest request. The requests for an upload stand in a line, which is a
// named stream; whoever stands behind another waits for it to go, and sends it away. A run says which processes live.

import { isTailraceError, TailraceError } from "../../errors.ts";
import type { Streams } from "../../log/streams.ts";
import { report } from "../../trace.ts";
import { LineLife, type Living } from "./upload-line-life.ts";

/** The right to change one upload. */
export interface Hold {
  /** Aborts when a newer request wants the upload. Only an append heeds it; everything else is short. */
  readonly signal: AbortSignal;
  /** Gives the upload free. Calling it again does nothing. */
  release(): void;
}

/** Where the requests for one upload meet, whichever process they came to. */
export interface UploadLine {
  /** Sends away whatever appends to the upload `id`, and resolves once that has settled, or its process is dead. */
  enter(id: string): Promise<Hold>;
}

export interface UploadLineOptions {
  /** What the names of its streams begin with: one for each folder of uploads. Default `upload-line/`. */
  readonly prefix?: string | undefined;
}

/** An item of a line: somebody wants the upload, or has given it free. */
type LineItem = { readonly hold: string; readonly by: string } | { readonly free: string };

/** One process has one entry at a time, so that this is far more than there are processes. */
const MAX_ITEMS = 64;
/** A line that nobody has used for a day goes. An upload that is continued after that begins a new one. */
const TTL_MS = 86_400_000;

/**
 * The line of the uploads in one folder that several processes share, kept in `streams`: give it to the upload handlers as `line`. A request
 * then takes an upload over from another process as it does within its own. A process that died is waited for until its lease has run out.
 *
 * @example
 * const line = uploadLine(streams);
 * const handle = (request: Request) => tus(request, { storage, basePath: "/files/", line });
 */
export function uploadLine(streams: Streams, options: UploadLineOptions = {}): UploadLine {
  const { prefix = "upload-line/" } = options;
  const life = new LineLife(streams, `${prefix}by/`);
  return {
    async enter(id) {
      const living = await life.join();
      const place = new Place(streams, `${prefix}to/${id}`, living);
      await place.enter();
      return place;
    },
  };
}

class Place implements Hold {
  readonly #streams: Streams;
  readonly #line: string;
  readonly #living: Living;
  readonly #token: string = crypto.randomUUID();
  readonly #wanted = new AbortController();
  /** Ends what this place follows. */
  readonly #gone = new AbortController();
  readonly #turn = Promise.withResolvers<void>();
  /** Those that came before and have not gone, with the runs that say whether their processes live. */
  readonly #before = new Map<string, string>();
  #isSeen = false;

  constructor(streams: Streams, line: string, living: Living) {
    this.#streams = streams;
    this.#line = line;
    this.#living = living;
    this.#turn.promise.catch(() => undefined); // lost before anybody waits for it
  }

  get signal(): AbortSignal {
    return this.#wanted.signal;
  }

  /** Resolves when everybody before has gone. */
  async enter(): Promise<void> {
    this.#living.signal.addEventListener("abort", this.#lose, { once: true });
    try {
      await this.#streams.create(this.#line, { maxItems: MAX_ITEMS, ttlMs: TTL_MS });
      await this.#append({ hold: this.#token, by: this.#living.name });
      this.#follow().catch((error: unknown) => this.#fail(error));
      if (this.#living.signal.aborted) this.#lose();
      await this.#turn.promise;
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#living.signal.removeEventListener("abort", this.#lose);
    if (this.#living.signal.aborted) return; // our death has given it free
    this.#append({ free: this.#token })
      .catch((error: unknown) => {
        report("upload line", error);
        this.#living.end();
      })
      .finally(() => this.#living.leave());
  }

  async #append(item: LineItem): Promise<void> {
    await this.#streams.append(this.#line, [item]);
  }

  async #follow(): Promise<void> {
    const source = this.#streams.follow<LineItem>(this.#line);
    for await (const { value } of source.entries({ signal: this.#gone.signal })) {
      if ("free" in value) this.#went(value.free);
      else if (value.hold === this.#token) this.#seen();
      else if (this.#isSeen) this.#wanted.abort();
      else this.#before.set(value.hold, value.by);
    }
    if (!this.#gone.signal.aborted) throw lineLost();
  }

  #seen(): void {
    this.#isSeen = true;
    for (const by of new Set(this.#before.values())) {
      if (by !== this.#living.name) this.#awaitDeath(by).catch((error: unknown) => this.#fail(error));
    }
    this.#look();
  }

  #went(token: string): void {
    this.#before.delete(token);
    this.#look();
  }

  #look(): void {
    if (this.#isSeen && this.#before.size === 0) this.#turn.resolve();
  }

  /** A process that is dead can give nothing free: its entries are struck out for whoever comes later. */
  async #awaitDeath(by: string): Promise<void> {
    try {
      await this.#streams.follow(by).ended(this.#gone.signal);
      if (this.#gone.signal.aborted) return;
      await this.#streams.delete(by);
    } catch (error) {
      if (!isTailraceError(error, "stream_unknown")) throw error;
    }
    for (const [token, owner] of this.#before) {
      if (owner !== by) continue;
      await this.#append({ free: token });
      this.#went(token);
    }
  }

  readonly #lose = (): void => this.#fail(lineLost());

  #fail(error: unknown): void {
    this.#wanted.abort();
    this.#turn.reject(error);
  }
}

function lineLost(): TailraceError {
  return new TailraceError("store_unavailable", "The log has lost sight of this process; try again in a second.");
}
