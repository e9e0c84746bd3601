// The store that lives in this process: for tests, for development, and for streams that may die with it.

import { systemClock, type Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { checkCursor, checkName, checkSameConfig, decideAppend, JSON_TYPE, payloadBytes } from "./append-rules.ts";
import { MemoryRuns, type MemoryRun } from "./memory-runs.ts";
import { offsetOf, type Offset } from "./offset.ts";
import { checkCarryOn } from "./run-rules.ts";
import type {
  AppendOptions,
  AppendResult,
  Beat,
  CarryOn,
  Change,
  Claim,
  Payload,
  ReadLimits,
  ReadResult,
  Store,
  StoredItem,
  StreamConfig,
  StreamHead,
} from "./store.ts";

export interface MemoryStoreOptions {
  /** Stores of one name share their streams. Default `default`, so that a module that is loaded twice still has one store. */
  readonly name?: string | undefined;
  readonly clock?: Clock | undefined;
}

interface MemoryItem extends StoredItem {
  readonly atMs: number;
  readonly bytes: number;
}

interface MemoryStream extends MemoryRun {
  readonly config: StreamConfig;
  items: MemoryItem[];
  /** The sequence number before the first of `items`. */
  start: number;
  tail: number;
  bytes: number;
  expiresAtMs: number;
  readonly producers: Map<string, { epoch: number; seq: number }>;
}

/** A store in this process's memory. Streams are gone when the process ends. */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(`memory:${options.name ?? "default"}`, options.clock ?? systemClock);
}

class MemoryStore implements Store {
  readonly kind = "memory";
  readonly key: string;
  readonly #clock: Clock;
  readonly #streams = new Map<string, MemoryStream>();
  readonly #runs: MemoryRuns<MemoryStream>;
  readonly #listeners = new Set<(change: Change) => void>();
  /** Above every sequence number of a stream that was deleted, so that its old cursors stay recognisable. */
  #floor = 0;

  constructor(key: string, clock: Clock) {
    this.key = key;
    this.#clock = clock;
    this.#runs = new MemoryRuns(clock, (stream) => this.#notify(stream));
  }

  async open(): Promise<void> {}

  async create(name: string, config: StreamConfig = {}): Promise<{ created: boolean; head: StreamHead }> {
    const kept = this.#find(name);
    if (kept !== undefined) {
      checkSameConfig(name, kept.config, config);
      return { created: false, head: headOf(kept) };
    }
    return { created: true, head: headOf(this.#make(name, config)) };
  }

  async append(name: string, payloads: readonly Payload[], options: AppendOptions = {}): Promise<AppendResult> {
    const stream = this.#get(name);
    const { producer, end, release = false } = options;
    const state = {
      name,
      contentType: stream.config.contentType ?? JSON_TYPE,
      tail: stream.tail,
      end: stream.end,
      epoch: stream.epoch,
      producer: producer && stream.producers.get(producer.id),
    };
    const before = offsetOf(stream.tail);
    this.#touch(stream);
    if (decideAppend(state, payloads, options) === "duplicate") {
      return { items: [], before, tail: before, duplicate: true, end: stream.end };
    }
    const atMs = this.#clock.now();
    const items = payloads.map((payload): MemoryItem => ({
      offset: offsetOf(++stream.tail),
      payload,
      atMs,
      bytes: payloadBytes(payload),
    }));
    for (const item of items) {
      stream.items.push(item);
      stream.bytes += item.bytes;
    }
    if (producer !== undefined) stream.producers.set(producer.id, { epoch: producer.epoch, seq: producer.seq });
    if (end !== undefined) stream.end = end;
    else if (release) this.#runs.release(stream);
    this.#trim(stream);
    this.#notify(stream);
    return { items, before, tail: offsetOf(stream.tail), duplicate: false, end: stream.end };
  }

  async read(name: string, after: Offset, limits: ReadLimits): Promise<ReadResult> {
    const stream = this.#get(name);
    this.#touch(stream);
    this.#trim(stream);
    const from = checkCursor(name, after, stream.start, stream.tail) - stream.start;
    const items: StoredItem[] = [];
    let bytes = 0;
    for (let index = from; index < stream.items.length && items.length < limits.maxItems; index++) {
      const item = stream.items[index]!;
      bytes += item.bytes;
      if (items.length > 0 && bytes > limits.maxBytes) break;
      items.push(item);
    }
    return { items, head: headOf(stream), upToDate: from + items.length === stream.items.length };
  }

  async head(name: string): Promise<StreamHead | undefined> {
    const stream = this.#find(name);
    if (stream === undefined) return undefined;
    this.#trim(stream);
    return headOf(stream);
  }

  async offsetBeforeLast(name: string, lastItems: number): Promise<Offset> {
    const stream = this.#get(name);
    this.#trim(stream);
    return offsetOf(Math.max(stream.start, stream.tail - lastItems));
  }

  async delete(name: string): Promise<boolean> {
    const stream = this.#find(name);
    if (stream !== undefined) this.#drop(stream);
    return stream !== undefined;
  }

  async claim(
    name: string,
    owner: string,
    leaseMs: number,
    config: StreamConfig = {},
    carryOn?: CarryOn,
  ): Promise<Claim> {
    checkCarryOn(carryOn);
    const stream = this.#find(name) ?? this.#make(name, config);
    return claimOf(stream, this.#runs.claim(stream, owner, leaseMs, carryOn));
  }

  async takeOver(name: string, owner: string, leaseMs: number): Promise<Claim> {
    const stream = this.#get(name);
    return claimOf(stream, this.#runs.takeOver(stream, owner, leaseMs));
  }

  async orphans(kinds: readonly string[]): Promise<readonly string[]> {
    return this.#runs.orphans(this.#streams.values(), kinds);
  }

  async beat(owner: string, leaseMs: number): Promise<Beat> {
    return this.#runs.beat(this.#streams.values(), owner, leaseMs);
  }

  async requestStop(name: string): Promise<StreamHead | undefined> {
    const stream = this.#find(name);
    if (stream === undefined) return undefined;
    const isNew = this.#runs.requestStop(stream);
    const head = headOf(stream); // before the owner hears of it: it may end the run at once
    if (isNew) this.#notify(stream);
    return head;
  }

  async reap(): Promise<readonly string[]> {
    const now = this.#clock.now();
    const names: string[] = [];
    for (const stream of this.#streams.values()) {
      if (stream.expiresAtMs <= now) this.#drop(stream);
      else if (this.#runs.reap(stream)) names.push(stream.name);
    }
    this.#runs.dropLeases(this.#streams.values());
    return names;
  }

  watch(listener: (change: Change) => void): () => void {
    const own = (change: Change): void => listener(change); // so that one listener can be added twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  #make(name: string, config: StreamConfig): MemoryStream {
    checkName(name);
    const start = Math.max(this.#clock.now(), this.#floor);
    const stream: MemoryStream = {
      name,
      config,
      items: [],
      start,
      tail: start,
      bytes: 0,
      end: undefined,
      expiresAtMs: Infinity,
      producers: new Map(),
      owner: undefined,
      epoch: 0,
      stopRequested: false,
      carryOn: undefined,
      releasedAtMs: undefined,
      tries: undefined,
    };
    this.#touch(stream);
    this.#streams.set(name, stream);
    this.#notify(stream);
    return stream;
  }

  #find(name: string): MemoryStream | undefined {
    const stream = this.#streams.get(name);
    if (stream === undefined || stream.expiresAtMs > this.#clock.now()) return stream;
    this.#drop(stream);
    return undefined;
  }

  #get(name: string): MemoryStream {
    const stream = this.#find(name);
    if (stream === undefined)
      throw new TailraceError("stream_unknown", `There is no stream named ${JSON.stringify(name)}.`);
    return stream;
  }

  #drop(stream: MemoryStream): void {
    this.#floor = Math.max(this.#floor, stream.tail + 1);
    this.#streams.delete(stream.name);
    this.#emit({ name: stream.name, tail: undefined, ended: true, stopRequested: false });
  }

  #touch(stream: MemoryStream): void {
    if (stream.config.ttlMs !== undefined) stream.expiresAtMs = this.#clock.now() + stream.config.ttlMs;
  }

  #trim(stream: MemoryStream): void {
    const { maxItems = Infinity, maxBytes = Infinity, maxAgeMs = Infinity } = stream.config;
    const oldestMs = this.#clock.now() - maxAgeMs;
    let gone = 0;
    for (const item of stream.items) {
      const left = stream.items.length - gone;
      const tooMany = left > maxItems || (stream.bytes > maxBytes && left > 1);
      if (!tooMany && item.atMs >= oldestMs) break;
      stream.bytes -= item.bytes;
      gone++;
    }
    if (gone === 0) return;
    stream.items.splice(0, gone);
    stream.start += gone;
  }

  #notify(stream: MemoryStream): void {
    this.#emit({
      name: stream.name,
      tail: offsetOf(stream.tail),
      ended: stream.end !== undefined,
      stopRequested: stream.stopRequested,
      released: stream.releasedAtMs !== undefined && stream.end === undefined,
    });
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function headOf(stream: MemoryStream): StreamHead {
  const { owner, epoch, stopRequested, carryOn } = stream;
  return {
    name: stream.name,
    contentType: stream.config.contentType ?? JSON_TYPE,
    start: offsetOf(stream.start),
    tail: offsetOf(stream.tail),
    end: stream.end,
    run: owner === undefined ? undefined : { owner, epoch, stopRequested, carryOn: carryOn?.kind },
  };
}

function claimOf(stream: MemoryStream, claimed: boolean): Claim {
  return { claimed, epoch: stream.epoch, head: headOf(stream) };
}
