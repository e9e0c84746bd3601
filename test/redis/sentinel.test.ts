// A failover that a Sentinel makes, and a client of ioredis that asks it where the primary is.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, test, vi } from "vitest";
import { closeAfterEach, ioredis, onClose, storeOver } from "./redis-clients.ts";
import { freePort, KEEPER, startRedis, type RedisServer } from "./redis-server.ts";

closeAfterEach();

async function server(flags: readonly string[] = []): Promise<RedisServer> {
  const started = await startRedis(["--repl-diskless-sync-delay", "0", ...flags]);
  onClose(() => started.end());
  return started;
}

/** A Sentinel that watches the primary at `port`, alone. @returns its port */
async function sentinel(port: number): Promise<number> {
  const own = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tailrace-sentinel-"));
  const lines = [
    `port ${own}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor main 127.0.0.1 ${port} 1`,
    "sentinel down-after-milliseconds main 500",
    "sentinel failover-timeout main 3000",
  ];
  writeFileSync(join(folder, "sentinel.conf"), lines.join("\n"));
  const program = process.env["TAILRACE_REDIS"] ?? "redis-server";
  const args = ["-c", KEEPER, folder, program, join(folder, "sentinel.conf"), "--sentinel"];
  const child = spawn("sh", args, { stdio: ["pipe", "ignore", "ignore"] });
  onClose(async () => {
    const exited = once(child, "exit");
    child.stdin.end();
    await exited;
  });
  return own;
}

test("redisStore() over Sentinels goes on at the new primary, each item once and in order", async () => {
  const primary = await server();
  const replica = await server(["--replicaof", "127.0.0.1", String(primary.port)]);
  const guard = ioredis(await sentinel(primary.port));
  const knowsReplica = async (): Promise<void> => {
    const [fields] = (await guard.call("SENTINEL", "REPLICAS", "main")) as string[][];
    expect(fields).toEqual(expect.arrayContaining([String(replica.port), "ok"]));
  };
  await vi.waitFor(knowsReplica);
  const client = new Redis({
    sentinels: [{ host: "127.0.0.1", port: guard.options.port! }],
    name: "main",
    maxRetriesPerRequest: null,
    retryStrategy: () => 50,
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  client.on("error", () => {});
  onClose(() => client.disconnect());
  // With a replica to wait for, nothing that was acknowledged can be lost with the primary.
  const store = storeOver(client, { retryForMs: 60_000, waitForReplicas: 1 });
  const { head } = await store.create("s");
  const kept: string[] = [];
  for (let count = 0; count < 50; count++) {
    await store.append("s", [String(count)]);
    kept.push(String(count));
  }
  const after = storeOver(client, { retryForMs: 60_000 }); // nobody is left to wait for
  await primary.kill();
  for (let count = 50; count < 100; count++) {
    await after.append("s", [String(count)]);
    kept.push(String(count));
  }
  const { items } = await after.read("s", head.start, { maxItems: 1_000, maxBytes: 1e9 });
  expect(items.map(({ payload }) => payload)).toEqual(kept);
  expect(items.map(({ offset }) => offset)).toEqual(items.map(({ offset }) => offset).toSorted());
  expect(client.stream.remotePort).toBe(replica.port);
});
