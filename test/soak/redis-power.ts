// Redis: the power goes while writers are at work. What Redis did to its files is recorded, and they are made anew as a disk
// may hold them that was cut off at some moment.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startRedis } from "../redis/redis-server.ts";
import { look } from "./look.ts";
import { Oracle } from "./oracle.ts";
import { aheadAfter, planFor, prepare, writerOver } from "./plan.ts";
import { afterPowerCut, readFiles, writeFiles } from "./power-cut.ts";
import type { Crash, CrashOptions, Setting } from "./setting.ts";
import { openStore, type StoreSpec } from "./stores.ts";
import { hear, record } from "./traced.ts";

const EFFORT = { writerCount: 2, burstCount: 25, canDie: false };
const CUTS_PER_RECORDING = 4;
/**
 * With `always`, rewrites of the append-only file come about, so that the power is cut in the middle of them too. With `everysec`
 * Redis writes to the next file before the last is synced, and refuses to start if the power goes just then: its operator has
 * to decide (redis-check-aof), so that there is nothing to compare.
 */
const REWRITE = {
  always: ["--auto-aof-rewrite-percentage", "50", "--auto-aof-rewrite-min-size", "100kb"],
  everysec: ["--auto-aof-rewrite-percentage", "0"],
} as const;

async function* cutPower(
  fsync: "always" | "everysec",
  { seed, count, folder }: CrashOptions,
): AsyncGenerator<Crash, void, undefined> {
  const live = join(folder, "live");
  const data = join(live, "data");
  const loss = fsync === "always" ? "nothing" : "tail";
  writeFiles(new Map(), data, data);
  const oracle = new Oracle();
  let done = 0;
  const over = (place: string, how: "always" | "everysec"): readonly string[] => {
    return ["--dir", place, "--appendfsync", how, ...REWRITE[fsync]];
  };
  for (let life = 1; done < count; life++) {
    const plan = planFor(seed, life, oracle, EFFORT);
    const { random, lanes } = plan;
    // What is done before and after must last: `everysec` may lose it when the server is ended.
    const server = await startRedis(over(data, "always"));
    const spec: StoreSpec = { kind: "redis", port: server.port };
    try {
      const opened = openStore(spec, () => aheadAfter(life - 1));
      await prepare(opened.store, plan, oracle);
      await opened.close();
    } finally {
      await server.end();
    }
    const before = readFiles(data);
    const program = process.env["TAILRACE_REDIS"] ?? "redis-server";
    const fixed = ["--bind", "127.0.0.1", "--port", String(spec.port), "--save", "''", "--appendonly", "yes"];
    const script = `${[program, ...fixed, ...over(data, fsync)].join(" ")} >/dev/null 2>&1 & server=$!`;
    const recording = await record(
      live,
      plan.writers.map((writer) => writerOver(writer, spec)),
      { script, strace: [] },
    );
    const first = recording.said[0]!.at;
    const last = recording.said.at(-1)!.at;
    const cuts = Math.min(CUTS_PER_RECORDING, count - done);
    for (let cut = 1; cut <= cuts; cut++) {
      const cutLine = random.int(first, last + 1);
      const files = afterPowerCut(before, recording.calls, cutLine, "growing", random);
      const isLast = cut === cuts;
      const place = isLast ? data : join(folder, "cut");
      rmSync(place, { recursive: true, force: true });
      writeFiles(files, data, place);
      const model = isLast ? oracle : oracle.fork();
      hear(model, recording, cutLine);
      const after = await startRedis(over(place, "always"));
      try {
        await rewritten(after.port);
        const at = { kind: "redis", port: after.port } as const;
        const tally = await look(at, life, { id: `after${life}.${cut}`, oracle: model, loss, lanes });
        yield { tally, note: `cut at call ${cutLine - first} of ${last - first}` };
      } finally {
        await after.end();
      }
      done++;
    }
  }
}

/**
 * Has Redis write its file anew after a start that found the end of it torn. Redis 7.0 cuts off what is torn, but leaves a
 * transaction standing that was begun there: at the next start but one it would be carried out with the one after it.
 */
async function rewritten(port: number): Promise<void> {
  const client = new Redis({ port });
  try {
    const isIdle = async (): Promise<boolean> =>
      !/aof_rewrite_(in_progress|scheduled):1/.test(await client.info("persistence"));
    const idle = async (): Promise<void> => {
      while (!(await isIdle())) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await idle(); // it may have begun one by itself, which is all the same
    await client.bgrewriteaof().catch(() => undefined);
    await idle();
  } finally {
    client.disconnect();
  }
}

export const redisAlwaysPower: Setting = {
  name: "redis, appendfsync always, power cut",
  crashes: (options) => cutPower("always", options),
};

export const redisEverysecPower: Setting = {
  name: "redis, appendfsync everysec, power cut",
  crashes: (options) => cutPower("everysec", options),
};
