// The sending benchmark: events to one reader in another process, by peers, by ourselves and by `res.write` alone.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BenchResult, printResult, summarize } from "./result.ts";
import { createFleet, type Fleet, type RunningReader, type RunningServer } from "./servers/fleet.ts";
import { buildNextApp, NEXT_APP_DIR, NEXT_BIN } from "./servers/next-build.ts";

/** `ready`: the data of an event is text that is ready. `objects`: it is an object to be stringified. `trickle`: one at a time. */
type Group = "ready" | "objects" | "trickle";

interface Row {
  readonly group: Group;
  readonly name: string;
  /** A file in `servers/` with its arguments, or a route of the Next.js app. */
  readonly server: readonly [file: string, ...args: string[]] | { readonly nextRoute: string };
}

const READY_COUNT = 100_000;
const TRICKLE_COUNT = 20_000;
const WARM_UP_ROUNDS = 2;
const ROUNDS = 7;
/** The fastest rows are done in 20 ms, which is too short to be a figure: they send again until this much is measured. */
const ROUND_MS = 100;

const FLOOR = "floor: node:http, write(Buffer) per event";
const HONO = "Hono streamSSE";
const NEXT_HAND = "Next, by hand:";

const READY_ROWS: readonly Omit<Row, "group">[] = [
  { name: FLOOR, server: ["floor.ts", "buffer"] },
  { name: HONO, server: ["hono.ts"] },
  { name: "h3 push", server: ["h3.ts", "push"] },
  { name: "h3 push of 64, by hand", server: ["h3.ts", "batch"] },
  { name: `${NEXT_HAND} start() loop`, server: { nextRoute: "hand-start" } },
  { name: `${NEXT_HAND} pull() per event`, server: { nextRoute: "hand-pull" } },
  { name: "ours: node:http, async generator", server: ["ours-node.ts", "async"] },
  { name: "ours: node:http, sync iterable", server: ["ours-node.ts", "sync"] },
  { name: "ours: srvx, async generator", server: ["ours-srvx.ts", "async"] },
  { name: "ours: srvx, sync iterable", server: ["ours-srvx.ts", "sync"] },
  { name: "ours: Next, async generator", server: { nextRoute: "ours-async" } },
  { name: "ours: Next, sync iterable", server: { nextRoute: "ours-sync" } },
];

const inGroup = (group: Group, rows: readonly Omit<Row, "group">[]): Row[] => rows.map((row) => ({ group, ...row }));

const ROWS: readonly Row[] = [
  ...inGroup("ready", READY_ROWS),
  ...inGroup("ready", [
    { name: "node:http, 64 ready events joined a write", server: ["floor.ts", "joined"] },
    { name: "stretch: srvx, pull(), 64 ready events joined", server: ["stretch.ts"] },
  ]),
  ...inGroup("objects", READY_ROWS),
  ...inGroup("objects", [
    { name: "node:http, write(JSON) per event", server: ["floor.ts", "text"] },
    { name: "node:http, 64 times JSON joined a write", server: ["floor.ts", "joined-text"] },
    { name: "better-sse push", server: ["better-sse.ts", "push"] },
    { name: "better-sse batch of 64, by hand", server: ["better-sse.ts", "batch"] },
  ]),
  ...inGroup("trickle", [
    { name: FLOOR, server: ["floor.ts", "buffer"] },
    { name: HONO, server: ["hono.ts"] },
    { name: "ours: node:http, async generator", server: ["ours-node.ts", "async"] },
    { name: "ours: srvx, async generator", server: ["ours-srvx.ts", "async"] },
  ]),
];

interface Runner {
  readonly row: Row;
  readonly server: RunningServer;
  readonly rates: number[];
  readonly cpuUs: number[];
}

/** The rows that have one of `words` in their group or name; floors always, as every ratio needs them. */
function chosen(words: readonly string[]): readonly Row[] {
  if (words.length === 0) return ROWS;
  const wanted = ROWS.filter((row) => words.some((word) => `${row.group} ${row.name}`.toLowerCase().includes(word)));
  return ROWS.filter(
    (row) => wanted.includes(row) || (isFloor(row) && wanted.some(({ group }) => group === row.group)),
  );
}

function isFloor(row: Row): boolean {
  return row.name === FLOOR;
}

function startServer(fleet: Fleet, row: Row): Promise<RunningServer> {
  if ("nextRoute" in row.server) {
    return fleet.startServer(row.name, [NEXT_BIN, "start", "-p", "0", "-H", "127.0.0.1", NEXT_APP_DIR], NEXT_APP_DIR);
  }
  const [file, ...args] = row.server;
  return fleet.startServer(row.name, [fileURLToPath(new URL(`./servers/${file}`, import.meta.url)), ...args]);
}

/** Reads one reply to its end and returns how long it took, in milliseconds. */
async function reply(reader: RunningReader, { row, server }: Runner, check: boolean): Promise<number> {
  const count = countOf(row);
  const route = "nextRoute" in row.server ? row.server.nextRoute : "events";
  const path = `/${route}?count=${count}&kind=${row.group}`;
  const { ms, problem } = await reader.read({ port: server.port, path, count, check });
  if (problem !== undefined) throw new Error(`The row "${row.group} | ${row.name}" is wrong: ${problem}.`);
  return ms;
}

function countOf(row: Row): number {
  return row.group === "trickle" ? TRICKLE_COUNT : READY_COUNT;
}

/** One round of one row: a reply, or as many as it takes until there is enough to measure. */
async function measure(reader: RunningReader, runner: Runner): Promise<void> {
  const cpuBefore = await runner.server.cpuUs();
  let ms = 0;
  let count = 0;
  while (ms < ROUND_MS) {
    ms += await reply(reader, runner, false);
    count += countOf(runner.row);
  }
  runner.cpuUs.push(((await runner.server.cpuUs()) - cpuBefore) / count);
  runner.rates.push(count / ms);
}

/** How the medians of two rows compare. */
function ratio(above: readonly number[], below: readonly number[]): number {
  return summarize(above).median / summarize(below).median;
}

function ratios(runner: Runner, all: readonly Runner[]): Readonly<Record<string, number>> {
  const peers = all.filter(({ row }) => row.group === runner.row.group);
  const floor = peers.find(({ row }) => isFloor(row)) as Runner;
  if (runner.row.group === "trickle") {
    return { "time/floor": ratio(floor.rates, runner.rates), "CPU/floor": ratio(runner.cpuUs, floor.cpuUs) };
  }
  const found: Record<string, number> = { "rate/floor": ratio(runner.rates, floor.rates) };
  const hono = peers.find(({ row }) => row.name === HONO);
  if (hono !== undefined) found["rate/Hono"] = ratio(runner.rates, hono.rates);
  // The better of the two hand-written routes: a comparison with the worse one would flatter.
  const byHand = peers
    .filter(({ row }) => row.name.startsWith(NEXT_HAND))
    .toSorted((a, b) => summarize(b.rates).median - summarize(a.rates).median)[0];
  if (byHand !== undefined && "nextRoute" in runner.row.server) {
    found["rate/Next by hand"] = ratio(runner.rates, byHand.rates);
  }
  return found;
}

/**
 * Runs the benchmark. With `words`, only the rows that have one of them in their name (and the floors).
 * Throws when a server does not start, or when a reply does not hold every event as it should.
 */
export async function run(words: readonly string[] = []): Promise<BenchResult> {
  const rows = chosen(words.map((word) => word.toLowerCase()));
  if (rows.length === 0) throw new Error(`No row of the sending benchmark has any of: ${words.join(", ")}.`);
  const usesNext = rows.some(({ server }) => "nextRoute" in server);
  if (
    !existsSync(new URL("../dist/index.js", import.meta.url)) &&
    (usesNext || rows.some(({ name }) => name.startsWith("ours")))
  ) {
    throw new Error("The sending benchmark measures the built package and dist/ is missing: build it first.");
  }

  const fleet = createFleet();
  try {
    if (usesNext) await buildNextApp(fleet);
    const reader = await fleet.startReader();
    const runners: Runner[] = [];
    for (const row of rows) {
      const runner: Runner = { row, server: await startServer(fleet, row), rates: [], cpuUs: [] };
      await reply(reader, runner, true);
      runners.push(runner);
    }
    for (let i = 0; i < WARM_UP_ROUNDS; i += 1) for (const runner of runners) await reply(reader, runner, false);
    for (let i = 0; i < ROUNDS; i += 1) for (const runner of runners) await measure(reader, runner);

    return {
      name: "send",
      unit: "thousand events/s; microseconds of the server's CPU per event",
      rows: runners.map((runner) => ({
        row: `${runner.row.group} | ${runner.row.name}`,
        cells: { "k events/s": summarize(runner.rates), "CPU us/event": summarize(runner.cpuUs) },
        ratios: ratios(runner, runners),
      })),
    };
  } finally {
    await fleet.end();
  }
}

if (import.meta.main) printResult(await run(process.argv.slice(2)));
