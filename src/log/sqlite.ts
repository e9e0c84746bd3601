// The default store: one SQLite file, shared by the processes of one host. An append, its producer's state, its fence and
// its end are one transaction.

import type { DatabaseSync } from "node:sqlite";
import { resolve } from "node:path";
import { systemClock, type Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { checkCursor, checkSameConfig } from "./append-rules.ts";
import { offsetOf, type Offset } from "./offset.ts";
import { checkCarryOn } from "./run-rules.ts";
import { Committer } from "./sqlite-commit.ts";
import { RunTables } from "./sqlite-runs.ts";
import { openDatabase, workError, type Durability } from "./sqlite-schema.ts";
import { Statements, toHead } from "./sqlite-statements.ts";
import { StreamTables } from "./sqlite-streams.ts";
import { watchForeignCommits } from "./sqlite-wake.ts";
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

export interface SqliteStoreOptions {
  /**
   * What an acknowledged append has survived. `process` (default): the death of this process, by `kill -9` too; a power cut may lose the last
   * moments, never the order. `disk`: a power cut as well, at the price of one sync per commit.
   */
  readonly durability?: Durability | undefined;
  readonly clock?: Clock | undefined;
}

/** A store in the SQLite file at `path` (WAL mode), made at first use. Needs the built-in `node:sqlite`. */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): Store {
  return new SqliteStore(resolve(path), options);
}

interface Opened {
  readonly database: DatabaseSync;
  readonly sql: Statements;
  readonly tables: StreamTables;
  readonly runs: RunTables;
  readonly committer: Committer;
}

class SqliteStore implements Store {
  readonly kind = "sqlite";
  readonly key: string;
  readonly #path: string;
  readonly #durability: Durability;
  readonly #clock: Clock;
  readonly #listeners = new Set<(change: Change) => void>();
  #opened: Opened | undefined;
  #closed = false;
  #stopWatching: (() => void) | undefined;
  /** Changes up to this version have been told to the listeners. */
  #toldVersion = 0;

  constructor(path: string, options: SqliteStoreOptions) {
    this.#path = path;
    this.key = `sqlite:${path}`;
    this.#durability = options.durability ?? "process";
    this.#clock = options.clock ?? systemClock;
  }

  async open(): Promise<void> {
    this.#open();
  }

  create(name: string, config: StreamConfig = {}): Promise<{ created: boolean; head: StreamHead }> {
    return this.#write(({ tables }) => {
      const kept = tables.find(name);
      if (kept === undefined) return { created: true, head: toHead(tables.make(name, config)) };
      checkSameConfig(name, kept.config, config);
      return { created: false, head: toHead(kept) };
    });
  }

  append(name: string, payloads: readonly Payload[], options: AppendOptions = {}): Promise<AppendResult> {
    return this.#write(({ tables }) => tables.append(tables.get(name), payloads, options));
  }

  async read(name: string, after: Offset, limits: ReadLimits): Promise<ReadResult> {
    const { sql, tables } = this.#open();
    const { config } = this.#guard(() => tables.get(name));
    if (config.ttlMs !== undefined) await this.#write(() => tables.touch(tables.get(name)));
    return this.#snapshot(() => {
      const stream = tables.get(name);
      const oldestMs = tables.oldestMs(stream);
      const start = tables.startOf(stream);
      const from = checkCursor(name, after, start, stream.tail);
      const items: StoredItem[] = [];
      let bytes = 0;
      let last = from;
      for (const { sequence, size, payload } of sql.items(stream.id, from, oldestMs, limits.maxItems)) {
        bytes += size;
        if (items.length > 0 && bytes > limits.maxBytes) break;
        items.push({ offset: offsetOf(sequence), payload });
        last = sequence;
      }
      return { items, head: toHead(stream, start), upToDate: last === stream.tail };
    });
  }

  async head(name: string): Promise<StreamHead | undefined> {
    const { tables } = this.#open();
    return this.#snapshot(() => {
      const stream = tables.find(name);
      return stream && toHead(stream, tables.startOf(stream));
    });
  }

  async offsetBeforeLast(name: string, lastItems: number): Promise<Offset> {
    const { tables } = this.#open();
    return this.#snapshot(() => {
      const stream = tables.get(name);
      return offsetOf(Math.max(tables.startOf(stream), stream.tail - lastItems));
    });
  }

  delete(name: string): Promise<boolean> {
    return this.#write(({ tables }) => {
      const stream = tables.find(name);
      if (stream !== undefined) tables.drop(stream);
      return stream !== undefined;
    }).then((deleted) => {
      // A row that is gone has no version to be found by. Other processes notice at their next read.
      if (deleted) this.#emit({ name, tail: undefined, ended: true, stopRequested: false });
      return deleted;
    });
  }

  async claim(
    name: string,
    owner: string,
    leaseMs: number,
    config: StreamConfig = {},
    carryOn?: CarryOn,
  ): Promise<Claim> {
    checkCarryOn(carryOn);
    return this.#write(({ runs }) => runs.claim(name, owner, leaseMs, config, carryOn));
  }

  takeOver(name: string, owner: string, leaseMs: number): Promise<Claim> {
    return this.#write(({ runs }) => runs.takeOver(name, owner, leaseMs));
  }

  async orphans(kinds: readonly string[]): Promise<readonly string[]> {
    const { runs } = this.#open();
    return this.#guard(() => runs.orphans(kinds));
  }

  beat(owner: string, leaseMs: number): Promise<Beat> {
    return this.#write(({ runs }) => runs.beat(owner, leaseMs));
  }

  requestStop(name: string): Promise<StreamHead | undefined> {
    return this.#write(({ runs }) => runs.requestStop(name));
  }

  async reap(): Promise<readonly string[]> {
    const { runs } = this.#open();
    // Looked for without a write first: this is called often, and almost always there is nothing.
    if (this.#guard(() => runs.isQuiet())) return [];
    return this.#write(() => runs.reap());
  }

  watch(listener: (change: Change) => void): () => void {
    const { database, sql } = this.#open();
    const own = (change: Change): void => listener(change); // so that one listener can be added twice
    if (this.#listeners.size === 0) {
      this.#toldVersion = sql.version();
      this.#stopWatching = watchForeignCommits(database, this.#path, () => this.#tell());
    }
    this.#listeners.add(own);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#unwatch();
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    this.#unwatch();
    this.#opened?.committer.flush();
    this.#opened?.database.close();
  }

  #open(): Opened {
    if (this.#closed) throw new TailraceError("closed", `The store ${this.#path} was closed.`);
    if (this.#opened !== undefined) return this.#opened;
    const database = openDatabase(this.#path, this.#durability);
    const committer = new Committer(database, this.#path, () => this.#tell());
    const sql = new Statements(database);
    const tables = new StreamTables(sql, this.#clock);
    this.#opened = { database, sql, tables, runs: new RunTables(sql, tables, this.#clock), committer };
    return this.#opened;
  }

  async #write<T>(work: (opened: Opened) => T): Promise<T> {
    const opened = this.#open();
    return opened.committer.submit(() => work(opened));
  }

  /** Reads what belongs together as of one moment, whatever other processes write meanwhile. */
  #snapshot<T>(read: () => T): T {
    const { database } = this.#open();
    return this.#guard(() => {
      database.exec("BEGIN");
      try {
        return read();
      } finally {
        database.exec("COMMIT");
      }
    });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw workError(error, this.#path);
    }
  }

  /** Tells the listeners what has changed since they were last told, whoever changed it. */
  #tell(): void {
    if (this.#listeners.size === 0 || this.#opened === undefined) return;
    const { sql } = this.#opened;
    const upTo = sql.version();
    if (upTo === this.#toldVersion) return;
    const changed = sql.changedSince(this.#toldVersion);
    this.#toldVersion = upTo;
    for (const { name, tail, end, stopRequested, releasedAtMs } of changed) {
      const released = releasedAtMs !== undefined && end === undefined;
      this.#emit({ name, tail: offsetOf(tail), ended: end !== undefined, stopRequested, released });
    }
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #unwatch(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }
}
