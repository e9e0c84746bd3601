// How fast NDJSON is read, beside its peers and the floor that no reader gets under: JSON.parse of lines that are ready. Also one JSON value in
// pieces of 8 characters, and rows sent to a reader in another process. Run: node bench/ndjson.ts [decode] [partial] [send]

import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { JSONParser } from "@streamparser/json";
import { parse as parsePartial } from "partial-json";
import jsonl from "stream-json/jsonl/parser.js";
import { createRowDecoder } from "../src/wire/ndjson.ts";
import { createPartialJsonDecoder } from "../src/wire/partial-json.ts";
import { readNdjson } from "../src/wire/read-ndjson.ts";
import { printResult, summarize, type BenchCell, type BenchResult } from "./result.ts";
import { createFleet, type RunningServer } from "./servers/fleet.ts";

const ROUNDS = 15;
/** A contestant that takes longer than this for one pass is measured in fewer rounds. */
const SLOW_MS = 200;
const SLOW_ROUNDS = 3;
/** Each round goes on until this much time is over. */
const ROUND_MS = 20;
const BODY_BYTES = 2_097_152;
const LONG_ROW_BYTES = 4_194_304;
const PARTIAL_CHARS = 31_000;
const PIECE_CHARS = 8;
const SENT_ROWS = 200_000;
const SEND_ROUNDS = 9;
const FLOOR = "JSON.parse";

// These two have no types.
const require = createRequire(import.meta.url);
const ndjson = require("ndjson") as { parse(): Duplex };
const split2 = require("split2") as (map: (line: string) => unknown) => Duplex;

type Row = BenchResult["rows"][number];
/** One pass over the input. Returns how many values it saw. */
type Contestant = () => number | Promise<number>;

const WORDS = "the quick answer grows word by word until it is whole and then it ends as it should ";

function record(index: number): Record<string, unknown> {
  const text = (WORDS + WORDS).slice(index % WORDS.length, (index % WORDS.length) + 84);
  return {
    id: 100_000 + index,
    name: `record ${index % 10}`,
    text,
    price: (index % 977) / 8,
    tags: ["a", "b"],
    done: false,
    at: null,
  };
}

function cut<T extends string | Uint8Array>(whole: T, size: number): T[] {
  return Array.from(
    { length: Math.ceil(whole.length / size) },
    (_, index) => whole.slice(index * size, (index + 1) * size) as T,
  );
}

/** Writes all chunks into a stream of Node's and counts what comes out. */
async function through(stream: Duplex, chunks: readonly Uint8Array[]): Promise<number> {
  let count = 0;
  stream.on("data", () => (count += 1));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, "end");
  return count;
}

function readers(lines: readonly string[], chunks: readonly Uint8Array[]): Readonly<Record<string, Contestant>> {
  return {
    [FLOOR]: () => {
      let count = 0;
      for (const line of lines) if (JSON.parse(line) !== undefined) count += 1;
      return count;
    },
    tailrace: () => {
      let count = 0;
      const decoder = createRowDecoder({ onRow: () => (count += 1) });
      for (const chunk of chunks) decoder.push(chunk);
      decoder.end();
      return count;
    },
    "readNdjson, batches": async () => {
      let count = 0;
      for await (const batch of readNdjson(chunks).batches()) count += batch.length;
      return count;
    },
    ndjson: () => through(ndjson.parse(), chunks),
    "split2 + JSON.parse": () =>
      through(
        split2((line) => JSON.parse(line) as unknown),
        chunks,
      ),
    "stream-json jsonl": () => through(jsonl.asStream(), chunks),
    "@streamparser/json": () => {
      let count = 0;
      const parser = new JSONParser({ separator: "\n", paths: ["$"] });
      parser.onValue = () => (count += 1);
      for (const chunk of chunks) parser.write(chunk);
      return count;
    },
  };
}

function partials(text: string): Readonly<Record<string, Contestant>> {
  const pieces = cut(text, PIECE_CHARS);
  return {
    [FLOOR]: () => (JSON.parse(text) === undefined ? 0 : pieces.length),
    tailrace: () => {
      let count = 0;
      const decoder = createPartialJsonDecoder();
      for (const piece of pieces) {
        decoder.push(piece);
        if (decoder.value !== undefined) count += 1;
      }
      decoder.end();
      return count;
    },
    "tailrace, snapshot per piece": () => {
      let count = 0;
      const decoder = createPartialJsonDecoder();
      for (const piece of pieces) {
        decoder.push(piece);
        if (decoder.snapshot() !== undefined) count += 1;
      }
      decoder.end();
      return count;
    },
    "partial-json": () => {
      let count = 0;
      let all = "";
      for (const piece of pieces) {
        all += piece;
        if (parsePartial(all) !== undefined) count += 1;
      }
      return count;
    },
    "@streamparser/json": () => {
      let value: unknown;
      let count = 0;
      const parser = new JSONParser({ emitPartialTokens: true, emitPartialValues: true, paths: ["$"] });
      parser.onValue = (each) => {
        value = each.value;
      };
      for (const piece of pieces) {
        parser.write(piece);
        if (value !== undefined) count += 1;
      }
      return count;
    },
  };
}

/** Milliseconds per pass over one round. */
async function measure(contestant: Contestant): Promise<number> {
  const start = performance.now();
  let passes = 0;
  let elapsed = 0;
  do {
    const count = contestant();
    if (typeof count !== "number") await count;
    passes += 1;
    elapsed = performance.now() - start;
  } while (elapsed < ROUND_MS);
  return elapsed / passes;
}

/** Measures the contestants in turns. The ratios are times: how often the floor would fit in. */
async function compare(row: string, contestants: Readonly<Record<string, Contestant>>, wanted: number): Promise<Row> {
  const rounds = new Map<string, number[]>();
  const slow = new Set<string>();
  for (const [name, contestant] of Object.entries(contestants)) {
    const count = await contestant();
    // Some show nothing until the first value in the text is whole.
    if (count !== wanted && !row.startsWith("partial")) throw new Error(`${name} saw ${count} of ${wanted}: ${row}`);
    if ((await measure(contestant)) > SLOW_MS) slow.add(name);
    rounds.set(name, []);
  }
  const names = [...rounds.keys()];
  for (let round = 0; round < ROUNDS; round += 1) {
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      if (slow.has(name) && round >= SLOW_ROUNDS) continue;
      rounds.get(name)?.push(await measure(contestants[name] as Contestant));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const cells: Record<string, BenchCell> = {};
  const ratios: Record<string, number> = {};
  for (const [name, figures] of rounds) cells[name] = summarize(figures);
  const floor = cells[FLOOR]?.median ?? Number.NaN;
  for (const name of names) if (name !== FLOOR) ratios[`${name} / floor`] = (cells[name]?.median ?? Number.NaN) / floor;
  return { row, cells, ratios };
}

async function decodeRows(): Promise<Row[]> {
  const lines: string[] = [];
  for (let size = 0; size < BODY_BYTES; size += (lines.at(-1)?.length ?? 0) + 1)
    lines.push(JSON.stringify(record(lines.length)));
  const body = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  const long: unknown[] = [];
  for (let size = 0; size < LONG_ROW_BYTES; size += JSON.stringify(long.at(-1)).length + 1)
    long.push(record(long.length));
  const longRow = JSON.stringify(long);
  const longBody = new TextEncoder().encode(`${longRow}\n`);
  return [
    await compare("rows of 200 B, 64 KiB chunks", readers(lines, cut(body, 65_536)), lines.length),
    await compare("rows of 200 B, 1 KiB chunks", readers(lines, cut(body, 1_024)), lines.length),
    await compare("one row of 4 MiB, 16 KiB chunks", readers([longRow], cut(longBody, 16_384)), 1),
  ];
}

async function growPartials(): Promise<Row[]> {
  const items: unknown[] = [];
  while (JSON.stringify(items).length < PARTIAL_CHARS) items.push(record(items.length));
  const records = JSON.stringify({ title: "A plan", items });
  const prose = JSON.stringify({ text: WORDS.repeat(400).slice(0, PARTIAL_CHARS) });
  const count = (text: string): number => Math.ceil(text.length / PIECE_CHARS);
  return [
    await compare("partial: 31 KB of records, 8-character pieces", partials(records), count(records)),
    await compare("partial: 31 KB of one string, 8-character pieces", partials(prose), count(prose)),
  ];
}

/** Thousand rows per second to a reader in another process, and what they cost the server. */
async function sendRows(): Promise<Row> {
  if (!existsSync(new URL("../dist/index.js", import.meta.url))) {
    throw new Error("Sending is measured with the built package and dist/ is missing: build it first.");
  }
  const fleet = createFleet();
  try {
    const reader = await fleet.startReader();
    const file = fileURLToPath(new URL("./servers/rows.ts", import.meta.url));
    const start = async (variant: string): Promise<{ server: RunningServer; rates: number[]; cpuUs: number[] }> => ({
      server: await fleet.startServer(variant, [file, variant]),
      rates: [],
      cpuUs: [],
    });
    const ours = await start("ours");
    const byHand = await start("hand");
    for (let round = -2; round < SEND_ROUNDS; round += 1) {
      for (const { server, rates, cpuUs } of round % 2 === 0 ? [ours, byHand] : [byHand, ours]) {
        const before = await server.cpuUs();
        const order = { port: server.port, path: `/?count=${SENT_ROWS}`, count: SENT_ROWS, check: false };
        const { ms, problem } = await reader.read(order);
        if (problem !== undefined) throw new Error(`The reply was wrong: ${problem}.`);
        if (round < 0) continue;
        rates.push(SENT_ROWS / ms);
        cpuUs.push(((await server.cpuUs()) - before) / SENT_ROWS);
      }
    }
    const cells = {
      "ours, k rows/s": summarize(ours.rates),
      "enqueue per row, k rows/s": summarize(byHand.rates),
      "ours, CPU us/row": summarize(ours.cpuUs),
      "enqueue per row, CPU us/row": summarize(byHand.cpuUs),
    };
    return {
      row: "send rows of 250 B: node:http, and srvx by hand",
      cells,
      ratios: {
        "rate, ours / by hand": cells["ours, k rows/s"].median / cells["enqueue per row, k rows/s"].median,
        "CPU, by hand / ours": cells["enqueue per row, CPU us/row"].median / cells["ours, CPU us/row"].median,
      },
    };
  } finally {
    await fleet.end();
  }
}

/** Runs the parts that are named in `words`, or all. */
export async function run(words: readonly string[] = []): Promise<BenchResult> {
  const has = (word: string): boolean => words.length === 0 || words.includes(word);
  const rows: Row[] = [];
  if (has("decode")) rows.push(...(await decodeRows()));
  if (has("partial")) rows.push(...(await growPartials()));
  if (has("send")) rows.push(await sendRows());
  return { name: "rows and partial JSON", unit: "ms per pass, but for sending", rows };
}

if (import.meta.main) printResult(await run(process.argv.slice(2)));
