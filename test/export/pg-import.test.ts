// What csv writes, read back by PostgreSQL's own COPY ... FROM: equal, byte for byte, null and the empty text kept apart.

import { createRequire } from "node:module";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pgCopy } from "../../src/export-pg.ts";
import { csv, type CsvReplyOptions } from "../../src/index.ts";
import { type Postgres, startPostgres } from "./postgres.ts";

const require = createRequire(import.meta.url);
const { from: copyFrom } = require("pg-copy-streams") as {
  readonly from: (sql: string) => Writable & pg.Submittable;
};

type Cells = readonly [string | null, string | null, string | null];
type Options = Pick<CsvReplyOptions, "delimiter" | "lineEnd" | "quoteAll">;

let server: Postgres;
let client: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  client = new pg.Client(server.url);
  await client.connect();
  await client.query("CREATE TABLE cells (place serial, a text, b text, c text)");
});

afterAll(async () => {
  await client?.end();
  await server?.end();
});

/** Writes `rows` by `csv`, and has the server read them. */
async function throughServer(rows: readonly Cells[], options: Options): Promise<unknown[]> {
  const columns = ["a", "b", "c"];
  const reply = csv<Cells>(new Request("http://x/"), rows, { ...options, columns });
  await client.query("TRUNCATE cells RESTART IDENTITY");
  const delimiter = options.delimiter ?? ",";
  const sql = `COPY cells (a, b, c) FROM STDIN (FORMAT csv, HEADER, DELIMITER E'${delimiter === "\t" ? "\\t" : delimiter}')`;
  await pipeline(Readable.from([Buffer.from(await reply.arrayBuffer())]), client.query(copyFrom(sql)));
  const found = await client.query({ text: "SELECT a, b, c FROM cells ORDER BY place", rowMode: "array" });
  return found.rows;
}

// PostgreSQL has no text with NUL, and UTF-8 none with half a surrogate pair.
const nasty = fc.constantFrom(
  '"',
  ",",
  ";",
  "\t",
  "\r",
  "\n",
  "\r\n",
  " ",
  "'",
  "\\",
  "\\.",
  "NULL",
  "=1+1",
  "é",
  "東",
  "😀",
);
const text = fc
  .array(fc.oneof(nasty, fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 6 })
  .map((parts) => parts.join("").replaceAll("\u0000", "").toWellFormed());
const cell = fc.option(text, { nil: null });
const options: fc.Arbitrary<Options> = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  lineEnd: fc.constantFrom("\r\n" as const, "\n" as const),
  quoteAll: fc.boolean(),
});

describe("csv", () => {
  test("is read back by PostgreSQL's COPY as what it was, whatever the texts and the settings", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 }),
        options,
        async (rows, how) => {
          expect(await throughServer(rows, how)).toEqual(rows);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("reads as the server's own COPY writes it, but for the ends of the records", async () => {
    const rows: Cells[] = [
      ["plain", 'with "quotes"', null],
      ["a,b", "two\nlines", ""],
    ];
    await throughServer(rows, {});
    const pool = new pg.Pool({ connectionString: server.url });
    const chunks: Uint8Array[] = [];
    const sql = "SELECT a, b, c FROM cells ORDER BY place";
    for await (const chunk of pgCopy(pool, sql)) chunks.push(chunk);
    await pool.end();
    const ours = await csv(new Request("http://x/"), rows, { columns: ["a", "b", "c"], lineEnd: "\n" }).text();
    expect(Buffer.concat(chunks).toString()).toBe(ours);
  });
});
