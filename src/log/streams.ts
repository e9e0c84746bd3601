// The named streams of one store: start or join a run, follow it, stop it, append, delete.

import { assertSource, type Source } from "../bytes/source.ts";
import { systemClock, type Clock } from "../clock.ts";
import type { End } from "../wire/format.ts";
import type { FollowOptions } from "./follow.ts";
import { Hub } from "./hub.ts";
import { Keeper } from "./keeper.ts";
import { isUnknown, NamedSource } from "./named.ts";
import type { Offset } from "./offset.ts";
import { toPayload } from "./payload.ts";
import { readStream, type ReadOptions, type ReadStream } from "./read.ts";
import { RunWriter, type RunWriterOptions } from "./run-writer.ts";
import type { AppendOptions, Claim, Store, StreamConfig, StreamHead } from "./store.ts";
import { Takeover, type InterruptedHandler, type InterruptedOptions } from "./takeover.ts";

export interface StreamsOptions {
  readonly store: Store;
  /**
   * How long a run outlives its process before any other ends it as `interrupted`, in milliseconds. Default 5,000. The
   * process must answer within it: a longer block of its event loop counts as its death.
   */
  readonly leaseMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

export interface RunOptions extends StreamConfig {
  /** Gets what the producer threw. Readers see only that the run failed. Default: see `ReplyOptions.onError`. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /**
   * The kind of handler (see {@link Streams.onInterrupted}) that may carry this run on when its process dies or shuts down.
   * Default: none, it ends as `interrupted`.
   */
  readonly carryOn?: string | undefined;
  /**
   * How long a run whose process has died waits for a process that carries it on, in milliseconds, before it ends as
   * `interrupted`. Default 60,000, at most 604,800,000 (a week).
   */
  readonly carryOnWithinMs?: number | undefined;
}

/** What `stop` found: the run was told to stop, had ended before, no run writes the stream, or there is no such stream. */
export type StopResult =
  | { readonly state: "stopping" | "idle" | "unknown" }
  | { readonly state: "ended"; readonly end: End };

/** What an append gave: the offsets of its items, in order. */
export interface Appended {
  readonly offsets: readonly Offset[];
  readonly tail: Offset;
  /** Whether the producer had made this append before; nothing was written then. */
  readonly duplicate: boolean;
}

/** A run that was started or joined: a named source, and its beginning. */
export class Run<T> extends NamedSource<T> {
  /** Whether this call started it; false if it ran, or had run, already. */
  readonly started: boolean;

  constructor(started: boolean, ...source: ConstructorParameters<typeof NamedSource<T>>) {
    super(...source);
    this.started = started;
  }
}

/** The named streams of one store. Made by {@link createStreams}. */
export class Streams {
  readonly store: Store;
  readonly #hub: Hub;
  readonly #keeper: Keeper;
  readonly #takeover: Takeover;
  readonly #onClose: () => void;

  constructor(options: StreamsOptions, onClose: () => void) {
    this.store = options.store;
    this.#onClose = onClose;
    this.#keeper = new Keeper(options.store, options.leaseMs ?? 5_000, options.clock ?? systemClock);
    this.#takeover = new Takeover(options.store, this.#keeper, (claim, run) =>
      this.#write(claim, { ...run, canBeReleased: true }),
    );
    this.#hub = new Hub(options.store, {
      onStop: (name) => this.#keeper.stop(name),
      onRelease: () => this.#takeover.hint(),
      onUse: (isUsed) => this.#keeper.setUsed(isUsed),
    });
  }

  /** How many runs this process writes, and how many streams it writes or follows. */
  get counts(): { readonly runs: number; readonly channels: number } {
    return { runs: this.#keeper.runCount, channels: this.#hub.size };
  }

  /** Opens the store, so that a fault shows now. @throws `store_unavailable`, `store_newer`, `store_damaged` */
  open(): Promise<void> {
    return this.store.open();
  }

  /**
   * Starts a run that writes `producer` into the stream `name`, apart from any request: it goes on when every reader has
   * left. If a run of that name is under way or has ended, in whichever process, this joins it and does not call `producer`.
   *
   * @throws {TailraceError} `source_invalid`, `input_invalid` (the name), or a fault of the store
   */
  async run<T>(name: string, producer: Source<T>, options: RunOptions = {}): Promise<Run<T>> {
    assertSource(producer);
    const { onError, carryOn, carryOnWithinMs = 60_000, ...config } = options;
    const { owner, leaseMs } = this.#keeper;
    const wanted = carryOn === undefined ? undefined : { kind: carryOn, withinMs: carryOnWithinMs };
    const arrived = this.#keeper.await(name);
    const claim = await this.store
      .claim(name, owner, leaseMs, config, wanted)
      .then(async (given) => {
        if (given.claimed) await this.#write(given, { producer, onError, canBeReleased: carryOn !== undefined });
        return given;
      })
      .finally(arrived);
    return new Run<T>(claim.claimed, this.#hub, name, {}, this.#checkOwner);
  }

  /** Starts to write the run that was claimed. */
  async #write<T>(
    { epoch, head: { name, contentType } }: Claim,
    options: Pick<RunWriterOptions<T>, "producer" | "onError" | "failureEnd" | "canBeReleased">,
  ): Promise<void> {
    try {
      const onSettled = (how: "ended" | "forsaken"): void => {
        this.#keeper.remove(name, writer);
        if (how === "forsaken") this.#keeper.forsake(name, epoch);
      };
      const writer: RunWriter<T> = new RunWriter<T>({
        hub: this.#hub,
        name,
        epoch,
        contentType,
        onSettled,
        ...options,
      });
      this.#keeper.add(name, writer);
      writer.start();
    } catch (error) {
      // A source that cannot be opened, such as a stream that is read by somebody else: the run has had its beginning.
      await this.store.append(name, [], { epoch, end: { reason: "failed" } });
      throw error;
    }
  }

  /** The stream `name` as a source: replay, then tail. It need not exist yet; reading it then throws `stream_unknown`. */
  follow<T>(name: string, options: FollowOptions = {}): NamedSource<T> {
    return new NamedSource<T>(this.#hub, name, options, this.#checkOwner);
  }

  /**
   * Asks the run `name` to stop, whichever process writes it. What it has written is kept, and it ends as `stopped`: at once
   * in this process, otherwise when the owner hears of it (milliseconds; `leaseMs` / 4 at worst).
   */
  async stop(name: string): Promise<StopResult> {
    const head = await this.store.requestStop(name);
    if (head === undefined) return { state: "unknown" };
    if (head.end !== undefined) return { state: "ended", end: head.end };
    if (head.run === undefined) return { state: "idle" };
    this.#keeper.stop(name);
    // A run that waits for a process to carry it on has nobody else who could end it.
    if (head.run.carryOn !== undefined && !this.#keeper.owns(name)) await this.store.reap();
    return { state: "stopping" };
  }

  /** Makes the stream `name` unless it is there. @throws `stream_exists` if it is there with another configuration */
  async create(name: string, config: StreamConfig = {}): Promise<{ readonly created: boolean }> {
    const { created } = await this.store.create(name, config);
    return { created };
  }

  /**
   * Appends `values` to the stream `name`, which is made if it is not there. Resolves once they are kept as the store
   * promises it.
   */
  async append(name: string, values: readonly unknown[], options: AppendOptions = {}): Promise<Appended> {
    const head = await this.store.head(name);
    const payloads = values.map((value) => toPayload(value, head?.contentType));
    const result = await this.store.append(name, payloads, options).catch(async (error: unknown) => {
      if (!isUnknown(error)) throw error;
      await this.store.create(name).catch(() => undefined); // made meanwhile by somebody else: the append tells
      return this.store.append(name, payloads, options);
    });
    this.#hub.appended(name, result);
    return { offsets: result.items.map((item) => item.offset), tail: result.tail, duplicate: result.duplicate };
  }

  /** How the stream stands: its end and its run, if it has them; undefined if there is none of that name. */
  async head(name: string): Promise<StreamHead | undefined> {
    await this.#checkOwner(name);
    return this.store.head(name);
  }

  /**
   * What the stream `name` keeps now, without waiting for more.
   *
   * @throws {TailraceError} `stream_unknown`, `gap`, `cursor_invalid`
   */
  async read<T>(name: string, options: ReadOptions = {}): Promise<ReadStream<T>> {
    await this.#checkOwner(name);
    return readStream<T>(this.store, name, options);
  }

  /**
   * Registers how runs of `kind` are carried on in this process. They are looked for at once, then with every beat
   * (`leaseMs` / 4). The handler's source goes on writing the same stream behind `run.from`; if it gives undefined or throws, the
   * run ends as `interrupted`; `onError` gets what was thrown. A second handler of one kind replaces the first.
   *
   * @returns a function that unregisters it; runs that it carries on go on
   * @throws {TailraceError} `input_invalid` (the kind)
   */
  onInterrupted(kind: string, handler: InterruptedHandler, options: InterruptedOptions = {}): () => void {
    return this.#takeover.register(kind, handler, options);
  }

  delete(name: string): Promise<boolean> {
    return this.store.delete(name);
  }

  /**
   * Ends the runs of this process as `interrupted`, now, so that their readers need not wait for the lease to run out. Runs
   * with `carryOn` are given up for other processes instead, and this one takes over none any more.
   */
  async drain(): Promise<void> {
    await this.#takeover.stop();
    await this.#keeper.leaveAll();
  }

  /** Drains, then closes the store. Nothing can be read or written through this object afterwards. */
  async close(): Promise<void> {
    this.#onClose();
    await this.drain();
    this.#keeper.setUsed(false);
    await this.store.close();
  }

  /** A run whose owner has died ends when somebody looks at it, and not only when a timer fires. */
  readonly #checkOwner = async (name: string): Promise<void> => {
    const head = await this.store.head(name);
    if (head?.run === undefined || head.end !== undefined || this.#keeper.owns(name)) return;
    await this.store.reap();
  };
}

const KEY: unique symbol = Symbol.for("tailrace.streams.1");

/**
 * The named streams of a store. One instance per process and store: a second call with a store of the same place gives the
 * first one's result, also when a bundler has loaded this module several times (Next.js does).
 */
export function createStreams(options: StreamsOptions): Streams {
  const home = globalThis as { [KEY]?: Map<string, Streams> };
  const instances = (home[KEY] ??= new Map());
  const { key } = options.store;
  const existing = instances.get(key);
  if (existing !== undefined) return existing;
  const streams = new Streams(options, () => instances.delete(key));
  instances.set(key, streams);
  return streams;
}
