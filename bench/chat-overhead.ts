// The chat benchmark: what stands between a model and its reader costs per token, through SQLite (and Redis) against the same server
// without a log; whether the log makes the model wait; and whether the ten-thousandth token costs what the first does.
// Run: node bench/chat-overhead.ts [--store redis]

import { mkdtempSync, rmSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchCell, type BenchResult, printResult, summarize } from "./result.ts";
import { createFleet, type RunningServer } from "./servers/fleet.ts";

interface Load {
  readonly name: string;
  readonly tokenCount: number;
  readonly tokensPerSecond: number;
}

const LOADS: readonly Load[] = [
  { name: "200 tokens/s", tokenCount: 600, tokensPerSecond: 200 },
  { name: "2,000 tokens/s", tokenCount: 10_000, tokensPerSecond: 2_000 },
];
const ROUNDS = 5;

/** The figures of one answer. */
interface Figures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the first and of the last tenth of the tokens. */
  readonly firstP50Ms: number;
  readonly lastP50Ms: number;
  readonly firstCpuUs: number;
  readonly lastCpuUs: number;
  /** How long the model's stream waited to be asked for its next item. */
  readonly nextP50Ms: number;
  readonly nextP99Ms: number;
  /** How long the model stood still because nobody took what it wrote. */
  readonly modelWaitedMs: number;
}

interface Runner {
  readonly load: Load;
  readonly name: string;
  readonly server: RunningServer;
  readonly rounds: Figures[];
}

const fileOf = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url));

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function ask(port: number, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent: false }, resolve).on("error", reject);
  });
}

async function askJson<T>(port: number, path: string): Promise<T> {
  let text = "";
  for await (const part of (await ask(port, path)).setEncoding("utf8")) text += part as string;
  return JSON.parse(text) as T;
}

/** Reads an answer and gives how long each token was on its way, in ms. `onToken` hears of each count. */
async function readAnswer(port: number, path: string, onToken: (count: number) => void): Promise<number[]> {
  const latencies: number[] = [];
  let carry = "";
  for await (const part of (await ask(port, path)).setEncoding("utf8")) {
    const now = process.hrtime.bigint();
    const lines = (carry + (part as string)).split("\n");
    carry = lines.pop() ?? "";
    for (const line of lines) {
      const sent = /"delta":"(\d+) "/.exec(line)?.[1];
      if (sent === undefined) continue;
      latencies.push(Number(now - BigInt(sent)) / 1e6);
      onToken(latencies.length);
    }
  }
  return latencies;
}

async function round({ load, server }: Runner, model: RunningServer): Promise<Figures> {
  const { tokenCount, tokensPerSecond } = load;
  const tenth = tokenCount / 10;
  const marks = [1, tenth, tokenCount - tenth, tokenCount];
  const cpu: Promise<number>[] = [];
  // One question at a time: a child's answers carry no name.
  let last: Promise<unknown> = Promise.resolve();
  const latencies = await readAnswer(server.port, `/${tokenCount}/${tokensPerSecond}`, (count) => {
    if (!marks.includes(count)) return;
    const asked = last.then(() => server.cpuUs());
    last = asked;
    cpu.push(asked);
  });
  if (latencies.length !== tokenCount) throw new Error(`${latencies.length} of ${tokenCount} tokens came.`);
  const [atFirst = 0, atTenth = 0, atNinth = 0, atLast = 0] = await Promise.all(cpu);
  const waits = await askJson<number[]>(server.port, "/waits");
  const { waitedMs } = await askJson<{ readonly waitedMs: number }>(model.port, "/");
  return {
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    firstP50Ms: quantile(latencies.slice(0, tenth), 0.5),
    lastP50Ms: quantile(latencies.slice(-tenth), 0.5),
    firstCpuUs: (atTenth - atFirst) / tenth,
    lastCpuUs: (atLast - atNinth) / tenth,
    nextP50Ms: quantile(waits, 0.5),
    nextP99Ms: quantile(waits, 0.99),
    modelWaitedMs: waitedMs,
  };
}

/** Runs the benchmark; with "redis" among `rows` through Redis too. */
export async function run(rows: readonly string[] = []): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), "tailrace-bench-chat-"));
  const fleet = createFleet();
  const redis = rows.includes("redis") ? await (await import("../test/redis/redis-server.ts")).startRedis() : undefined;
  try {
    const model = await fleet.startServer("model", [fileOf("chat-overhead-model.ts")]);
    const origin = `http://127.0.0.1:${model.port}`;
    const contestants: Readonly<Record<string, readonly string[]>> = {
      "without a log": ["direct"],
      SQLite: ["sqlite", join(folder, "log.db")],
      ...(redis === undefined ? {} : { Redis: ["redis", redis.url] }),
    };
    const runners: Runner[] = [];
    for (const [name, args] of Object.entries(contestants)) {
      const server = await fleet.startServer(name, [fileOf("chat-overhead-server.ts"), origin, ...args]);
      for (const load of LOADS) runners.push({ name, load, server, rounds: [] });
    }
    runners.sort((a, b) => LOADS.indexOf(a.load) - LOADS.indexOf(b.load));
    const warm = { name: "warm-up", tokenCount: 2_000, tokensPerSecond: 4_000 };
    for (const runner of runners) if (runner.load === LOADS[0]) await round({ ...runner, load: warm }, model);
    for (let i = 0; i < ROUNDS; i++) for (const runner of runners) runner.rounds.push(await round(runner, model));
    return {
      name: "chat",
      unit: "ms per token from the model to the reader; us of the server's CPU per token",
      rows: runners.map((runner) => toRow(runner, runners)),
    };
  } finally {
    await fleet.end();
    await redis?.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function toRow({ name, load, rounds }: Runner, all: readonly Runner[]): BenchResult["rows"][number] {
  const floor = all.find((other) => other.load === load)!.rounds;
  const cell = (of: (figures: Figures) => number): BenchCell => summarize(rounds.map(of));
  // Within a round the contestants follow each other, so that what else the machine does is alike.
  const added = (of: (figures: Figures) => number): BenchCell =>
    summarize(rounds.map((figures, index) => of(figures) - of(floor[index]!)));
  return {
    row: `${load.name} | ${name}`,
    cells: {
      p50: cell((figures) => figures.p50Ms),
      p99: cell((figures) => figures.p99Ms),
      "p50 added": added((figures) => figures.p50Ms),
      "p99 added": added((figures) => figures.p99Ms),
      "next() p50": cell((figures) => figures.nextP50Ms),
      "next() p99": cell((figures) => figures.nextP99Ms),
      "model waited": cell((figures) => figures.modelWaitedMs),
      "CPU us, first tenth": cell((figures) => figures.firstCpuUs),
      "CPU us, last tenth": cell((figures) => figures.lastCpuUs),
    },
    ratios: {
      "p50 last/first": summarize(rounds.map((figures) => figures.lastP50Ms / figures.firstP50Ms)).median,
      "CPU last/first": summarize(rounds.map((figures) => figures.lastCpuUs / figures.firstCpuUs)).median,
    },
  };
}

if (import.meta.main) printResult(await run(process.argv.slice(2).filter((word) => word === "redis")));
