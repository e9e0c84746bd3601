// Redis: the primary dies while its replica lags, and the replica takes its place. What was not copied is lost; nobody may be
// given a wrong item for it.

import { once } from "node:events";
import { Redis } from "ioredis";
import { startRedis, type RedisServer } from "../redis/redis-server.ts";
import { contentOf } from "./examine.ts";
import { Forwarder } from "./forwarder.ts";
import { killSome } from "./kill.ts";
import { payloadsOf, type Sent } from "./lines.ts";
import { look } from "./look.ts";
import { Oracle } from "./oracle.ts";
import { Violation, type Content } from "./rules.ts";
import { aheadAfter, planFor, prepare } from "./plan.ts";
import type { Crash, CrashOptions, Setting } from "./setting.ts";
import { openStore, type StoreSpec } from "./stores.ts";
import { Witness } from "./witness.ts";

const EFFORT = { writerCount: 3, burstCount: 25, canDie: false };
const FLAGS = ["--repl-diskless-sync-delay", "0", "--appendfsync", "no"];
/** More than a follower can have seen of what is lost, so that the numbers of lost items would be given again. */
const AFTER_COUNT = 40;
const SYNC_LIMIT_MS = 20_000;

async function* failOver({ seed, count }: CrashOptions): AsyncGenerator<Crash, void, undefined> {
  let primary = await startRedis(FLAGS);
  const front = await Forwarder.start(primary.port);
  let replica: RedisServer | undefined;
  let link: Forwarder | undefined;
  try {
    const spec: StoreSpec = { kind: "redis", port: front.port };
    const oracle = new Oracle();
    for (let crash = 1; crash <= count; crash++) {
      const plan = planFor(seed, crash, oracle, EFFORT);
      const { lanes } = plan;
      link = await Forwarder.start(primary.port);
      replica = await startRedis([...FLAGS, "--replicaof", "127.0.0.1", String(link.port)]);
      const opened = openStore(spec, () => aheadAfter(crash - 1));
      await prepare(opened.store, plan, oracle);
      await copied(primary.port);
      const witness = new Witness(`witness${crash}`, spec, aheadAfter(crash - 1), oracle, true);
      for (const name of [...plan.streams, ...plan.shortStreams]) witness.follow(name);
      try {
        // The replica hears nothing from some line on, and some lines later the primary dies.
        const next = replica;
        const killed = await killSome(
          plan,
          spec,
          oracle,
          EFFORT,
          async (killAll) => {
            killAll();
            await primary.kill();
            front.turnTo(undefined);
            link!.turnTo(undefined);
            await promote(next.port);
            front.turnTo(next.port);
          },
          () => link!.hold(),
        );
        const tally = await look(spec, crash, { id: `after${crash}`, oracle, loss: "tail", lanes });
        const contents = await goOn(opened.store, oracle, crash, [...plan.streams, ...plan.shortStreams]);
        await witness.sees(contents);
        const gaps = witness.wasToldTheTruth(contents);
        yield { tally, note: `${killed} writers killed, failed over, followers told of ${gaps} gaps` };
      } finally {
        await witness.close();
        await opened.close();
      }
      await link.close();
      await primary.end();
      [primary, replica, link] = [replica, undefined, undefined];
    }
  } finally {
    await front.close();
    await link?.close();
    await replica?.end();
    await primary.end();
  }
}

/** Waits until the replica has everything. */
async function copied(port: number): Promise<void> {
  const client = new Redis({ port });
  try {
    const limit = AbortSignal.timeout(SYNC_LIMIT_MS);
    // WAIT looks at what its own connection has written.
    for (;;) {
      await client.set("soak-mark", "1");
      if ((await client.wait(1, 1_000)) >= 1) return;
      if (limit.aborted) throw new Error(`no replica has come up within ${SYNC_LIMIT_MS} ms`);
    }
  } finally {
    client.disconnect();
  }
}

async function promote(port: number): Promise<void> {
  const client = new Redis({ port });
  await once(client, "ready");
  await client.replicaof("NO", "ONE");
  client.disconnect();
}

/** Writes on in every stream, and gives all that they hold then. */
async function goOn(
  store: ReturnType<typeof openStore>["store"],
  oracle: Oracle,
  crash: number,
  names: readonly string[],
): Promise<Map<string, Content>> {
  const contents = new Map<string, Content>();
  for (const stream of names) {
    if ((await store.head(stream))?.end === undefined) {
      const sent: Sent = { is: "sent", key: `on${crash}#${stream}`, stream, count: AFTER_COUNT };
      oracle.take(`on${crash}`, sent);
      const { before, tail } = await store.append(stream, payloadsOf(sent));
      oracle.take(`on${crash}`, { is: "kept", key: sent.key, stream, before, tail, isDuplicate: false });
    }
    const content = await contentOf(store, stream);
    if (content === undefined) throw new Violation(`${stream} was copied and is gone`);
    contents.set(stream, content);
  }
  return contents;
}

export const redisFailover: Setting = {
  name: "redis, failover to a replica that lags",
  crashes: failOver,
};
