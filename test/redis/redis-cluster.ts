// A real cluster of three primaries, and replicas for them if wanted, for tests.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { expect, vi } from "vitest";
import { freePort, startRedis, type RedisServer } from "./redis-server.ts";

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** Client to the node at `index`, for commands about the cluster. */
  admin(index: number): Redis;
  /** The node that serves the slot of `key`. */
  primaryOf(key: string): Promise<{ readonly index: number; readonly slot: number }>;
  end(): Promise<void>;
}

const run = promisify(execFile);
const FLAGS = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];

/** `redis-cli` must be there beside the server. */
export async function startCluster(replicas: 0 | 1): Promise<RedisCluster> {
  // The port of the cluster's bus is 10,000 more otherwise, which may be more than there are.
  const startNode = async (): Promise<RedisServer> =>
    startRedis([...FLAGS, "--cluster-port", String(await freePort())]);
  const nodes = await Promise.all(Array.from({ length: 3 * (1 + replicas) }, startNode));
  const admins = nodes.map(({ port }) => {
    const client = new Redis({ port, retryStrategy: () => 50 });
    client.on("error", () => {});
    return client;
  });
  const end = async (): Promise<void> => {
    for (const admin of admins) admin.disconnect();
    await Promise.all(nodes.map((node) => node.end()));
  };
  try {
    const places = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await run("redis-cli", ["--cluster", "create", ...places, "--cluster-replicas", String(replicas), "--cluster-yes"]);
    const areUp = async (): Promise<void> => {
      for (const admin of admins) {
        expect(String(await admin.call("CLUSTER", "INFO"))).toContain("cluster_state:ok");
        const info = await admin.info("replication");
        if (info.includes("role:slave")) expect(info).toContain("master_link_status:up");
      }
    };
    await vi.waitFor(areUp);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    nodes,
    admin: (index) => admins[index]!,
    async primaryOf(key) {
      const slot = Number(await admins[0]!.call("CLUSTER", "KEYSLOT", key));
      const ranges = (await admins[0]!.call("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
      const [, , [, port]] = ranges.find(([first, last]) => first <= slot && slot <= last)!;
      return { index: nodes.findIndex((node) => node.port === port), slot };
    },
    end,
  };
}
