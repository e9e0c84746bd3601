// One instance of the demo as its users run it: `next start` in a process of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const NEXT = join(ROOT, "node_modules/next/dist/bin/next");
const START_MS = 120_000;

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** How a process ended. */
export interface Ended {
  /** Its exit code, or the signal. */
  readonly code: number | string | null;
  readonly tookMs: number;
}

export class Instance {
  readonly url: string;
  readonly #port: number;
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #log = "";

  constructor(port: number, environment: Readonly<Record<string, string>>) {
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#environment = environment;
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
  async end(signal: "SIGTERM" | "SIGKILL" | "SIGINT"): Promise<Ended> {
    const child = this.#process;
    const at = performance.now();
    if (child === undefined) return { code: null, tookMs: 0 };
    const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
    child.kill(signal);
    await exited;
    return { code: child.exitCode ?? child.signalCode, tookMs: performance.now() - at };
  }
}
