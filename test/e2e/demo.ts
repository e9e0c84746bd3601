// The demo as its users run it: `next start` in a process of its own, on data of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const NEXT = join(ROOT, "node_modules/next/dist/bin/next");
const START_MS = 120_000;
/** What a machine that is busy with other things may take beside a bound that is stated for the product. */
export const BUSY_MS = 15_000;

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export class Demo {
  readonly url: string;
  readonly dataDir: string;
  readonly #port: number;
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #log = "";

  private constructor(port: number, dataDir: string, environment: Readonly<Record<string, string>>) {
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.dataDir = dataDir;
    this.#environment = environment;
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Demo> {
    const dataDir = await mkdtemp(join(tmpdir(), "tailrace-demo-"));
    const demo = new Demo(await freePort(), dataDir, environment);
    await demo.start();
    return demo;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  /** What the server has printed. */
  get log(): string {
    return this.#log;
  }

  /** Starts it, anew after a kill, on the same port and data. */
  async start(): Promise<void> {
    const environment: NodeJS.ProcessEnv = {
      ...process.env,
      NODE_ENV: "production",
      NEXT_TELEMETRY_DISABLED: "1",
      DATA_DIR: this.dataDir,
      ...this.#environment,
    };
    const args = [NEXT, "start", "apps/demo", "-p", String(this.#port), "-H", "127.0.0.1"];
    const child = spawn(process.execPath, args, { cwd: ROOT, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    const until = performance.now() + START_MS;
    for (;;) {
      const isUp = await fetch(`${this.url}/api/health`).then(
        (response) => response.ok,
        () => false,
      );
      if (isUp) return;
      if (child.exitCode !== null || performance.now() > until)
        throw new Error(`The demo did not start:\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends `signal`. @returns the exit code, or the signal that ended it, and how long that took in milliseconds */
  async end(signal: "SIGTERM" | "SIGKILL" | "SIGINT"): Promise<{ code: number | string | null; tookMs: number }> {
    const child = this.#process!;
    const at = performance.now();
    const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
    child.kill(signal);
    await exited;
    return { code: child.exitCode ?? child.signalCode, tookMs: performance.now() - at };
  }

  async remove(): Promise<void> {
    await this.end("SIGKILL");
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
