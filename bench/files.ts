// The files benchmark: files of three sizes from disk (that is, from the page cache), by peers, by ourselves, and by nginx with
// sendfile, which no JavaScript can reach.

import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchResult, printResult, summarize } from "./result.ts";
import { digestOf, readInTurn } from "./servers/files-reader.ts";
import { createFleet, type Fleet, type RunningServer } from "./servers/fleet.ts";
import { type RunningNginx, startNginx } from "./servers/nginx.ts";

interface Size {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Requests of one round, on how many connections. */
  readonly requestCount: number;
  readonly connectionCount: number;
}

const MIB = 1_048_576;
const SIZES: readonly Size[] = [
  { name: "1 GiB", path: "/large.bin", bytes: 1_024 * MIB, requestCount: 1, connectionCount: 1 },
  { name: "1 MiB", path: "/middle.bin", bytes: MIB, requestCount: 400, connectionCount: 4 },
  { name: "4 KiB", path: "/small.bin", bytes: 4_096, requestCount: 6_000, connectionCount: 8 },
];

const SIRV = "sirv";
const FLOOR = "floor: nginx, sendfile";

/** Each but the floor is a file in `servers/`. */
const CONTESTANTS: Readonly<Record<string, string>> = {
  "createReadStream.pipe": "files-pipe.ts",
  send: "files-send.ts",
  [SIRV]: "files-sirv.ts",
  "srvx static": "files-srvx.ts",
  "ours: node:http, diskFile": "files-ours-node.ts",
  "ours: node:http, folder": "files-ours-folder.ts",
  "ours: srvx (web Response), diskFile": "files-ours-srvx.ts",
};

const WARM_UP_ROUNDS = 1;
const ROUNDS = 7;

interface Runner {
  readonly name: string;
  readonly size: Size;
  readonly server: RunningServer;
  readonly mbPerCpuSecond: number[];
  readonly mbPerSecond: number[];
  readonly requestsPerSecond: number[];
}

/** Writes the files; gives the digest of each. Random, so that nothing on the way can make them smaller. */
function writeFiles(root: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const { path, bytes } of SIZES) {
    const hash = createHash("sha256");
    const fd = openSync(join(root, path), "w");
    const block = randomBytes(Math.min(bytes, MIB));
    for (let at = 0; at < bytes; at += block.length) {
      block.writeUInt32LE(at / block.length); // no two blocks are the same
      writeSync(fd, block);
      hash.update(block);
    }
    closeSync(fd);
    digests.set(path, hash.digest("hex"));
  }
  return digests;
}

async function startAll(fleet: Fleet, root: string): Promise<ReadonlyMap<string, RunningServer>> {
  const servers = new Map<string, RunningServer>();
  for (const [name, fileName] of Object.entries(CONTESTANTS)) {
    servers.set(
      name,
      await fleet.startServer(name, [fileURLToPath(new URL(`./servers/${fileName}`, import.meta.url)), root]),
    );
  }
  return servers;
}

async function measure({ size, server, ...kept }: Runner): Promise<void> {
  const cpuBefore = await server.cpuUs();
  const begun = performance.now();
  const each = size.requestCount / size.connectionCount;
  await Promise.all(
    Array.from({ length: size.connectionCount }, () => readInTurn(server.port, size.path, size.bytes, each)),
  );
  const seconds = (performance.now() - begun) / 1_000;
  const cpuSeconds = ((await server.cpuUs()) - cpuBefore) / 1e6;
  const megabytes = (size.bytes * size.requestCount) / 1e6;
  kept.mbPerCpuSecond.push(megabytes / cpuSeconds);
  kept.mbPerSecond.push(megabytes / seconds);
  kept.requestsPerSecond.push(size.requestCount / seconds);
}

function ratios(runner: Runner, all: readonly Runner[]): Readonly<Record<string, number>> {
  const sirv = all.find(({ name, size }) => name === SIRV && size === runner.size);
  if (sirv === undefined || runner.name === SIRV) return {};
  const over = (of: (from: Runner) => readonly number[]): number =>
    summarize(of(runner)).median / summarize(of(sirv)).median;
  return {
    "bytes per CPU/sirv": over((from) => from.mbPerCpuSecond),
    "requests/sirv": over((from) => from.requestsPerSecond),
  };
}

/**
 * Runs the benchmark. With `words`, only the rows that have one of them in their name (and sirv, which the ratios need).
 * Throws when a server does not start, or when a reply is not the file.
 */
export async function run(words: readonly string[] = []): Promise<BenchResult> {
  if (!existsSync(new URL("../dist/index.js", import.meta.url))) {
    throw new Error("The files benchmark measures the built package and dist/ is missing: build it first.");
  }
  const wanted = (text: string): boolean =>
    words.length === 0 || words.some((word) => text.toLowerCase().includes(word.toLowerCase()));
  const root = mkdtempSync(join(tmpdir(), "tailrace-bench-files-"));
  const fleet = createFleet();
  let nginx: RunningNginx | undefined;
  try {
    const digests = writeFiles(root);
    nginx = await startNginx(root);
    const servers = new Map(await startAll(fleet, root));
    if (nginx !== undefined) servers.set(FLOOR, nginx);
    const runners: Runner[] = SIZES.flatMap((size) =>
      [...servers]
        .filter(([name]) => name === SIRV || wanted(`${size.name} | ${name}`))
        .map(([name, server]) => ({
          name,
          size,
          server,
          mbPerCpuSecond: [],
          mbPerSecond: [],
          requestsPerSecond: [],
        })),
    );
    for (const { name, size, server } of runners) {
      const found = await digestOf(server.port, size.path);
      if (found !== `200 ${digests.get(size.path)}`)
        throw new Error(`The row "${size.name} | ${name}" is wrong: ${found}.`);
    }
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
      for (const runner of runners) {
        await measure(round < 0 ? { ...runner, mbPerCpuSecond: [], mbPerSecond: [], requestsPerSecond: [] } : runner);
      }
    }
    return {
      name: "files",
      unit: "MB per second of the server's CPU; MB/s; requests/s",
      rows: runners.map((runner) => ({
        row: `${runner.size.name} | ${runner.name}`,
        cells: {
          "MB/CPU s": summarize(runner.mbPerCpuSecond),
          "MB/s": summarize(runner.mbPerSecond),
          "requests/s": summarize(runner.requestsPerSecond),
        },
        ratios: ratios(runner, runners),
      })),
    };
  } finally {
    await nginx?.end();
    await fleet.end();
    rmSync(root, { recursive: true, force: true });
  }
}

if (import.meta.main) printResult(await run(process.argv.slice(2)));
