// Files of earlier schemas: they open, keep what they hold, and can do what is new.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { offsetOf } from "./offset.ts";
import { openDatabase, SCHEMA_VERSION } from "./sqlite-schema.ts";
import { sqliteStore } from "./sqlite.ts";

/** The tables as version 1 made them. */
const SCHEMA_1 = `
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, config TEXT NOT NULL, content_type TEXT NOT NULL,
    start INTEGER NOT NULL, tail INTEGER NOT NULL, bytes INTEGER NOT NULL DEFAULT 0, expires_at INTEGER,
    end_reason TEXT, end_message TEXT, owner TEXT, epoch INTEGER NOT NULL DEFAULT 0,
    stop_requested INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX streams_by_version ON streams (version);
  CREATE INDEX streams_by_expiry ON streams (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX streams_by_owner ON streams (owner) WHERE owner IS NOT NULL AND end_reason IS NULL;
  CREATE TABLE items (
    stream INTEGER NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL,
    payload ANY NOT NULL, PRIMARY KEY (stream, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE producers (
    stream INTEGER NOT NULL, producer TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (stream, producer)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE leases (owner TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counters VALUES ('version', 3), ('floor', 0);
  PRAGMA application_id = 1952541036;
  PRAGMA user_version = 1;`;

const clock = createManualClock();
const START = clock.now();
const LEASE_MS = 5_000;
let folder: string;
let path: string;
let old: DatabaseSync;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-migration-"));
  path = join(folder, "streams.db");
  old = new DatabaseSync(path);
  old.exec("PRAGMA journal_mode = WAL");
  old.exec(SCHEMA_1);
  const insert = old.prepare(
    `INSERT INTO streams (id, name, config, content_type, start, tail, bytes, end_reason, owner, epoch, version)
       VALUES (?, ?, '{}', 'application/json', ?, ?, ?, ?, ?, ?, ?)`,
  );
  insert.run(1, "ended", START, START + 2, 2, "completed", "gone", 1, 1);
  insert.run(2, "running", START, START, 0, null, "living", 1, 2);
  insert.run(3, "orphan", START, START, 0, null, "dead", 1, 3);
  const item = old.prepare("INSERT INTO items VALUES (1, ?, ?, 1, ?)");
  item.run(START + 1, START, "1");
  item.run(START + 2, START, "2");
  old.prepare("INSERT INTO leases VALUES (?, ?), (?, ?)").run("living", START + LEASE_MS, "dead", START - 1);
});
afterEach(async () => {
  if (old.isOpen) old.close();
  await rm(folder, { recursive: true });
});

describe("sqliteStore() over a file of schema 1", () => {
  test("brings it up to date once, and keeps its streams, items, ends and runs", async () => {
    old.close();
    for (const round of [1, 2]) {
      const store = sqliteStore(path, { clock });
      const { items, head } = await store.read("ended", offsetOf(START), { maxItems: 10, maxBytes: 100 });
      expect(items.map((item) => item.payload)).toEqual(["1", "2"]);
      expect(head).toMatchObject({ end: { reason: "completed" }, run: { owner: "gone", epoch: 1 } });
      expect(head.run!.carryOn).toBeUndefined();
      // A run from before can not be carried on: it ends as it would have ended.
      expect(await store.reap(), `round ${round}`).toEqual(round === 1 ? ["orphan"] : []);
      expect((await store.beat("living", LEASE_MS)).owned).toEqual(["running"]);
      await store.close();
    }
    const database = openDatabase(path, "process");
    expect(database.prepare("PRAGMA user_version").get()!["user_version"]).toBe(SCHEMA_VERSION);
    database.close();
  });

  test("can carry runs on afterwards", async () => {
    old.close();
    const store = sqliteStore(path, { clock });
    await store.claim("new", "a", LEASE_MS, {}, { kind: "k", withinMs: 1_000 });
    await store.append("new", ["1"], { epoch: 1, release: true });
    expect(await store.orphans(["k"])).toEqual(["new"]);
    expect((await store.takeOver("new", "b", LEASE_MS)).claimed).toBe(true);
    await store.close();
  });

  test("leaves a process of the version before, which has it open, at work", async () => {
    // What version 1 writes: a beat, an append, and its search for dead owners.
    const beat = old.prepare("INSERT INTO leases VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until");
    const item = old.prepare("INSERT INTO items (stream, sequence, at, size, payload) VALUES (?, ?, ?, ?, ?)");
    const tail = old.prepare("UPDATE streams SET start = ?, tail = ?, bytes = ?, version = ? WHERE id = ?");
    const orphans = old.prepare(
      `SELECT name FROM streams WHERE owner IS NOT NULL AND end_reason IS NULL
         AND owner NOT IN (SELECT owner FROM leases WHERE until > ?)`,
    );
    beat.run("living", START + LEASE_MS);
    const store = sqliteStore(path, { clock });
    await store.open();
    beat.run("living", START + 2 * LEASE_MS);
    item.run(2, START + 1, START, 1, "7");
    tail.run(START, START + 1, 1, 4, 2);
    expect(orphans.all(START).map((row) => row["name"])).toEqual(["orphan"]);
    const { items } = await store.read("running", offsetOf(START), { maxItems: 10, maxBytes: 100 });
    expect(items.map((each) => each.payload)).toEqual(["7"]);
    await store.close();
  });
});
