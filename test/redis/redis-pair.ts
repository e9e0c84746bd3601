// A primary and a replica, with a network between them and one in front that leads to whichever is the primary.

import { Redis } from "ioredis";
import { expect, vi } from "vitest";
import { badNetwork, type BadNetwork } from "./bad-network.ts";
import { startRedis, type RedisServer } from "./redis-server.ts";

export interface RedisPair {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** Between the replica and the primary. */
  readonly link: BadNetwork;
  /** Between the clients and whichever of the two is the primary. */
  readonly network: BadNetwork;
  /** Lets the replica have everything, and nothing that comes after. */
  stopReplication(): Promise<void>;
  /** The primary dies, the replica takes its place. */
  failOver(): Promise<void>;
  end(): Promise<void>;
}

export async function startPair(): Promise<RedisPair> {
  const primary = await startRedis(["--repl-diskless-sync-delay", "0"]);
  const link = await badNetwork(primary.port);
  const network = await badNetwork(primary.port);
  const replica = await startRedis(["--replicaof", "127.0.0.1", String(link.port)]);
  const [main, second] = [primary, replica].map(({ port }) => {
    const client = new Redis({ port, retryStrategy: () => 20 });
    client.on("error", () => {});
    return client;
  });
  const isUp = async (): Promise<void> => expect(await second!.info("replication")).toContain("master_link_status:up");
  await vi.waitFor(isUp);
  // The primary counts it among those that WAIT asks only once it has heard from it, up to a second later.
  await main!.set("mark", "0");
  expect(await main!.wait(1, 10_000)).toBe(1);
  return {
    primary,
    replica,
    link,
    network,
    async stopReplication() {
      await main!.set("mark", "1"); // WAIT looks at what its own connection has written
      expect(await main!.wait(1, 10_000)).toBe(1);
      link.stall();
    },
    async failOver() {
      await primary.kill();
      network.cut();
      await second!.replicaof("NO", "ONE");
      network.lead(replica.port);
      network.restore();
    },
    async end() {
      main!.disconnect();
      second!.disconnect();
      await Promise.all([network.end(), link.end()]);
      await Promise.all([primary.end(), replica.end()]);
    },
  };
}
