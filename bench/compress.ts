// What compression costs and saves: token events one at a time, each flushed, and rows in full flow. Ours pulls a reply through
// `compress`; the peer is what compression middleware does, a stream of node:zlib that flushes each write, piped.

import { PassThrough, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { compress } from "../src/node/compress.ts";
import type { Encoding } from "../src/http/precompressed.ts";
import { ndjson } from "../src/reply/rows.ts";
import { pullOf } from "../src/reply/reply.ts";
import { sse } from "../src/reply/sse.ts";
import { type BenchResult, summarize } from "./result.ts";

const EVENT_COUNT = 2_000;
const ROW_COUNT = 100_000;
/** One write per row is slow: the peers get that many, which is enough for a rate. */
const PIPED_ROW_COUNT = 10_000;
const TURNS_BETWEEN = 4;
const ROUNDS = 7;
const WORDS = [" the", " stream", " of", " tokens", " and", " so", " on", ".", " water", " over", " a", " wheel"];

interface Outcome {
  readonly wireBytes: number;
  readonly cpuUs: number;
  readonly wallMs: number;
}

interface Contestant {
  readonly name: string;
  readonly rowCount: number;
  events(): Promise<number>;
  rows(): Promise<number>;
}

/** One token as a model's server sends it, about 250 bytes. */
function token(index: number): object {
  return {
    id: "chatcmpl-B1z8Qq0rVw3XyTnKcE5hJ7dLmPaSf",
    object: "chat.completion.chunk",
    created: 1_763_000_000,
    model: "gpt-4.1-mini-2025-04-14",
    choices: [{ index, delta: { content: WORDS[Math.floor(random() * WORDS.length)] }, finish_reason: null }],
  };
}

const random = makeRandom();
const tokens: readonly object[] = Array.from({ length: EVENT_COUNT }, (_, index) => token(index));
const rows: readonly object[] = makeRows();
const rowTexts: readonly string[] = rows.map((row) => `${JSON.stringify(row)}\n`);

/** The same numbers in each run, and no pattern in them that a large window could find. */
function makeRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function makeRows(): readonly object[] {
  return Array.from({ length: ROW_COUNT }, (_, id) => ({
    id,
    name: `user ${Math.floor(random() * 1e6)}`,
    email: `u${Math.floor(random() * 1e6)}@example.com`,
    score: Math.round(random() * 1e6) / 1e4,
    active: random() > 0.5,
  }));
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Some turns of the event loop lie between two tokens, so that each leaves as a chunk of its own. */
async function* trickle(): AsyncGenerator<{ readonly data: object }> {
  for (const data of tokens) {
    yield { data };
    for (let turn = 0; turn < TURNS_BETWEEN; turn++) await nextTurn();
  }
}

async function drain(response: Response): Promise<number> {
  const pull = pullOf(response);
  if (pull === undefined) throw new Error("The reply has no pull.");
  let bytes = 0;
  for (;;) {
    const result = await pull.next();
    if (result.done === true) return bytes;
    bytes += result.value.byteLength;
  }
}

function ours(name: string, encoding: Encoding | undefined): Contestant {
  const request = new Request("http://127.0.0.1/", { headers: { "accept-encoding": encoding ?? "identity" } });
  const coded = (response: Response): Promise<number> => drain(compress(request, response));
  return {
    name,
    rowCount: ROW_COUNT,
    events: () => coded(sse(request, trickle)),
    rows: () => coded(ndjson(request, rows)),
  };
}

/** By hand: one write per event or row into a compressing stream with a flush for each, piped on. */
function piped(name: string, make: () => NodeJS.ReadWriteStream): Contestant {
  async function through(pieces: AsyncIterable<string> | Iterable<string>): Promise<number> {
    let bytes = 0;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        done();
      },
    });
    await pipeline(pieces, make(), sink);
    return bytes;
  }
  async function* events(): AsyncGenerator<string> {
    for await (const { data } of trickle()) yield `data: ${JSON.stringify(data)}\n\n`;
  }
  function* lines(): Generator<string> {
    for (const row of rows.slice(0, PIPED_ROW_COUNT)) yield `${JSON.stringify(row)}\n`;
  }
  return { name, rowCount: PIPED_ROW_COUNT, events: () => through(events()), rows: () => through(lines()) };
}

const { constants: c } = zlib;
const CONTESTANTS: readonly Contestant[] = [
  ours("ours: plain", undefined),
  piped("pipe: plain", () => new PassThrough()),
  ours("ours: gzip", "gzip"),
  piped("pipe: gzip, flush", () => zlib.createGzip({ flush: c.Z_SYNC_FLUSH })),
  piped("pipe: gzip, no flush", () => zlib.createGzip()),
  ours("ours: br", "br"),
  piped("pipe: br 4, flush", () =>
    zlib.createBrotliCompress({ flush: c.BROTLI_OPERATION_FLUSH, params: { [c.BROTLI_PARAM_QUALITY]: 4 } }),
  ),
  ours("ours: zstd", "zstd"),
  piped("pipe: zstd, flush", () => zlib.createZstdCompress({ flush: c.ZSTD_e_flush })),
];

async function measure(work: () => Promise<number>): Promise<Outcome> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const wireBytes = await work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wireBytes, cpuUs: user + system, wallMs };
}

/** Measures each contestant in turn, round by round. */
export async function run(): Promise<BenchResult> {
  const plainEventBytes = await CONTESTANTS[0]?.events();
  if (plainEventBytes === undefined) throw new Error("There is no contestant.");
  const figures = CONTESTANTS.map((contestant) => ({
    contestant,
    eventUs: [] as number[],
    eventPercent: [] as number[],
    rowRates: [] as number[],
    rowPercent: [] as number[],
  }));
  for (let round = -1; round < ROUNDS; round++) {
    for (const { contestant, ...kept } of figures) {
      const plainRowBytes = Buffer.byteLength(rowTexts.slice(0, contestant.rowCount).join(""));
      const events = await measure(() => contestant.events());
      const flow = await measure(() => contestant.rows());
      if (round < 0) continue; // a warm-up
      kept.eventUs.push(events.cpuUs / EVENT_COUNT);
      kept.eventPercent.push((events.wireBytes / plainEventBytes) * 100);
      kept.rowRates.push(plainRowBytes / 1e6 / (flow.wallMs / 1e3));
      kept.rowPercent.push((flow.wireBytes / plainRowBytes) * 100);
    }
  }
  return {
    name: `compress: ${EVENT_COUNT} events one by one, ${ROW_COUNT} rows`,
    unit: "see the columns",
    rows: figures.map(({ contestant, eventUs, eventPercent, rowRates, rowPercent }) => ({
      row: contestant.name,
      cells: {
        "event us CPU": summarize(eventUs),
        "event wire %": summarize(eventPercent),
        "rows MB/s": summarize(rowRates),
        "rows wire %": summarize(rowPercent),
      },
      ratios: {},
    })),
  };
}
