// Items in, chunks of bytes out: what is ready together leaves as one chunk, a silent source sends heartbeats, and every
// way out (done, error, reader gone, shutdown) releases the source and the timers.

import { afterTurn, type Clock } from "../clock.ts";
import { Pump, type Sink } from "./pump.ts";
import { DONE, type Pull } from "./source.ts";

/** A chunk is sent once it holds this many characters, even if more is ready. 65,536 characters. */
export const CHUNK_CHARS = 65_536;

/** How items become text, and what is written around them. */
export interface ChunkWriter<T> {
  /** Sent at once, before the source is opened. May be empty: an empty first chunk still makes a host send its headers. */
  readonly open: string;
  encode(item: T): string;
  /** Written when the source has ended. */
  close(): string;
  /** Written when the source has failed, or undefined to cut the connection instead. */
  fail(error: unknown): string | undefined;
  /** Whether the connection is cut behind the text of `fail` too, for readers that do not know it. Default false. */
  readonly cutsAfterFail?: boolean | undefined;
  /** Sent after `heartbeatMs` milliseconds of silence; undefined for a format that has no room for it. */
  readonly heartbeat: string | undefined;
  readonly heartbeatMs: number;
}

type Chunk = Uint8Array<ArrayBuffer>;
type ChunkResult = IteratorResult<Chunk, undefined>;

const encoder = new TextEncoder();

/** Pulls `source` through `writer`. The source is pulled only while somebody waits for a chunk. */
export class Chunks<T> implements Pull<Chunk>, Sink<T> {
  readonly #source: Pull<T>;
  readonly #writer: ChunkWriter<T>;
  readonly #clock: Clock;
  readonly #pump: Pump<T>;

  #text = "";
  #waiter: { resolve(result: ChunkResult): void; reject(error: unknown): void } | undefined;
  /** Whether a `next` of ours is being answered, before it becomes a waiter. */
  #isAsked = false;
  #started = false;
  #ended = false;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;
  #onFinish: (() => void) | undefined;

  #cancelFlush: (() => void) | undefined;
  /** Whether a full chunk has left in this turn of the event loop: the next one waits, so that others get their turn. */
  #turnUsed = false;
  #cancelTurn: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #lastChunkAt = 0;

  constructor(source: Pull<T>, writer: ChunkWriter<T>, clock: Clock, onFinish?: () => void) {
    this.#source = source;
    this.#writer = writer;
    this.#clock = clock;
    this.#pump = new Pump(source, this);
    this.#onFinish = onFinish;
  }

  next(): ChunkResult | Promise<ChunkResult> {
    if (!this.#started) {
      this.#started = true;
      if (this.#closed) return DONE;
      this.#armHeartbeat(this.#writer.heartbeatMs);
      return this.#chunk(this.#writer.open);
    }
    if (!this.#turnUsed) {
      this.#isAsked = true;
      this.#pump.run();
      this.#isAsked = false;
    }
    const isCut = this.#failure !== undefined && this.#text === "";
    if (this.#full() && !isCut) return this.#take();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      // A host that is told of the cut drops what it has not written yet: it gets this turn to do so.
      if (isCut) this.#cancelFlush = afterTurn(() => this.#settle());
      else if (this.#text !== "") this.#flushAfterTurn();
    });
  }

  /** Ends the reply in good order although the source goes on: writes `text`, then ends. Used at shutdown. */
  finish(text: string): void {
    if (this.#ended || this.#closed) return;
    this.#text += text;
    this.#end();
    this.#settle();
  }

  /** Cuts the reply: the reader gets an error and no end. */
  cut(error: unknown): void {
    if (this.#ended || this.#closed) return;
    this.#failure = { error };
    this.#end();
    this.#settle();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#text = "";
    this.#failure = undefined;
    this.#end();
    this.#settle();
  }

  wants(): boolean {
    return !this.#full() && (this.#isAsked || this.#waiter !== undefined);
  }

  take(result: IteratorResult<T, undefined>): void {
    if (this.#ended) return;
    try {
      if (result.done === true) {
        this.#text += this.#writer.close();
        this.#end();
      } else {
        this.#text += this.#writer.encode(result.value);
        // Only now that something waits: what comes in the rest of this turn goes with it.
        if (this.#waiter !== undefined) this.#flushAfterTurn();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  arrived(): void {
    if (this.#full()) this.#settle();
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    const text = this.#writer.fail(error);
    if (text !== undefined) this.#text += text;
    if (text === undefined || this.#writer.cutsAfterFail === true) this.#failure = { error };
    this.#end();
  }

  /** No more items: releases the source and every timer. What is written already still goes out. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelHeartbeat?.();
    this.#cancelTurn?.();
    this.#cancelFlush?.();
    this.#cancelHeartbeat = this.#cancelTurn = this.#cancelFlush = undefined;
    this.#turnUsed = false;
    this.#source.close();
    this.#onFinish?.();
    this.#onFinish = undefined;
  }

  #full(): boolean {
    return this.#ended || this.#text.length >= CHUNK_CHARS;
  }

  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#waiter = undefined;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    try {
      waiter.resolve(this.#take());
    } catch (error) {
      waiter.reject(error);
    }
  }

  /** The chunk that is due. @throws the failure of a source whose format cannot tell it in band. */
  #take(): ChunkResult {
    if (this.#text !== "") {
      const text = this.#text;
      this.#text = "";
      if (!this.#ended && text.length >= CHUNK_CHARS) this.#useTurn();
      return this.#chunk(text);
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    return DONE;
  }

  #chunk(text: string): ChunkResult {
    this.#lastChunkAt = this.#clock.now();
    return { done: false, value: encoder.encode(text) };
  }

  /** Sends what is there at the end of this turn, so that all that becomes ready in it goes together. */
  #flushAfterTurn(): void {
    if (this.#cancelFlush !== undefined || this.#turnUsed) return;
    this.#cancelFlush = afterTurn(() => {
      this.#cancelFlush = undefined;
      if (this.#text !== "") this.#settle();
    });
  }

  #useTurn(): void {
    this.#turnUsed = true;
    this.#cancelTurn = afterTurn(() => {
      this.#turnUsed = false;
      this.#cancelTurn = undefined;
      if (this.#waiter === undefined) return;
      this.#pump.run();
      if (this.#full()) this.#settle();
      else if (this.#text !== "") this.#flushAfterTurn();
    });
  }

  /** One timer per reply, re-armed when it fires: a timer per item would cost more than the item. */
  #armHeartbeat(delayMs: number): void {
    const { heartbeat, heartbeatMs } = this.#writer;
    if (heartbeat === undefined) return;
    this.#cancelHeartbeat = this.#clock.after(delayMs, () => {
      const silentMs = this.#clock.now() - this.#lastChunkAt;
      // A clock that was set back must not stop the heartbeat.
      const restMs = silentMs < 0 ? 0 : heartbeatMs - silentMs;
      if (restMs <= 0 && this.#waiter !== undefined && this.#text === "") {
        this.#text = heartbeat;
        this.#settle();
      }
      this.#armHeartbeat(restMs > 0 ? restMs : heartbeatMs);
    });
  }
}
