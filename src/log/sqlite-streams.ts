// What is done to the tables of the SQLite store, inside a transaction that somebody else has begun.

import type { Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { checkName, decideAppend, JSON_TYPE, payloadBytes } from "./append-rules.ts";
import { offsetOf } from "./offset.ts";
import type { Statements, StreamRow } from "./sqlite-statements.ts";
import type { AppendOptions, AppendResult, Payload, StoredItem, StreamConfig } from "./store.ts";

export class StreamTables {
  readonly #sql: Statements;
  readonly #clock: Clock;

  constructor(sql: Statements, clock: Clock) {
    this.#sql = sql;
    this.#clock = clock;
  }

  /** The stream, unless its time to live is over: then its row goes when the name is used again, or with the next `sweep`. */
  find(name: string): StreamRow | undefined {
    const stream = this.#sql.findStream(name);
    const isExpired = stream?.expiresAt !== undefined && stream.expiresAt <= this.#clock.now();
    return isExpired ? undefined : stream;
  }

  /** @throws {TailraceError} `stream_unknown` */
  get(name: string): StreamRow {
    const stream = this.find(name);
    if (stream === undefined)
      throw new TailraceError("stream_unknown", `There is no stream named ${JSON.stringify(name)}.`);
    return stream;
  }

  /** @throws {TailraceError} `input_invalid` for a name that cannot be one */
  make(name: string, config: StreamConfig): StreamRow {
    checkName(name);
    const expired = this.#sql.findStream(name);
    if (expired !== undefined) this.drop(expired);
    const now = this.#clock.now();
    // Above every offset of a stream that was deleted, so that its old cursors stay recognisable.
    const start = Math.max(now, this.#sql.floor());
    const expiresAt = config.ttlMs === undefined ? null : now + config.ttlMs;
    const contentType = config.contentType ?? JSON_TYPE;
    this.#sql.insertStream.run(
      name,
      JSON.stringify(config),
      contentType,
      start,
      start,
      expiresAt,
      this.#sql.nextVersion(),
    );
    return this.get(name);
  }

  drop(stream: StreamRow): void {
    this.#sql.raiseFloor.run(stream.tail + 1);
    this.#sql.deleteItems.run(stream.id);
    this.#sql.deleteProducers.run(stream.id);
    this.#sql.deleteStream.run(stream.id);
    this.#sql.nextVersion();
  }

  /** @throws {TailraceError} what {@link decideAppend} throws, before anything is written */
  append(stream: StreamRow, payloads: readonly Payload[], options: AppendOptions): AppendResult {
    const sql = this.#sql;
    const { producer, end, release = false } = options;
    const before = offsetOf(stream.tail);
    const state = { ...stream, producer: producer && sql.producer(stream.id, producer.id) };
    if (decideAppend(state, payloads, options) === "duplicate") {
      this.touch(stream);
      return { items: [], before, tail: before, duplicate: true, end: stream.end };
    }
    const nowMs = this.#clock.now();
    const items: StoredItem[] = [];
    let { tail, bytes } = stream;
    for (const payload of payloads) {
      const size = payloadBytes(payload);
      sql.insertItem.run(stream.id, ++tail, nowMs, size, payload);
      bytes += size;
      items.push({ offset: offsetOf(tail), payload });
    }
    if (producer !== undefined) sql.setProducer.run(stream.id, producer.id, producer.epoch, producer.seq);
    const kept = this.#trim({ ...stream, tail, bytes });
    const version = sql.nextVersion();
    sql.setTail.run(kept.start, tail, kept.bytes, version, stream.id);
    if (end !== undefined) sql.setEnd.run(end.reason, end.message ?? null, version, stream.id);
    else if (release) sql.setReleased.run(nowMs, stream.id);
    this.touch(stream);
    return { items, before, tail: offsetOf(tail), duplicate: false, end };
  }

  /** Renews the time to live, if it has one. */
  touch(stream: StreamRow): void {
    if (stream.config.ttlMs !== undefined) this.#sql.setExpiry.run(this.#clock.now() + stream.config.ttlMs, stream.id);
  }

  /** Items from before this moment count as gone; 0 where age does not matter. */
  oldestMs(stream: StreamRow): number {
    return stream.config.maxAgeMs === undefined ? 0 : Math.max(0, this.#clock.now() - stream.config.maxAgeMs);
  }

  /** The place before the first item that is kept, by age too: too old ones count as gone before an append removes them. */
  startOf(stream: StreamRow): number {
    const oldestMs = this.oldestMs(stream);
    if (oldestMs === 0) return stream.start;
    return (this.#sql.firstSince(stream.id, oldestMs) ?? stream.tail + 1) - 1;
  }

  /** Removes what retention no longer keeps. */
  #trim(stream: StreamRow): { start: number; bytes: number } {
    let { start, bytes } = stream;
    const { maxItems = Infinity, maxBytes = Infinity } = stream.config;
    const oldestMs = this.oldestMs(stream);
    const isOver = (): boolean => stream.tail - start > maxItems || (bytes > maxBytes && stream.tail - start > 1);
    if (!isOver() && oldestMs === 0) return { start, bytes };
    for (const row of this.#sql.oldest.iterate(stream.id)) {
      if (!isOver() && (row["at"] as number) >= oldestMs) break;
      start = row["sequence"] as number;
      bytes -= row["size"] as number;
    }
    if (start > stream.start) this.#sql.trimItems.run(stream.id, start);
    return { start, bytes };
  }
}
