// The upload benchmark: 512 MiB over loopback, raw and as a form, to nowhere and to disk, by peers, by ourselves and by node:http
// alone. Run: node bench/uploads.ts [ROWS...]. TAILRACE_BENCH_PEERS names a folder with further peers (@tus/file-store).

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { randomFillSync } from "node:crypto";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type BenchResult, printResult, summarize } from "./result.ts";
import { createFleet, type Fleet, type RunningServer } from "./servers/fleet.ts";

const CHUNK = randomFillSync(Buffer.alloc(1_048_576));
const CHUNK_COUNT = 512;
const BODY_BYTES = CHUNK.length * CHUNK_COUNT;
const WARM_UP_ROUNDS = 1;
const ROUNDS = 5;

const BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
const PART = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
);
const PART_END = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

const FLOOR = "floor: node:http";
const BUSBOY = "busboy";
const TUS = "@tus/server PATCH";

/** A contestant: a server, and what of the rows it can do. */
interface Contestant {
  readonly name: string;
  readonly server: readonly [file: string, ...args: string[]];
  readonly rows: "all" | "forms" | "raw to disk";
  /** Asks for a digest too. */
  readonly sha256?: boolean;
}

const CONTESTANTS: readonly Contestant[] = [
  { name: FLOOR, server: ["uploads-floor.ts"], rows: "all" },
  { name: BUSBOY, server: ["uploads-busboy.ts", "busboy"], rows: "forms" },
  { name: `${BUSBOY} + sha256`, server: ["uploads-busboy.ts", "busboy"], rows: "forms", sha256: true },
  { name: "@fastify/busboy", server: ["uploads-busboy.ts", "@fastify/busboy"], rows: "forms" },
  { name: TUS, server: ["uploads-tus.ts"], rows: "raw to disk" },
  { name: "ours: node:http", server: ["uploads-ours-node.ts"], rows: "all" },
  { name: "ours: node:http + sha256", server: ["uploads-ours-node.ts"], rows: "all", sha256: true },
  { name: "ours: srvx", server: ["uploads-ours-srvx.ts"], rows: "all" },
  { name: "ours: srvx + sha256", server: ["uploads-ours-srvx.ts"], rows: "all", sha256: true },
];

const ROWS = ["raw to null", "raw to disk", "form to null", "form to disk"] as const;
type Row = (typeof ROWS)[number];

interface Runner {
  readonly row: Row;
  readonly contestant: Contestant;
  readonly server: RunningServer;
  readonly rates: number[];
  readonly cpuS: number[];
}

function takes({ rows }: Contestant, row: Row): boolean {
  return rows === "all" || (rows === "forms" ? row.startsWith("form") : row === rows);
}

/** Sends a request over a socket of its own and gives the head and body of the answer. The server closes. */
async function exchange(port: number, head: readonly string[], pieces: Iterable<Buffer>): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => undefined); // a server that refuses closes early: its answer tells
  await once(socket, "connect");
  socket.write([...head, "host: 127.0.0.1", "connection: close", "", ""].join("\r\n"));
  for (const piece of pieces) {
    if (socket.destroyed) break;
    if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
  await closed;
  return answer;
}

function* bodyOf(row: Row): Generator<Buffer> {
  if (row.startsWith("form")) yield PART;
  for (let sent = 0; sent < CHUNK_COUNT; sent++) yield CHUNK;
  if (row.startsWith("form")) yield PART_END;
}

/** One upload; how long it took from its first byte to the end of its answer, in milliseconds. */
async function upload({ row, contestant, server }: Runner): Promise<number> {
  if (contestant.name === TUS) return patch(server.port);
  const isForm = row.startsWith("form");
  const length = BODY_BYTES + (isForm ? PART.length + PART_END.length : 0);
  const address = `/${row.replaceAll(" ", "-")}${contestant.sha256 === true ? "-sha256" : ""}`;
  const type = isForm ? `multipart/form-data; boundary=${BOUNDARY}` : "application/octet-stream";
  const head = [`POST ${address} HTTP/1.1`, `content-type: ${type}`, `content-length: ${length}`];
  const start = performance.now();
  const answer = await exchange(server.port, head, bodyOf(row));
  const ms = performance.now() - start;
  const found = /"bytes":(\d+)/.exec(answer)?.[1];
  // The floor counts the whole body; who parses it counts the file.
  const right = found === undefined || Number(found) === BODY_BYTES || Number(found) === length;
  if (!answer.startsWith("HTTP/1.1 200 ") || !right)
    throw new Error(`${contestant.name}, ${row}: ${answer.slice(0, 500)}`);
  return ms;
}

/** A tus upload; only the PATCH is timed. */
async function patch(port: number): Promise<number> {
  const tus = "tus-resumable: 1.0.0";
  const made = await exchange(
    port,
    ["POST /files HTTP/1.1", tus, `upload-length: ${BODY_BYTES}`, "content-length: 0"],
    [],
  );
  const location = /^location: https?:\/\/[^/]+(\S+)/im.exec(made)?.[1];
  if (location === undefined) throw new Error(`${TUS}: ${made.slice(0, 500)}`);
  const head = [`PATCH ${location} HTTP/1.1`, tus, "upload-offset: 0", "content-type: application/offset+octet-stream"];
  const start = performance.now();
  const answer = await exchange(port, [...head, `content-length: ${BODY_BYTES}`], bodyOf("raw to disk"));
  const ms = performance.now() - start;
  if (!answer.startsWith("HTTP/1.1 204 ")) throw new Error(`${TUS}: ${answer.slice(0, 500)}`);
  await exchange(port, [`DELETE ${location} HTTP/1.1`, tus, "content-length: 0"], []);
  return ms;
}

async function startServer(
  fleet: Fleet,
  { name, server }: Contestant,
  folder: string,
): Promise<RunningServer | undefined> {
  const [file, ...args] = server;
  try {
    return await fleet.startServer(name, [
      fileURLToPath(new URL(`./servers/${file}`, import.meta.url)),
      folder,
      ...args,
    ]);
  } catch (error) {
    // A peer that is not installed is left out; one of ours must be there.
    if (name.startsWith("ours") || !/ERR_MODULE_NOT_FOUND|Cannot find/.test((error as Error).message)) throw error;
    console.log(`${name} is not installed and is left out.`);
    return undefined;
  }
}

function ratio(above: readonly number[], below: readonly number[] | undefined): number | undefined {
  return below === undefined ? undefined : summarize(above).median / summarize(below).median;
}

function ratios(runner: Runner, all: readonly Runner[]): Readonly<Record<string, number>> {
  const ratesOf = (name: string): readonly number[] | undefined =>
    all.find((other) => other.row === runner.row && other.contestant.name === name)?.rates;
  const busboy = runner.contestant.sha256 === true ? `${BUSBOY} + sha256` : BUSBOY;
  const found = {
    "rate/floor": ratio(runner.rates, ratesOf(FLOOR)),
    "rate/busboy": ratio(runner.rates, ratesOf(busboy)),
    "rate/tus": ratio(runner.rates, ratesOf(TUS)),
  };
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** Runs the benchmark. With `words`, only the rows that have one of them in their name. */
export async function run(words: readonly string[] = []): Promise<BenchResult> {
  const rows = ROWS.filter((row) => words.length === 0 || words.some((word) => row.includes(word.toLowerCase())));
  const folder = await mkdtemp(path.join(tmpdir(), "tailrace-bench-"));
  const fleet = createFleet();
  try {
    const servers = new Map<string, RunningServer>();
    const runners: Runner[] = [];
    for (const contestant of CONTESTANTS) {
      const key = contestant.server.join(" ");
      const server = servers.get(key) ?? (await startServer(fleet, contestant, folder));
      if (server === undefined) continue;
      servers.set(key, server);
      for (const row of rows)
        if (takes(contestant, row)) runners.push({ row, contestant, server, rates: [], cpuS: [] });
    }
    runners.sort((a, b) => ROWS.indexOf(a.row) - ROWS.indexOf(b.row));
    for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const runner of runners) await upload(runner);
    for (let i = 0; i < ROUNDS; i++) {
      for (const runner of runners) {
        const before = await runner.server.cpuUs();
        const ms = await upload(runner);
        runner.rates.push(BODY_BYTES / 1_000 / ms);
        runner.cpuS.push(((await runner.server.cpuUs()) - before) / 1_000_000 / (BODY_BYTES / 1_073_741_824));
      }
    }
    return {
      name: "uploads",
      unit: "MB/s; seconds of the server's CPU per GiB",
      rows: runners.map((runner) => ({
        row: `${runner.row} | ${runner.contestant.name}`,
        cells: { "MB/s": summarize(runner.rates), "CPU s/GiB": summarize(runner.cpuS) },
        ratios: ratios(runner, runners),
      })),
    };
  } finally {
    await fleet.end();
    await rm(folder, { recursive: true });
  }
}

if (import.meta.main) printResult(await run(process.argv.slice(2)));
