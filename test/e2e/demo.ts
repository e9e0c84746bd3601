// The demo on data of its own: one instance, or two behind nginx, round robin and without sticky sessions.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RedisServer, startRedis } from "../redis/redis-server.ts";
import { type Ended, freePort, Instance } from "./instance.ts";
import { type Nginx, startNginxWith } from "./nginx.ts";

/** What a machine that is busy with other things may take beside a bound that is stated for the product. */
export const BUSY_MS = 15_000;

export { freePort };

/** What two instances share: a Redis, or only the file in their data folder. */
export type Shared = "redis" | "sqlite";

/**
 * The configuration of examples/deploy, for these instances. A test that ends both and starts them again asks at once, when nginx would
 * still remember that they were away.
 */
function frontOf(urls: readonly string[], port: number): string {
  const given = readFileSync(join(import.meta.dirname, "../../examples/deploy/nginx.conf"), "utf8");
  const servers = urls.map((url) => `server ${new URL(url).host} max_fails=0;`).join("\n");
  const replaced = given
    .replace(/(?:^ *server demo-\d:3000 .*;\n)+/m, `${servers}\n`)
    .replace("listen 80;", `listen 127.0.0.1:${port};`);
  if (!replaced.includes(servers) || !replaced.includes(`:${port};`))
    throw new Error("examples/deploy/nginx.conf has changed: so must this.");
  return replaced;
}

let shared: Shared | undefined;

/** Lets the demos of this test file be two instances each. Called before the file of tests is imported. */
export function onTwoInstances(what: Shared): void {
  shared = what;
}

/** How many instances a demo of this test file has. */
export const instanceCount = (): number => (shared === undefined ? 1 : 2);

export class Demo {
  /** Where it is reached: the instance, or nginx in front of the two. */
  readonly url: string;
  readonly dataDir: string;
  readonly instances: readonly Instance[];
  readonly #redis: RedisServer | undefined;
  #front: Nginx | undefined;

  private constructor(url: string, dataDir: string, instances: readonly Instance[], redis: RedisServer | undefined) {
    this.url = url;
    this.dataDir = dataDir;
    this.instances = instances;
    this.#redis = redis;
  }

  static async start(
    environment: Readonly<Record<string, string>> = {},
    what: Shared | undefined = shared,
  ): Promise<Demo> {
    const dataDir = await mkdtemp(join(tmpdir(), "tailrace-demo-"));
    const redis = what === "redis" ? await startRedis() : undefined;
    const settings = { DATA_DIR: dataDir, ...(redis === undefined ? {} : { REDIS_URL: redis.url }), ...environment };
    const ports = [await freePort(), ...(what === undefined ? [] : [await freePort()])];
    const instances = ports.map((port) => new Instance(port, settings));
    const frontPort = what === undefined ? undefined : await freePort();
    const url = frontPort === undefined ? instances[0]!.url : `http://127.0.0.1:${frontPort}`;
    const demo = new Demo(url, dataDir, instances, redis);
    try {
      await demo.start();
      if (frontPort !== undefined) {
        const urls = instances.map((instance) => instance.url);
        demo.#front = await startNginxWith((port) => frontOf(urls, port), frontPort);
      }
    } catch (error) {
      await demo.remove();
      throw error;
    }
    return demo;
  }

  /** Of the first instance. */
  get pid(): number {
    return this.instances[0]!.pid;
  }

  /** What the servers have printed. */
  get log(): string {
    return this.instances.map(({ log }) => log).join("");
  }

  /** Starts it, anew after a kill, on the same ports and data. */
  async start(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.start()));
  }

  /**
   * Ends each instance and starts it again, one after the other: of two there is always one. A stock EventSource needs that, as it gives up at
   * the 502 of an nginx that has none behind it (HTML, section 9.2.2).
   */
  async roll(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    for (const instance of this.instances) {
      await instance.end(signal);
      await instance.start();
    }
  }

  /** Sends `signal` to every instance. @returns how the last one ended */
  async end(signal: "SIGTERM" | "SIGKILL" | "SIGINT"): Promise<Ended> {
    const ended = await Promise.all(this.instances.map((instance) => instance.end(signal)));
    return ended.toSorted((one, other) => other.tookMs - one.tookMs)[0]!;
  }

  async remove(): Promise<void> {
    await this.#front?.stop();
    await this.end("SIGKILL");
    await this.#redis?.end();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
