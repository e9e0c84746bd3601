// The store contract as types. docs/store-contract.md says it in words; src/testing/ checks it.

import type { End } from "../wire/format.ts";
import type { Offset } from "./offset.ts";

/** The most names that one call of `orphans` gives. */
export const MAX_ORPHANS = 100;

/** What an item holds: JSON text (a stream of `application/json`), or bytes. */
export type Payload = string | Uint8Array;

/** One item of a stream, as it is kept. */
export interface StoredItem {
  readonly offset: Offset;
  readonly payload: Payload;
}

/** What a stream is made with. Equal configurations make `create` idempotent. */
export interface StreamConfig {
  /** Default `application/json`: each item is one JSON text. Any other type: each item is a run of bytes. */
  readonly contentType?: string | undefined;
  /** Oldest items go when there are more than this. Default: no limit. */
  readonly maxItems?: number | undefined;
  /** Oldest items go when the payloads together are larger, in bytes. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** Items older than this go, in milliseconds. Default: no limit. */
  readonly maxAgeMs?: number | undefined;
  /** The stream goes this long after its last access (append or read), in milliseconds; exact on access. Default: never. */
  readonly ttlMs?: number | undefined;
}

/** A writer with a memory: the store drops what it has already written (`seq` seen) and refuses a replaced one (`epoch`). */
export interface Producer {
  readonly id: string;
  /** A new epoch replaces the old one and starts at `seq` 0. */
  readonly epoch: number;
  /** One number per append, from 0 in each epoch, without gaps. */
  readonly seq: number;
}

export interface AppendOptions {
  readonly producer?: Producer | undefined;
  /** The tail that the stream must have, else `conflict`. */
  readonly expect?: Offset | undefined;
  /** The epoch of the run that writes, else `fenced`. Without it, a stream that a run is writing can still be appended to. */
  readonly epoch?: number | undefined;
  /** Ends the stream, in the same step as the append. */
  readonly end?: End | undefined;
  /**
   * Gives the run up, in the same step as the append, so that another process may take it over at once. Needs `epoch`, which
   * is no good afterwards. With `end` there is nothing left to give up.
   */
  readonly release?: boolean | undefined;
}

export interface AppendResult {
  /** What was appended; empty for a duplicate. */
  readonly items: readonly StoredItem[];
  /** The tail before the append. */
  readonly before: Offset;
  /** The tail now. */
  readonly tail: Offset;
  readonly duplicate: boolean;
  readonly end: End | undefined;
}

/** A run as the store knows it. `epoch` 0: no run has ever written this stream. */
export interface RunHead {
  readonly owner: string;
  readonly epoch: number;
  readonly stopRequested: boolean;
  /** The kind of handler that may carry the run on when its owner dies or gives it up. */
  readonly carryOn?: string | undefined;
}

/** How a run may be carried on by another process. */
export interface CarryOn {
  /** The kind of handler it takes: 1 to 128 characters, none of them a control character. */
  readonly kind: string;
  /** How long it waits for one after its owner's lease ran out or was given up, in milliseconds: 0 to 604,800,000 (a week). */
  readonly withinMs: number;
}

export interface StreamHead {
  readonly name: string;
  readonly contentType: string;
  /** The place before the earliest item that is kept: reading after it gives everything there is. */
  readonly start: Offset;
  /** The offset of the last item, or `start` if there is none. */
  readonly tail: Offset;
  readonly end: End | undefined;
  readonly run: RunHead | undefined;
}

/** Bounds of one read. At least one item is given if there is one, however large. */
export interface ReadLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

export interface ReadResult {
  readonly items: readonly StoredItem[];
  readonly head: StreamHead;
  /** Whether the last of `items` is the last of the stream. */
  readonly upToDate: boolean;
}

/** What `claim` or `takeOver` found. */
export interface Claim {
  /** Whether the caller owns the run now. */
  readonly claimed: boolean;
  /** The run's epoch, which the owner's appends carry. */
  readonly epoch: number;
  readonly head: StreamHead;
}

/** How things stand with the runs of an owner, told at each heartbeat. */
export interface Beat {
  /** Runs of this owner that somebody asked to stop. */
  readonly stopRequested: readonly string[];
  /** Every run that the store holds this owner to be writing. One that is missing has been taken away. */
  readonly owned: readonly string[];
}

/** A hint that a stream has changed: items, its end, a stop request or its deletion. */
export interface Change {
  readonly name: string;
  /** The tail after the change; undefined if the stream is gone. */
  readonly tail: Offset | undefined;
  readonly ended: boolean;
  readonly stopRequested: boolean;
  /** Whether the run waits for a process that takes it over. */
  readonly released?: boolean | undefined;
  /** What was appended, where the store tells it at once: whoever has the items up to `before` need not read these. */
  readonly appended?: Pick<AppendResult, "before" | "items" | "end"> | undefined;
  /** Whether the store has lost items that it had: readers that have seen them are told of a gap when they look. */
  readonly wentBack?: boolean | undefined;
}

/**
 * Where streams are kept. Every method rejects with a {@link TailraceError}: `store_unavailable`, `store_newer` or
 * `store_damaged` besides those named here. Calls that are made in one order by one process take effect in that order.
 */
export interface Store {
  /** Shown by health checks: `memory`, `sqlite`, `redis`. */
  readonly kind: string;
  /** Equal for two store objects that keep their streams in the same place. */
  readonly key: string;
  /** Opens what must be opened, so that a faulty configuration shows at start. Every other call does it by itself. */
  open(): Promise<void>;
  /** Makes a stream unless it is there. @throws `stream_exists` if it is there with another configuration. */
  create(name: string, config?: StreamConfig): Promise<{ readonly created: boolean; readonly head: StreamHead }>;
  /**
   * Appends items and their side effects as one step: all of it is kept, or nothing.
   * @throws `stream_unknown`, `stream_closed`, `fenced`, `sequence_gap`, `conflict`, `input_invalid`
   */
  append(name: string, payloads: readonly Payload[], options?: AppendOptions): Promise<AppendResult>;
  /** The items after `after`. @throws `stream_unknown`; `gap` (details: asked, earliest, latest) */
  read(name: string, after: Offset, limits: ReadLimits): Promise<ReadResult>;
  head(name: string): Promise<StreamHead | undefined>;
  /** The offset after which the last `lastItems` items that are kept stand. @throws `stream_unknown` */
  offsetBeforeLast(name: string, lastItems: number): Promise<Offset>;
  /** @returns whether it was there */
  delete(name: string): Promise<boolean>;
  /** Makes `owner` the writer of the run `name`, unless there is or was one. The stream is made if need be. */
  claim(name: string, owner: string, leaseMs: number, config?: StreamConfig, carryOn?: CarryOn): Promise<Claim>;
  /**
   * The names of runs of these kinds that `takeOver` would give now: at most {@link MAX_ORPHANS}, at least one if there is
   * one. A run whose stop is asked for may be missing.
   */
  orphans(kinds: readonly string[]): Promise<readonly string[]>;
  /**
   * Makes `owner` the writer of a run that can be carried on and has lost its owner, under a new epoch, in one step. A run
   * that was asked to stop ends as `stopped` instead. @throws `stream_unknown`
   */
  takeOver(name: string, owner: string, leaseMs: number): Promise<Claim>;
  /** Keeps the lease of `owner` alive for `leaseMs` more milliseconds, and tells how its runs stand. */
  beat(owner: string, leaseMs: number): Promise<Beat>;
  /** Stores a wish to stop. @returns the head as it is now, or undefined if there is no such stream */
  requestStop(name: string): Promise<StreamHead | undefined>;
  /**
   * Ends every run whose owner's lease has run out: as `interrupted`, once the time is over in which it may be carried on;
   * as `stopped`, at once, if it could be carried on but was asked to stop. @returns their names
   */
  reap(): Promise<readonly string[]>;
  /** Calls `listener` after every change, by whichever process; hints may be late, doubled or lost. */
  watch(listener: (change: Change) => void): () => void;
  close(): Promise<void>;
}
