// The relay benchmark: a large body and many small ones from an upstream, passed on by ourselves and by peers. Run: node bench/relay.ts.

import { fileURLToPath } from "node:url";
import { type BenchResult, printResult, summarize } from "./result.ts";
import { readInTurn } from "./servers/files-reader.ts";
import { createFleet, type RunningServer } from "./servers/fleet.ts";

interface Load {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Requests of one round, on how many connections. */
  readonly requestCount: number;
  readonly connectionCount: number;
}

const LARGE_BYTES = 268_435_456;
const LOADS: readonly Load[] = [
  { name: "256 MiB", path: `/large-${LARGE_BYTES}`, bytes: LARGE_BYTES, requestCount: 1, connectionCount: 1 },
  { name: "4 KiB", path: "/small", bytes: 4_096, requestCount: 2_400, connectionCount: 8 },
];

const HONO = "hono/proxy";
const REMIX = "@remix-run/fetch-proxy";
const CONTESTANTS: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  [HONO]: ["relay-hono.ts"],
  [REMIX]: ["relay-remix.ts"],
  "ours: fetch": ["relay-ours.ts", "fetch"],
  "ours: guardedFetch": ["relay-ours.ts", "guardedFetch"],
};

const WARM_UP_ROUNDS = 1;
const ROUNDS = 7;

interface Runner {
  readonly name: string;
  readonly load: Load;
  readonly server: RunningServer;
  readonly mbPerSecond: number[];
  readonly requestsPerSecond: number[];
  readonly cpuS: number[];
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./servers/${name}`, import.meta.url));
}

async function round({ load, server, ...figures }: Runner, isKept: boolean): Promise<void> {
  const { path, bytes, requestCount, connectionCount } = load;
  const cpuBefore = await server.cpuUs();
  const start = performance.now();
  const each = requestCount / connectionCount;
  await Promise.all(Array.from({ length: connectionCount }, () => readInTurn(server.port, path, bytes, each)));
  const seconds = (performance.now() - start) / 1_000;
  const cpuS = ((await server.cpuUs()) - cpuBefore) / 1_000_000;
  if (!isKept) return;
  figures.mbPerSecond.push((bytes * requestCount) / 1_000_000 / seconds);
  figures.requestsPerSecond.push(requestCount / seconds);
  figures.cpuS.push(cpuS);
}

/** Runs the benchmark. */
export async function run(): Promise<BenchResult> {
  const fleet = createFleet();
  try {
    const upstream = await fleet.startServer("upstream", [fileOf("relay-upstream.ts")]);
    const runners: Runner[] = [];
    for (const [name, [file, ...args]] of Object.entries(CONTESTANTS)) {
      const origin = `http://127.0.0.1:${upstream.port}`;
      const server = await fleet.startServer(name, [fileOf(file), origin, ...args]);
      for (const load of LOADS) {
        runners.push({ name, load, server, mbPerSecond: [], requestsPerSecond: [], cpuS: [] });
      }
    }
    runners.sort((a, b) => LOADS.indexOf(a.load) - LOADS.indexOf(b.load));
    for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const runner of runners) await round(runner, false);
    for (let i = 0; i < ROUNDS; i++) for (const runner of runners) await round(runner, true);

    const rateOf = (name: string, load: Load): number => {
      const found = runners.find((other) => other.name === name && other.load === load);
      return summarize(found?.mbPerSecond ?? []).median;
    };
    return {
      name: "relay",
      unit: "MB/s, requests/s; seconds of the relay's CPU per round",
      rows: runners.map(({ name, load, mbPerSecond, requestsPerSecond, cpuS }) => ({
        row: `${load.name} | ${name}`,
        cells: {
          ...(load.requestCount === 1
            ? { "MB/s": summarize(mbPerSecond) }
            : { "requests/s": summarize(requestsPerSecond) }),
          "CPU s": summarize(cpuS),
        },
        ratios: {
          "rate/hono": summarize(mbPerSecond).median / rateOf(HONO, load),
          "rate/remix": summarize(mbPerSecond).median / rateOf(REMIX, load),
        },
      })),
    };
  } finally {
    await fleet.end();
  }
}

if (import.meta.main) printResult(await run());
