// What can be wrong with the file, and with other processes that hold it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Committer, MAX_WAITING_WRITES, MAX_WRITES_PER_COMMIT } from "./sqlite-commit.ts";
import { openDatabase, SCHEMA_VERSION } from "./sqlite-schema.ts";
import { sqliteStore } from "./sqlite.ts";
import { watchForeignCommits } from "./sqlite-wake.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-faults-"));
  path = join(folder, "streams.db");
});
afterEach(() => rm(folder, { recursive: true }));

describe("sqliteStore()", () => {
  test("makes the folder and the file at the first use, and not before", async () => {
    const store = sqliteStore(join(folder, "a/b/streams.db"));
    expect(existsSync(join(folder, "a"))).toBe(false);
    await store.open();
    expect(existsSync(join(folder, "a/b/streams.db"))).toBe(true);
    await store.close();
    await expect(store.head("s")).rejects.toMatchObject({ code: "closed" });
  });

  test("refuses a file of a newer schema and leaves it as it is", async () => {
    const database = openDatabase(path, "process");
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    const before = readFileSync(path);
    await expect(sqliteStore(path).open()).rejects.toMatchObject({
      code: "store_newer",
      message: expect.stringContaining(path),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test.each([
    ["text", Buffer.from("this is no database, but somebody's notes\n".repeat(200))],
    ["a cut header", Buffer.from("SQLite format 3\0garbage".repeat(300))],
  ])("refuses a file that is %s and leaves it as it is", async (_what, bytes) => {
    writeFileSync(path, bytes);
    const fault = { code: "store_damaged", message: expect.stringMatching(/restore it|move it away/) };
    await expect(sqliteStore(path).open()).rejects.toMatchObject(fault);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test("refuses another program's database and leaves it as it is", async () => {
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE mine (x)");
    other.close();
    const before = readFileSync(path);
    await expect(sqliteStore(path).open()).rejects.toMatchObject({
      code: "store_damaged",
      message: expect.stringContaining("another program"),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("says in one line why a file cannot be opened", async () => {
    writeFileSync(join(folder, "file"), "");
    mkdirSync(join(folder, "folder"));
    for (const bad of [join(folder, "file", "streams.db"), join(folder, "folder")]) {
      const error = await sqliteStore(bad)
        .open()
        .then(
          () => undefined,
          (reason: Error) => reason,
        );
      expect(error).toMatchObject({ code: "store_unavailable" });
      expect(error!.message).toContain(bad);
      expect(error!.message).not.toContain("\n");
    }
  });

  test("reads what an earlier object has written, after a process that never closed it", async () => {
    const first = sqliteStore(path);
    await first.create("s");
    const { tail } = await first.append("s", ["1"]);
    const second = sqliteStore(path);
    expect((await second.head("s"))!.tail).toBe(tail);
    await first.close();
    await second.close();
  });

  test("waits for another process that holds the file, without blocking the event loop, and keeps the order", async () => {
    const store = sqliteStore(path);
    await store.create("s");
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const writes = ["1", "2", "3"].map((payload) => store.append("s", [payload]));
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    await vi.waitFor(() => expect(turns).toBeGreaterThan(5));
    clearInterval(count);
    other.exec("COMMIT");
    other.close();
    await Promise.all(writes);
    const head = (await store.head("s"))!;
    const { items } = await store.read("s", head.start, { maxItems: 10, maxBytes: 1_000 });
    expect(items.map((item) => item.payload)).toEqual(["1", "2", "3"]);
    await store.close();
  });
});

describe("Committer", () => {
  function setUp(): { database: DatabaseSync; committer: Committer; commits: () => number } {
    const database = openDatabase(path, "process");
    let commits = 0;
    const committer = new Committer(database, path, () => commits++);
    return { database, committer, commits: () => commits };
  }

  test("makes one transaction of what one turn asks for, up to MAX_WRITES_PER_COMMIT", async () => {
    const { database, committer, commits } = setUp();
    const ask = (count: number): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, () => committer.submit(() => 1)));
    await ask(MAX_WRITES_PER_COMMIT);
    expect(commits()).toBe(1);
    await ask(MAX_WRITES_PER_COMMIT + 1);
    expect(commits()).toBe(3);
    database.close();
  });

  test("refuses one write more than MAX_WAITING_WRITES", async () => {
    const { database, committer } = setUp();
    const writes = Array.from({ length: MAX_WAITING_WRITES }, (_, index) => committer.submit(() => index));
    await expect(committer.submit(() => -1)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await writes.at(-1)).toBe(MAX_WAITING_WRITES - 1);
    database.close();
  });

  test("a fault in one write undoes its whole transaction and tells every caller", async () => {
    const { database, committer } = setUp();
    database.exec("CREATE TABLE t (x)");
    const insert = database.prepare("INSERT INTO t VALUES (1)");
    const outcomes = await Promise.allSettled([
      committer.submit(() => insert.run()),
      committer.submit(() => {
        throw new Error("broken");
      }),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
    expect(database.prepare("SELECT count(*) AS n FROM t").get()!["n"]).toBe(0);
    await committer.submit(() => insert.run());
    expect(database.prepare("SELECT count(*) AS n FROM t").get()!["n"]).toBe(1);
    database.close();
  });
});

describe("watchForeignCommits()", () => {
  test("tells of another connection's commits, not of our own, and of none once stopped", async () => {
    const [mine, other] = [openDatabase(path, "process"), openDatabase(path, "process")];
    const heard = vi.fn();
    const stop = watchForeignCommits(mine, path, heard);
    mine.exec("UPDATE counters SET value = value + 1");
    other.exec("UPDATE counters SET value = value + 1");
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1));
    stop();
    other.exec("UPDATE counters SET value = value + 1");
    await new Promise((resolve) => setTimeout(resolve, 300)); // longer than the repair poll
    expect(heard).toHaveBeenCalledTimes(1);
    mine.close();
    other.close();
  });
});
