// A real Redis for tests and benchmarks: on a free port, with its append-only file in a temporary folder, ended on every way out.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";

/** A Redis that may be stopped and started again over the same data. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends the process at once, as a crash does; what it has written stays. */
  kill(): Promise<void>;
  /** Starts it again on its port. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  end(): Promise<void>;
}

const START_LIMIT_MS = 60_000;
/** How often another port is taken: somebody else may have it by the time that the server asks for it. */
const MAX_PORTS = 5;

/** For `sh -c`: runs a server in the folder `$0` until its own input ends, also when whoever started it is killed. */
export const KEEPER =
  '"$@" >/dev/null & server=$!; echo $server; read -r word; kill -KILL $server; wait $server; [ "$word" = keep ] || rm -rf "$0"';

/** Starts an empty server. `flags` are those of `redis-server`. */
export async function startRedis(flags: readonly string[] = []): Promise<RedisServer> {
  for (let left = MAX_PORTS; ; left--) {
    try {
      return await startOnce(flags);
    } catch (error) {
      if (!(error instanceof PortTaken) || left === 1) throw error;
    }
  }
}

class PortTaken extends Error {}

async function startOnce(flags: readonly string[]): Promise<RedisServer> {
  const program = process.env["TAILRACE_REDIS"] ?? "redis-server";
  const folder = mkdtempSync(join(tmpdir(), "tailrace-redis-"));
  const port = await freePort();
  const fixed = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", "--appendonly", "yes"];
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const args = ["-c", KEEPER, folder, program, ...fixed, ...flags];
    const started = spawn("sh", args, { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
    child = started;
    const [pid] = (await once(createInterface(started.stdout), "line")) as [string];
    await answering(port, pid);
  }

  async function stop(word: string): Promise<void> {
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.stdin?.end(word);
    await exited;
    child = undefined;
  }

  const end = async (): Promise<void> => {
    await stop("");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await end();
    throw error;
  }
  return { port, url: `redis://127.0.0.1:${port}`, kill: () => stop("keep\n"), start, end };
}

/** Waits until the server answers, and sees that it is this one. */
async function answering(port: number, pid: string): Promise<void> {
  const probe = new Redis({ port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  probe.on("error", () => {});
  const limit = AbortSignal.timeout(START_LIMIT_MS);
  try {
    await Promise.race([
      probe.ping(),
      once(limit, "abort").then(() => {
        throw new Error("Redis did not start: is redis-server installed, or TAILRACE_REDIS set to its path?");
      }),
    ]);
    const info = await probe.info("server");
    if (!info.includes(`\nprocess_id:${pid}\r`)) throw new PortTaken(`Somebody else has the port ${port}.`);
  } finally {
    probe.disconnect();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
