// The Redis benchmark: tokens from a run in one process to a reader in another, over one Redis; ours and the two usual
// packages. Run: node bench/redis.ts.

import { Redis } from "ioredis";
import { fileURLToPath } from "node:url";
import { startRedis } from "../test/redis/redis-server.ts";
import { CONTESTANTS, POLLING, PUBSUB } from "./redis/contestants.ts";
import type { Pace } from "./redis/source.ts";
import type { Order, Seen } from "./redis/worker.ts";
import { type BenchResult, printResult, summarize } from "./result.ts";
import { createFleet, type RunningWorker } from "./servers/fleet.ts";

export interface RedisLoad {
  readonly runCount: number;
  /** For latency: tokens per second of each run. */
  readonly perSecond: number;
}

export interface RedisPlan {
  readonly loads: readonly RedisLoad[];
  /** How long each measurement takes, in milliseconds. */
  readonly latencyMs: number;
  readonly rateMs: number;
  readonly maxTokens: number;
  readonly warmUpRounds: number;
  readonly rounds: number;
}

const PLAN: RedisPlan = {
  loads: [
    { runCount: 1, perSecond: 50 },
    { runCount: 100, perSecond: 50 },
    { runCount: 1_000, perSecond: 2 },
  ],
  latencyMs: 2_000,
  rateMs: 500,
  maxTokens: 300_000,
  warmUpRounds: 1,
  rounds: 3,
};

interface Runner {
  readonly name: string;
  readonly load: RedisLoad;
  readonly writer: RunningWorker;
  readonly reader: RunningWorker;
  readonly p50Ms: number[];
  readonly p99Ms: number[];
  readonly perSecond: number[];
  readonly redisUs: number[];
}

let nameCount = 0;

async function measure({ load, writer, reader }: Runner, pace: Pace): Promise<Seen> {
  const names = Array.from({ length: load.runCount }, () => `bench-${++nameCount}`);
  const tell = (worker: RunningWorker, order: Order): Promise<unknown> => worker.ask(order);
  await tell(writer, { order: "start", names, pace });
  await tell(reader, { order: "read", names });
  const written = (await tell(writer, { order: "go" })) as number;
  const seen = (await tell(reader, { order: "finish" })) as Seen;
  if (seen.count !== written) throw new Error(`${written} tokens were written, ${seen.count} were read.`);
  return seen;
}

async function cpuUsOf(admin: Redis): Promise<number> {
  const info = await admin.info("cpu");
  const [user = 0, system = 0] = ["user", "sys"].map((kind) =>
    Number(new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(info)?.[1]),
  );
  return (user + system) * 1e6;
}

async function round(runner: Runner, plan: RedisPlan, admin: Redis, isKept: boolean): Promise<void> {
  const { load } = runner;
  const paced = await measure(runner, { perSecond: load.perSecond, ms: plan.latencyMs, maxTokens: plan.maxTokens });
  const cpuBeforeUs = await cpuUsOf(admin);
  const maxTokens = Math.ceil(plan.maxTokens / load.runCount);
  const fast = await measure(runner, { perSecond: 0, ms: plan.rateMs, maxTokens });
  const cpuUs = (await cpuUsOf(admin)) - cpuBeforeUs;
  await admin.flushall(); // nobody keeps anything: each round begins with as little as the first
  if (!isKept) return;
  runner.p50Ms.push(paced.p50Ms);
  runner.p99Ms.push(paced.p99Ms);
  runner.perSecond.push(fast.count / fast.seconds);
  runner.redisUs.push(cpuUs / fast.count);
}

/** Runs the benchmark; `names` limits it to contestants with one of these words in their name. */
export async function run(names: readonly string[] = [], plan: RedisPlan = PLAN): Promise<BenchResult> {
  const fleet = createFleet();
  // No rewriting of the append-only file while somebody is measured.
  const server = await startRedis(["--auto-aof-rewrite-percentage", "0"]);
  const admin = new Redis(server.url);
  try {
    const runners: Runner[] = [];
    for (const name of Object.keys(CONTESTANTS)) {
      if (names.length > 0 && !names.some((word) => name.includes(word))) continue;
      const args = [fileURLToPath(new URL("./redis/worker.ts", import.meta.url)), name, server.url];
      const writer = await fleet.startWorker(`${name}, writer`, args);
      const reader = await fleet.startWorker(`${name}, reader`, args);
      for (const load of plan.loads) {
        runners.push({ name, load, writer, reader, p50Ms: [], p99Ms: [], perSecond: [], redisUs: [] });
      }
    }
    runners.sort((a, b) => plan.loads.indexOf(a.load) - plan.loads.indexOf(b.load));
    for (let i = 0; i < plan.warmUpRounds; i++) for (const runner of runners) await round(runner, plan, admin, false);
    for (let i = 0; i < plan.rounds; i++) for (const runner of runners) await round(runner, plan, admin, true);
    return { name: "redis", unit: "ms, events/s; microseconds of Redis per event", rows: runners.map(rowOf(runners)) };
  } finally {
    admin.disconnect();
    await fleet.end();
    await server.end();
  }
}

function rowOf(runners: readonly Runner[]): (runner: Runner) => BenchResult["rows"][number] {
  return ({ name, load, p50Ms, p99Ms, perSecond, redisUs }) => {
    const peer = (peerName: string): Runner | undefined =>
      runners.find((other) => other.name === peerName && other.load === load);
    const against = (
      label: string,
      ours: readonly number[],
      theirs: readonly number[] | undefined,
    ): Record<string, number> =>
      theirs === undefined ? {} : { [label]: summarize(ours).median / summarize(theirs).median };
    return {
      row: `${load.runCount} runs, ${load.perSecond}/s each | ${name}`,
      cells: {
        "p50 ms": summarize(p50Ms),
        "p99 ms": summarize(p99Ms),
        "events/s": summarize(perSecond),
        "Redis us": summarize(redisUs),
      },
      ratios: {
        ...against("p50/pubsub", p50Ms, peer(PUBSUB)?.p50Ms),
        ...against("p50/polling", p50Ms, peer(POLLING)?.p50Ms),
        ...against("rate/pubsub", perSecond, peer(PUBSUB)?.perSecond),
        ...against("rate/polling", perSecond, peer(POLLING)?.perSecond),
      },
    };
  };
}

if (import.meta.main) printResult(await run(process.argv.slice(2)));
