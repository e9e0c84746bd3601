// Redis: writers are killed, and Redis itself is killed and started again over its append-only file.

import { Redis } from "ioredis";
import { startRedis } from "../redis/redis-server.ts";
import { killSome } from "./kill.ts";
import { look } from "./look.ts";
import { Oracle } from "./oracle.ts";
import type { Content } from "./rules.ts";
import { aheadAfter, planFor, prepare } from "./plan.ts";
import type { Crash, CrashOptions, Setting } from "./setting.ts";
import { openStore, type StoreSpec } from "./stores.ts";
import { Witness } from "./witness.ts";

const EFFORT = { writerCount: 3, burstCount: 25, canDie: true };

async function* kill(
  fsync: "always" | "everysec",
  { seed, count }: CrashOptions,
): AsyncGenerator<Crash, void, undefined> {
  const server = await startRedis(["--appendfsync", fsync]);
  try {
    const spec: StoreSpec = { kind: "redis", port: server.port };
    const oracle = new Oracle();
    for (let crash = 1; crash <= count; crash++) {
      const plan = planFor(seed, crash, oracle, EFFORT);
      const { random, lanes } = plan;
      const opened = openStore(spec, () => aheadAfter(crash - 1));
      await prepare(opened.store, plan, oracle);
      await opened.close();
      if (fsync === "everysec") await settled(server.port);
      const victim = random.pick(["writers", "redis", "both"] as const);
      // While it syncs in the background, `everysec` answers before it writes: what is kept then is some beginning.
      const loss = fsync === "everysec" && victim !== "writers" ? "tail" : "nothing";
      const diesWithWriters = victim === "both" || loss === "tail";
      const hasWitness = loss === "nothing" && random.chance(0.5);
      const witness = hasWitness ? new Witness(`witness${crash}`, spec, aheadAfter(crash - 1), oracle) : undefined;
      for (const name of [...plan.streams, ...plan.shortStreams]) witness?.follow(name);
      try {
        const restart = async (killAll: () => void): Promise<void> => {
          if (diesWithWriters) killAll();
          await server.kill();
          await server.start();
        };
        const killed = await killSome(plan, spec, oracle, EFFORT, victim === "writers" ? undefined : restart);
        const beforeCompare = witness && ((contents: ReadonlyMap<string, Content>) => witness.sees(contents));
        const tally = await look(spec, crash, { id: `after${crash}`, oracle, loss, lanes, beforeCompare });
        const who = victim === "writers" ? "" : ", Redis killed";
        yield { tally, note: `${killed} of ${plan.writers.length} writers killed${who}` };
      } finally {
        await witness?.close();
      }
    }
  } finally {
    await server.end();
  }
}

/** Has everything so far written and synced, so that only what comes from now on can be lost. */
async function settled(port: number): Promise<void> {
  const client = new Redis({ port });
  try {
    await client.config("SET", "appendfsync", "always");
    await client.set("soak-mark", "1");
    await client.config("SET", "appendfsync", "everysec");
  } finally {
    client.disconnect();
  }
}

export const redisAlwaysKill: Setting = {
  name: "redis, appendfsync always, SIGKILL",
  crashes: (options) => kill("always", options),
};

export const redisEverysecKill: Setting = {
  name: "redis, appendfsync everysec, SIGKILL",
  crashes: (options) => kill("everysec", options),
};
