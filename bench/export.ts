// The export benchmark: a million rows of eight columns as CSV over node:http, the reader in this process and each server in its own. And
// PostgreSQL's COPY through a reply beside psql's \copy.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "pg";
import { makeSample } from "../apps/demo/lib/sample/make.ts";
import { type Postgres, startPostgres } from "../test/export/postgres.ts";
import { type BenchCell, type BenchResult, printResult, summarize } from "./result.ts";
import { countRecords, type ExportRead, readExport } from "./servers/export-reader.ts";
import { COLUMNS } from "./servers/export-rows.ts";
import type { ServerStats } from "./servers/export-stats.ts";
import { createFleet, type Fleet, type RunningServer } from "./servers/fleet.ts";

const ROW_COUNT = 1_000_000;
const CHECKED_COUNT = 5_000;
const ROUNDS = 3;
const FLOOR = "floor: a loop by hand, 64 KiB";
const PSQL = "psql \\copy to /dev/null";
const COPY = "ours: PostgreSQL, COPY";

interface Contestant {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}

const WRITERS: readonly Contestant[] = [
  { name: FLOOR, file: "export-peers.ts", args: ["floor"] },
  { name: "ours: arrays", file: "export-ours.ts", args: ["arrays"] },
  { name: "ours: objects", file: "export-ours.ts", args: ["objects"] },
  { name: "csv-stringify, stream", file: "export-peers.ts", args: ["csv-stringify"] },
  { name: "fast-csv, stream", file: "export-peers.ts", args: ["fast-csv"] },
  { name: "papaparse, batches of 1,000", file: "export-peers.ts", args: ["papaparse"] },
];

interface Runner {
  readonly name: string;
  /** Reads once, and tells what it took. */
  readonly read: () => Promise<ExportRead>;
  readonly server: RunningServer | undefined;
  readonly reads: ExportRead[];
  readonly loopP99Ms: number[];
  readonly cpuUs: number[];
}

async function start(fleet: Fleet, { name, file, args }: Contestant): Promise<Runner> {
  const path = fileURLToPath(new URL(`./servers/${file}`, import.meta.url));
  const server = await fleet.startServer(name, [path, ...args]);
  const records = await countRecords(server.port, `/${CHECKED_COUNT}`);
  if (records !== CHECKED_COUNT + 1) {
    throw new Error(`"${name}" gave ${records} records for ${CHECKED_COUNT} rows and a header.`);
  }
  const read = (): Promise<ExportRead> => readExport(server.port, `/${ROW_COUNT}`);
  return { name, read, server, reads: [], loopP99Ms: [], cpuUs: [] };
}

/** What a server process can be asked: the figures of its last reply. */
async function statsOf(server: RunningServer): Promise<ServerStats> {
  return (await (await fetch(`http://127.0.0.1:${server.port}/stats`)).json()) as ServerStats;
}

async function measure(runner: Runner, isKept: boolean): Promise<void> {
  const before = (await runner.server?.cpuUs()) ?? 0;
  const read = await runner.read();
  const cpuUs = ((await runner.server?.cpuUs()) ?? 0) - before;
  const stats = runner.server === undefined ? undefined : await statsOf(runner.server);
  if (!isKept) return;
  runner.reads.push(read);
  if (stats === undefined) return;
  runner.cpuUs.push(cpuUs / ROW_COUNT);
  runner.loopP99Ms.push(stats.loopP99Ms);
}

/** Runs the contestants in turns, another one first in each round. */
async function compare(runners: readonly Runner[]): Promise<void> {
  for (let round = -1; round < ROUNDS; round += 1) {
    const turn = Math.max(0, round) % runners.length;
    for (const runner of [...runners.slice(turn), ...runners.slice(0, turn)]) await measure(runner, round >= 0);
  }
}

async function rowOf(
  runner: Runner,
  others: Readonly<Record<string, Runner | undefined>>,
): Promise<BenchResult["rows"][number]> {
  const rateOf = ({ reads }: Runner): BenchCell => summarize(reads.map(({ ms }) => ROW_COUNT / ms));
  const cells: Record<string, BenchCell> = { "k rows/s": rateOf(runner) };
  if (runner.server !== undefined) {
    cells["CPU us/row"] = summarize(runner.cpuUs);
    cells["first byte ms"] = summarize(runner.reads.map(({ firstByteMs }) => firstByteMs));
    cells["loop delay p99 ms"] = summarize(runner.loopP99Ms);
    const { startRssMb, peakRssMb } = await statsOf(runner.server);
    cells["RSS before, MB"] = summarize([startRssMb]);
    cells["RSS at its peak, MB"] = summarize([peakRssMb]);
  }
  const ratios: Record<string, number> = {};
  for (const [name, other] of Object.entries(others)) {
    if (other !== undefined && other !== runner) ratios[name] = rateOf(runner).median / rateOf(other).median;
  }
  return { row: runner.name, cells, ratios };
}

async function writers(fleet: Fleet, folder: string, wanted: (name: string) => boolean): Promise<BenchResult["rows"]> {
  const file = join(folder, "sample.db");
  const sqlite: Contestant = { name: "ours: SQLite, pages by key", file: "export-ours.ts", args: ["sqlite", file] };
  const chosen = [...WRITERS, sqlite].filter(({ name }) => name === FLOOR || wanted(name));
  if (chosen.includes(sqlite)) await makeSample(file);
  const runners: Runner[] = [];
  for (const contestant of chosen) runners.push(await start(fleet, contestant));
  await compare(runners);
  const others = {
    "rate/floor": runners.find(({ name }) => name === FLOOR),
    "rate/csv-stringify": runners.find(({ name }) => name.startsWith("csv-stringify")),
    "rate/fast-csv": runners.find(({ name }) => name.startsWith("fast-csv")),
    "rate/papaparse": runners.find(({ name }) => name.startsWith("papaparse")),
  };
  return Promise.all(runners.map((runner) => rowOf(runner, others)));
}

async function fill(url: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  await client.query(`CREATE TABLE people AS SELECT i AS id,
    (ARRAY['Ada Lovelace','Grace Hopper','Alan Turing','Edsger Dijkstra','Barbara Liskov'])[i % 5 + 1] AS name,
    'user' || i || '@example.com' AS email,
    (ARRAY['Berlin','São Paulo','Tokyo, Japan','Nairobi','Montréal'])[i % 5 + 1] AS city,
    (i % 100000) / 100.0::float8 AS amount, i % 3 = 0 AS active,
    '2026-11-' || (i % 20 + 10) || 'T12:00:00.000Z' AS joined,
    (ARRAY['a note of a few words','he said "well"','nothing to say','one; two; three','the end'])[i % 5 + 1] AS note
    FROM generate_series(1, ${ROW_COUNT}) AS i`);
  await client.query("ANALYZE people");
  const { fields } = await client.query("SELECT * FROM people LIMIT 0");
  if (fields.map(({ name }) => name).join() !== COLUMNS.join()) throw new Error("The table has other columns.");
  await client.end();
}

async function postgres(fleet: Fleet, database: Postgres): Promise<BenchResult["rows"]> {
  await fill(database.url);
  const copy = `\\copy (SELECT * FROM people WHERE id <= ${ROW_COUNT}) TO '/dev/null' (FORMAT csv, HEADER)`;
  const psql: Runner = {
    name: PSQL,
    server: undefined,
    reads: [],
    loopP99Ms: [],
    cpuUs: [],
    async read() {
      const begun = performance.now();
      await promisify(execFile)(database.program("psql"), [database.url, "-X", "-q", "-c", copy]);
      return { ms: performance.now() - begun, firstByteMs: 0, bytes: 0 };
    },
  };
  const runners = [psql];
  for (const [name, kind] of [
    [COPY, "copy"],
    ["ours: PostgreSQL, cursor of 1,000 arrays", "cursor"],
  ] as const) {
    runners.push(await start(fleet, { name, file: "export-ours.ts", args: [kind, database.url] }));
  }
  await compare(runners);
  return Promise.all(runners.map((runner) => rowOf(runner, { "rate/psql": psql })));
}

/** Runs the parts that are named in `words` (`postgres`, or a part of a row's name), or all. */
export async function run(words: readonly string[] = []): Promise<BenchResult> {
  const wanted = (text: string): boolean =>
    words.length === 0 || words.some((word) => text.toLowerCase().includes(word.toLowerCase()));
  const folder = mkdtempSync(join(tmpdir(), "tailrace-bench-export-"));
  const fleet = createFleet();
  let database: Postgres | undefined;
  try {
    const rows: BenchResult["rows"][number][] = [];
    if ([...WRITERS, { name: "ours: SQLite" }].some(({ name }) => wanted(name))) {
      rows.push(...(await writers(fleet, folder, wanted)));
    }
    if (wanted("postgres")) {
      database = await startPostgres();
      rows.push(...(await postgres(fleet, database)));
    }
    return { name: "export of 1 M rows as CSV", unit: "see the columns", rows };
  } finally {
    await fleet.end();
    await database?.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printResult(await run(process.argv.slice(2)));
