// `npm start` as a newcomer meets it: what it says, how it ends, and what it says when it cannot start.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sqliteStore } from "../../src/sqlite.ts";
import { startRedis } from "../redis/redis-server.ts";
import { BUSY_MS, freePort } from "./demo.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-start-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await rm(folder, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  output(): string;
  errors(): string;
}

function start(environment: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, ["scripts/start.mjs"], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: "production", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return { child, output: () => output, errors: () => errors };
}

/** Expects the start to fail with exit code 1 and one line that fits. */
async function expectRefusal(environment: Readonly<Record<string, string>>, line: RegExp): Promise<void> {
  const started = start({ PORT: String(await freePort()), DATA_DIR: folder, ...environment });
  const [code] = (await once(started.child, "close")) as [number];
  const lines = started.errors().trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(line);
  expect(code).toBe(1);
}

describe("npm start", () => {
  test("says where the demo is once it answers, and ends within 5 s on SIGTERM with an open stream", async () => {
    const port = await freePort();
    const started = start({ PORT: String(port), DATA_DIR: folder });
    const address = `http://127.0.0.1:${port}`;
    await expect.poll(() => started.output()).toContain(address);
    const health = await fetch(`${address}/api/health`);
    expect(await health.json()).toEqual({ status: "ok", store: "sqlite" });
    const stream = await fetch(`${address}/api/events`);
    const body = stream.text();
    const at = performance.now();
    started.child.kill("SIGTERM");
    const [code] = (await once(started.child, "exit")) as [number];
    expect(performance.now() - at).toBeLessThan(5_000 + BUSY_MS); // the stated bound
    expect(code).toBe(0);
    expect(await body).toContain("event: connected");
  });

  test("refuses a port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    await expectRefusal({ PORT: String(port) }, new RegExp(`${port}.*PORT`));
    other.close();
  });

  test.each(["0x50", "70000", "-1", "web"])("refuses PORT=%s", (port) => expectRefusal({ PORT: port }, /PORT/));

  test("refuses a data folder that cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expectRefusal({ DATA_DIR: join(folder, "file", "data") }, /DATA_DIR|data/);
  });

  test("refuses a store that is damaged, and leaves it as it is", async () => {
    await writeFile(join(folder, "streams.db"), "no database\n".repeat(500));
    await expectRefusal({}, /streams\.db is damaged.*(restore|move)/);
  });

  test("refuses a store of a newer version, and leaves it as it is", async () => {
    const store = sqliteStore(join(folder, "streams.db"));
    await store.open();
    await store.close();
    const database = new DatabaseSync(join(folder, "streams.db"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expectRefusal({}, /newer version of Tailrace \(schema 99/);
  });

  test("keeps its streams in the Redis of REDIS_URL, and says so", async () => {
    const redis = await startRedis();
    const client = new Redis(redis.url);
    try {
      await client.config("SET", "requirepass", "secret");
      const address = `redis://:secret@127.0.0.1:${redis.port}`;
      const port = await freePort();
      const started = start({ PORT: String(port), DATA_DIR: folder, REDIS_URL: address });
      await expect.poll(() => started.output(), { timeout: 60_000 }).toContain(`http://127.0.0.1:${port}`);
      const health = await fetch(`http://127.0.0.1:${port}/api/health`);
      expect(await health.json()).toEqual({ status: "ok", store: "redis" });
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain("its streams are in Redis");
      const stream = await fetch(`http://127.0.0.1:${port}/api/events`);
      const body = stream.text();
      started.child.kill("SIGTERM");
      const [code] = (await once(started.child, "exit")) as [number];
      expect(code).toBe(0);
      expect(await body).toContain("event: connected");
      expect(existsSync(join(folder, "streams.db"))).toBe(false);
      await expectRefusal(
        { REDIS_URL: `redis://:wrong@127.0.0.1:${redis.port}` },
        /refuses the user or password of REDIS_URL/,
      );
      await expectRefusal({ REDIS_URL: redis.url }, /refuses the user or password of REDIS_URL/);
    } finally {
      client.disconnect();
      await redis.end();
    }
  });

  test("refuses a REDIS_URL where nothing answers", async () => {
    const port = await freePort();
    await expectRefusal(
      { REDIS_URL: `redis://:secret@127.0.0.1:${port}` },
      new RegExp(`^Redis at 127\\.0\\.0\\.1:${port} cannot be used .*REDIS_URL`),
    );
  });

  test.each(["127.0.0.1:6379", "http://127.0.0.1:6379", "redis://", "web"])("refuses REDIS_URL=%s", (url) =>
    expectRefusal({ REDIS_URL: url }, /^REDIS_URL is not the address of a Redis/),
  );
});
