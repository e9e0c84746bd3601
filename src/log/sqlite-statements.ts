// The SQL of the SQLite store, prepared once, with rows turned into the store's own shapes.

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { End, EndReason } from "../wire/format.ts";
import { offsetOf } from "./offset.ts";
import type { Tries } from "./run-rules.ts";
import type { CarryOn, Payload, StreamConfig, StreamHead } from "./store.ts";

/** A row of the table `streams`. */
export interface StreamRow {
  readonly id: number;
  readonly name: string;
  readonly config: StreamConfig;
  readonly contentType: string;
  readonly start: number;
  readonly tail: number;
  readonly bytes: number;
  readonly expiresAt: number | undefined;
  readonly end: End | undefined;
  readonly owner: string | undefined;
  readonly epoch: number;
  readonly stopRequested: boolean;
  readonly carryOn: CarryOn | undefined;
  readonly releasedAtMs: number | undefined;
  readonly tries: Tries | undefined;
}

export interface ItemRow {
  readonly sequence: number;
  readonly size: number;
  readonly payload: Payload;
}

const STREAM_COLUMNS = `id, name, config, content_type, start, tail, bytes, expires_at, end_reason, end_message,
  streams.owner, epoch, stop_requested, carry_on, carry_within, released_at, tries, tries_tail`;

/** Runs without a living owner, as of the first parameter. The lease tells when it died, so it is kept as long as such a run. */
const ORPHANS = `streams LEFT JOIN leases ON leases.owner = streams.owner
  WHERE streams.owner IS NOT NULL AND end_reason IS NULL AND (released_at IS NOT NULL OR coalesce(until, 0) <= ?)`;
/** Until when they wait to be carried on. */
const WAITS_UNTIL = "coalesce(released_at, until, 0) + coalesce(carry_within, 0)";

/** Every statement by name. */
export class Statements {
  readonly findStream: (name: string) => StreamRow | undefined;
  readonly changedSince: (version: number) => readonly StreamRow[];
  readonly runsOf: (owner: string) => readonly { readonly name: string; readonly stopRequested: boolean }[];
  readonly expired: (nowMs: number) => readonly StreamRow[];
  /** Runs that must end. */
  readonly due: (nowMs: number) => readonly StreamRow[];
  /** Runs of these kinds (a JSON array) that wait to be carried on. */
  readonly waiting: (nowMs: number, kinds: string, limit: number) => readonly StreamRow[];
  readonly leaseOf: (owner: string) => number | undefined;
  readonly items: (stream: number, after: number, atLeastMs: number, limit: number) => Iterable<ItemRow>;
  readonly firstSince: (stream: number, atLeastMs: number) => number | undefined;
  readonly producer: (stream: number, id: string) => { epoch: number; seq: number } | undefined;
  readonly version: () => number;
  readonly floor: () => number;

  readonly insertStream: StatementSync;
  readonly deleteStream: StatementSync;
  readonly deleteItems: StatementSync;
  readonly deleteProducers: StatementSync;
  readonly raiseFloor: StatementSync;
  readonly insertItem: StatementSync;
  readonly oldest: StatementSync;
  readonly trimItems: StatementSync;
  readonly setProducer: StatementSync;
  readonly setTail: StatementSync;
  readonly setEnd: StatementSync;
  readonly setExpiry: StatementSync;
  readonly setOwner: StatementSync;
  readonly setCarryOn: StatementSync;
  readonly setReleased: StatementSync;
  readonly setStop: StatementSync;
  readonly setLease: StatementSync;
  readonly dropLeases: StatementSync;

  readonly #nextVersion: StatementSync;

  constructor(database: DatabaseSync) {
    const get = (sql: string): ((...values: (string | number)[]) => Row | undefined) => {
      const statement = database.prepare(sql);
      return (...values) => statement.get(...values);
    };
    const all = (sql: string): ((...values: (string | number)[]) => StreamRow[]) => {
      const statement = database.prepare(sql);
      return (...values) => statement.all(...values).map((row) => toStream(row as Row));
    };
    const run = (sql: string): StatementSync => database.prepare(sql);

    const byName = get(`SELECT ${STREAM_COLUMNS} FROM streams WHERE name = ?`);
    this.findStream = (name) => {
      const row = byName(name);
      return row && toStream(row);
    };
    this.changedSince = all(`SELECT ${STREAM_COLUMNS} FROM streams WHERE version > ? ORDER BY version`);
    // With every beat, for every run of the process: no more columns than the beat tells.
    const runs = database.prepare(
      "SELECT name, stop_requested FROM streams WHERE owner = ? AND end_reason IS NULL AND released_at IS NULL",
    );
    this.runsOf = (owner) =>
      runs.all(owner).map((row) => ({ name: row["name"] as string, stopRequested: row["stop_requested"] === 1 }));
    this.expired = all(`SELECT ${STREAM_COLUMNS} FROM streams WHERE expires_at <= ? LIMIT 100`);
    const due = all(`SELECT ${STREAM_COLUMNS} FROM ${ORPHANS} AND (stop_requested = 1 OR ${WAITS_UNTIL} <= ?)`);
    this.due = (nowMs) => due(nowMs, nowMs);
    const waiting = all(
      `SELECT ${STREAM_COLUMNS} FROM ${ORPHANS} AND stop_requested = 0 AND ${WAITS_UNTIL} > ?
         AND carry_on IN (SELECT value FROM json_each(?)) LIMIT ?`,
    );
    this.waiting = (nowMs, kinds, limit) => waiting(nowMs, nowMs, kinds, limit);
    const lease = get("SELECT until FROM leases WHERE owner = ?");
    this.leaseOf = (owner) => lease(owner)?.["until"] as number | undefined;
    const items = database.prepare(
      "SELECT sequence, size, payload FROM items WHERE stream = ? AND sequence > ? AND at >= ? ORDER BY sequence LIMIT ?",
    );
    this.items = (...values) => items.iterate(...values) as unknown as Iterable<ItemRow>;
    const first = get("SELECT sequence FROM items WHERE stream = ? AND at >= ? ORDER BY sequence LIMIT 1");
    this.firstSince = (...values) => first(...values)?.["sequence"] as number | undefined;
    const producer = get("SELECT epoch, seq FROM producers WHERE stream = ? AND producer = ?");
    this.producer = (...values) => producer(...values) as { epoch: number; seq: number } | undefined;
    const counter = get("SELECT value FROM counters WHERE name = ?");
    this.version = () => Number(counter("version")?.["value"]);
    this.floor = () => Number(counter("floor")?.["value"]);
    this.#nextVersion = run("UPDATE counters SET value = value + 1 WHERE name = 'version' RETURNING value");

    this.insertStream = run(
      `INSERT INTO streams (name, config, content_type, start, tail, expires_at, version) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.deleteStream = run("DELETE FROM streams WHERE id = ?");
    this.deleteItems = run("DELETE FROM items WHERE stream = ?");
    this.deleteProducers = run("DELETE FROM producers WHERE stream = ?");
    this.raiseFloor = run("UPDATE counters SET value = max(value, ?) WHERE name = 'floor'");
    this.insertItem = run("INSERT INTO items (stream, sequence, at, size, payload) VALUES (?, ?, ?, ?, ?)");
    this.oldest = run("SELECT sequence, at, size FROM items WHERE stream = ? ORDER BY sequence");
    this.trimItems = run("DELETE FROM items WHERE stream = ? AND sequence <= ?");
    this.setProducer = run(
      "INSERT INTO producers VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq",
    );
    this.setTail = run("UPDATE streams SET start = ?, tail = ?, bytes = ?, version = ? WHERE id = ?");
    this.setEnd = run("UPDATE streams SET end_reason = ?, end_message = ?, version = ? WHERE id = ?");
    this.setExpiry = run("UPDATE streams SET expires_at = ? WHERE id = ?");
    this.setOwner = run(
      `UPDATE streams SET owner = ?, epoch = epoch + 1, released_at = NULL, tries = ?, tries_tail = ?, version = ? WHERE id = ?`,
    );
    this.setCarryOn = run("UPDATE streams SET carry_on = ?, carry_within = ? WHERE id = ?");
    this.setReleased = run("UPDATE streams SET epoch = epoch + 1, released_at = ? WHERE id = ?");
    this.setStop = run("UPDATE streams SET stop_requested = 1, version = ? WHERE id = ?");
    this.setLease = run("INSERT INTO leases VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until");
    this.dropLeases = run(
      `DELETE FROM leases WHERE until <= ?
         AND owner NOT IN (SELECT owner FROM streams WHERE owner IS NOT NULL AND end_reason IS NULL)`,
    );
  }

  /** A number above every earlier one: what a change is marked with, so that others find it by one indexed query. */
  nextVersion(): number {
    return Number(this.#nextVersion.get()?.["value"]);
  }
}

type Row = Readonly<Record<string, unknown>>;

function toStream(row: Row): StreamRow {
  return {
    id: row["id"] as number,
    name: row["name"] as string,
    config: JSON.parse(row["config"] as string) as StreamConfig,
    contentType: row["content_type"] as string,
    start: row["start"] as number,
    tail: row["tail"] as number,
    bytes: row["bytes"] as number,
    expiresAt: (row["expires_at"] as number | null) ?? undefined,
    end: toEnd(row["end_reason"] as EndReason | null, row["end_message"] as string | null),
    owner: (row["owner"] as string | null) ?? undefined,
    epoch: row["epoch"] as number,
    stopRequested: row["stop_requested"] === 1,
    carryOn: toCarryOn(row["carry_on"] as string | null, row["carry_within"] as number | null),
    releasedAtMs: (row["released_at"] as number | null) ?? undefined,
    tries: toTries(row["tries"] as number | null, row["tries_tail"] as number | null),
  };
}

function toCarryOn(kind: string | null, withinMs: number | null): CarryOn | undefined {
  return kind === null || withinMs === null ? undefined : { kind, withinMs };
}

function toTries(count: number | null, tail: number | null): Tries | undefined {
  return count === null || tail === null ? undefined : { count, tail };
}

function toEnd(reason: EndReason | null, message: string | null): End | undefined {
  if (reason === null) return undefined;
  return message === null ? { reason } : { reason, message };
}

export function toHead(row: StreamRow, start: number = row.start): StreamHead {
  const { owner, epoch, stopRequested, carryOn } = row;
  return {
    name: row.name,
    contentType: row.contentType,
    start: offsetOf(start),
    tail: offsetOf(row.tail),
    end: row.end,
    run: owner === undefined ? undefined : { owner, epoch, stopRequested, carryOn: carryOn?.kind },
  };
}
