import { describe, expect, test } from "vitest";
import { keysetRows } from "./keyset-rows.ts";

interface Row {
  readonly id: number;
}

const TABLE: readonly Row[] = Array.from({ length: 25 }, (_, index) => ({ id: index + 1 }));

function page(after: number | undefined, limit: number): Row[] {
  return TABLE.filter(({ id }) => id > (after ?? 0)).slice(0, limit);
}

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[][]> {
  const found: T[][] = [];
  for await (const batch of batches) found.push([...batch]);
  return found;
}

describe("keysetRows", () => {
  test.each([
    [10, [10, 10, 5]],
    [5, [5, 5, 5, 5, 5]],
    [25, [25]],
    [26, [25]],
  ])("reads pages of %i rows to the end", async (batchRows, sizes) => {
    const batches = await all(keysetRows<Row, number>({ page, key: "id", batchRows }));
    expect(batches.map((batch) => batch.length)).toEqual(sizes);
    expect(batches.flat()).toEqual(TABLE);
  });

  test("begins behind a key, and takes a function for it", async () => {
    const batches = await all(keysetRows<Row, number>({ page, key: (row) => row.id, after: 20, batchRows: 3 }));
    expect(batches.flat().map(({ id }) => id)).toEqual([21, 22, 23, 24, 25]);
  });

  test.each([
    ["does not move on", () => [{ id: 1 }]],
    ["is null", () => [{ id: null }]],
    ["is larger than the limit", () => [{ id: 1 }, { id: 2 }]],
  ])("throws source_failed for a page that %s", async (_, answer) => {
    const rows = keysetRows<{ id: number | null }>({ page: answer, key: "id", batchRows: 1 });
    await expect(all(rows)).rejects.toMatchObject({ code: "source_failed" });
  });

  test("tells dates by what they say", async () => {
    const rows = keysetRows<{ at: Date }, Date>({ page: () => [{ at: new Date(0) }], key: "at", batchRows: 1 });
    await expect(all(rows)).rejects.toMatchObject({ code: "source_failed" });
  });

  test("aborts the page's signal and answers at once when the reader leaves", async () => {
    let given: AbortSignal | undefined;
    const rows = keysetRows<Row, number>({
      page: (_, __, signal) => {
        given = signal;
        return new Promise<Row[]>(() => undefined);
      },
      key: "id",
    })[Symbol.asyncIterator]();
    const first = rows.next();
    await Promise.resolve();
    await rows.return?.();
    expect((await first).done).toBe(true);
    expect(given?.aborted).toBe(true);
  });

  test("refuses a second next before the first has answered, and a batchRows of 0", async () => {
    const rows = keysetRows<Row, number>({ page, key: "id" })[Symbol.asyncIterator]();
    const first = rows.next();
    await expect(rows.next()).rejects.toThrow(TypeError);
    expect((await first).value).toHaveLength(25);
    expect(() => keysetRows<Row, number>({ page, key: "id", batchRows: 0 })).toThrow(/batchRows/);
  });
});
