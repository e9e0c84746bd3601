// Where a chat runs: one process or several over one store, started and killed by the tests.

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "../redis/redis-server.ts";

/** A chat that is up. */
export interface Host {
  /** The process that is asked to answer. */
  readonly one: string;
  /** The process that others come through: another one, if there is one. */
  readonly two: string;
  /** Kills the process of `one` as a crash does, and starts it again. */
  readonly crash: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** The default lease: what users get is what is tested. */
const LEASE_MS = 5_000;

class AppProcess {
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;
  #port = 0;

  constructor(place: string, modelUrl: string) {
    this.#args = [place, modelUrl, String(LEASE_MS)];
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, anew on its port. */
  async start(): Promise<this> {
    this.#process = fork(join(import.meta.dirname, "app-worker.ts"), [...this.#args, String(this.#port)]);
    const [port] = (await once(this.#process, "message")) as [number];
    this.#port = port;
    return this;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
}

/** Starts `count` processes over one store. */
async function startProcesses(
  place: string,
  modelUrl: string,
  count: 1 | 2,
  clean: () => Promise<void>,
): Promise<Host> {
  const apps = Array.from({ length: count }, () => new AppProcess(place, modelUrl));
  for (const app of apps) await app.start();
  const [first, second = first] = apps;
  return {
    one: first!.url,
    two: second!.url,
    async crash() {
      await first!.kill();
      await first!.start();
    },
    async end() {
      await Promise.all(apps.map((app) => app.kill()));
      await clean();
    },
  };
}

async function overSqlite(modelUrl: string, count: 1 | 2): Promise<Host> {
  const folder = await mkdtemp(join(tmpdir(), "tailrace-chat-"));
  return startProcesses(join(folder, "log.db"), modelUrl, count, () => rm(folder, { recursive: true, force: true }));
}

async function overRedis(modelUrl: string): Promise<Host> {
  const redis = await startRedis();
  return startProcesses(redis.url, modelUrl, 2, () => redis.end());
}

/** The rows of the matrix on `node:http`. */
export const HOSTS: readonly (readonly [name: string, start: (modelUrl: string) => Promise<Host>])[] = [
  ["node:http, one process", (modelUrl) => overSqlite(modelUrl, 1)],
  ["node:http, two processes with one SQLite file", (modelUrl) => overSqlite(modelUrl, 2)],
  ["node:http, two processes with one Redis", overRedis],
];
