import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { sqliteRows, type SqliteDatabase, type SqliteRowsOptions } from "./sqlite-rows.ts";

let database: DatabaseSync;

beforeEach(() => {
  database = new DatabaseSync(":memory:");
  database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, "a ""b" TEXT);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) INSERT INTO t SELECT i, 'x' || i FROM n`);
  return () => database.close();
});

const IDS = Array.from({ length: 1_200 }, (_, index) => index + 1);

describe("sqliteRows", () => {
  test.each<SqliteRowsOptions>([
    {},
    { key: "id" },
    { key: "id", batchRows: 1_200 },
    { batchRows: 1_200 },
    { batchRows: 7 },
  ])("gives every row with %j", (options) => {
    const batches = [...sqliteRows<{ id: number }>(database, "SELECT * FROM t", options)];
    expect(batches.flat().map(({ id }) => id)).toEqual(IDS);
    expect(batches.every((batch) => batch.length <= (options.batchRows ?? 500))).toBe(true);
  });

  test.each<SqliteRowsOptions>([{}, { key: "id" }])("gives arrays and the names of the columns with %j", (options) => {
    const rows = sqliteRows(database, "SELECT * FROM t", { ...options, rowMode: "array" });
    expect(rows.columns).toEqual(["id", 'a "b']);
    expect([...rows].flat().at(-1)).toEqual([1_200, "x1200"]);
    expect([...rows].flat()).toHaveLength(1_200);
  });

  test("takes values, a key whose name needs quotes, and a place to begin", () => {
    const rows = sqliteRows<{ id: number }>(database, "SELECT * FROM t WHERE id % ? = 0 AND id <= ?", {
      key: 'a "b',
      after: "x50",
      params: [10, 90],
      batchRows: 1,
    });
    expect([...rows].flat().map(({ id }) => id)).toEqual([60, 70, 80, 90]);
  });

  test("lets the table be written between two pages", () => {
    const batches = sqliteRows<{ id: number }>(database, "SELECT * FROM t", { key: "id" })[Symbol.iterator]();
    batches.next();
    database.exec("DELETE FROM t WHERE id > 600");
    expect((batches.next().value as { id: number }[]).at(-1)?.id).toBe(600);
    expect(batches.next().done).toBe(true);
  });

  test("gives the statement back when a reader of one query leaves", () => {
    for (const batch of sqliteRows(database, "SELECT * FROM t")) {
      expect(batch).toHaveLength(500);
      break;
    }
    database.exec("DROP TABLE t"); // refused while a statement reads it
  });

  test("refuses a key that is no column, batches of no rows, and a null key", () => {
    expect(() => sqliteRows(database, "SELECT id FROM t", { key: "a" })).toThrow(/no column/);
    expect(() => sqliteRows(database, "SELECT id FROM t", { batchRows: 0 })).toThrow(/batchRows/);
    const nulls = sqliteRows(database, "SELECT nullif(id, id) AS k FROM t", { key: "k", batchRows: 1 });
    expect(() => [...nulls]).toThrow(/never be null/);
  });

  test("takes better-sqlite3's way to arrays, and refuses a database that has none", () => {
    let isRaw = false;
    const withRaw = (has: boolean): SqliteDatabase => ({
      prepare: (sql) => ({
        columns: () => [{ name: "id" }],
        all: () => [],
        iterate: () => (sql === "" ? [] : [[1]]),
        ...(has ? { raw: (isOn: boolean) => (isRaw = isOn) } : {}),
      }),
    });
    expect([...sqliteRows(withRaw(true), "SELECT", { rowMode: "array" })]).toEqual([[[1]]]);
    expect(isRaw).toBe(true);
    expect(() => [...sqliteRows(withRaw(false), "SELECT", { rowMode: "array" })]).toThrow(/arrays/);
  });
});
